"""Hourly housekeeping: forgets tokens and sign-ins whose time is over."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backend.storage import pool, sessions

if TYPE_CHECKING:
    from backend.deps import Deps


async def once(deps: Deps) -> None:
    async with pool.transaction(deps.pool) as connection:
        await sessions.purge(connection, deps.clock.now())
