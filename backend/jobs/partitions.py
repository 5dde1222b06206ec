"""Job: months of the facts made ahead, rows without a month told of and moved, old months dropped."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING

from backend.storage.warehouse import facts, partitions

if TYPE_CHECKING:
    from backend.deps import Deps

logger = logging.getLogger(__name__)

EVERY = timedelta(hours=1)


async def once(deps: Deps) -> int:
    """How many partitions were made."""
    connection = await facts.connect(deps.database_url)
    now = deps.clock.now()
    try:
        made = await partitions.make_ahead(connection, now)
        if strays := await partitions.strays(connection):
            logger.warning("warehouse.strays", extra={"rows": strays})
            made += await partitions.rescue(connection)
        await partitions.drop_old(connection, now, months_kept=deps.settings.bi_retention_months)
    finally:
        await connection.close()
    return made
