"""Job: the materialized views, every five minutes."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING

from backend.storage.warehouse import facts, views

if TYPE_CHECKING:
    from backend.deps import Deps

logger = logging.getLogger(__name__)

EVERY = timedelta(minutes=5)


async def once(deps: Deps) -> None:
    """On a connection of its own: a refresh may take longer than the pool allows a statement."""
    connection = await facts.connect(deps.database_url)
    try:
        took = await views.refresh(connection)
    finally:
        await connection.close()
    logger.debug("views.refreshed", extra={"ms": dict(took)})
