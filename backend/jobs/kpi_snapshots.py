"""Job: keeps how many leads were active and hot, once an hour, for later comparison. (The pipeline's past is in its ledger.)"""

from __future__ import annotations

from typing import TYPE_CHECKING

from backend.storage.warehouse import stocks
from backend.storage.warehouse.scope import writing

if TYPE_CHECKING:
    from backend.deps import Deps


async def once(deps: Deps) -> None:
    """The first of the hour counts."""
    now = deps.clock.now()
    async with writing(deps.bi) as connection:
        await stocks.keep_pictures(connection, now, now.replace(minute=0, second=0, microsecond=0))
