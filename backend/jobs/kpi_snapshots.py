"""Job: keeps what the stocks (pipeline, active and hot leads) stood at, once an hour, for later comparison."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backend.services import kpis
from backend.storage import kpis as store
from backend.storage import pool, users

if TYPE_CHECKING:
    from backend.deps import Deps


async def once(deps: Deps) -> None:
    """The first of the hour counts."""
    now = deps.clock.now()
    hour = now.replace(minute=0, second=0, microsecond=0)
    async with pool.transaction(deps.pool) as connection:
        for place in await users.all_locations(connection):
            found = await kpis.stocks(connection, [place.id], now)
            await store.keep_snapshot(connection, place.id, hour, found.named())
