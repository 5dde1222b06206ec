"""Hourly housekeeping: forgets tokens and sign-ins whose time is over."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from backend.storage import pool, sessions

if TYPE_CHECKING:
    from backend.deps import Deps

PERIOD_SECONDS = 3600


async def run(deps: Deps) -> None:
    while True:
        async with pool.transaction(deps.pool) as connection:
            await sessions.purge(connection, deps.clock.now())
        await asyncio.sleep(PERIOD_SECONDS)
