"""What earlier releases kept of the bots in a table of its own becomes facts; then the table goes."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from backend.events import BotPerformance
from backend.storage.warehouse import bot_legacy

if TYPE_CHECKING:
    import asyncpg

    from backend.stream.from_sync.follower import Follower

logger = logging.getLogger(__name__)

PIECE = 2_000


async def step(follower: Follower) -> bool:
    """The next piece of it; False when there is nothing (any more)."""
    connection = follower.connection
    if not await bot_legacy.is_there(connection):
        return False
    rows = await bot_legacy.some(connection, PIECE)
    for one in await follower.sender.store([_event(row) for row in rows]):
        logger.warning("from_sync.refused", extra={"event": str(one.event.event_id), "reason": one.reason})
    await bot_legacy.remove(connection, [row["id"] for row in rows])
    if len(rows) < PIECE:
        await bot_legacy.drop(connection)
        follower.rest()
        logger.info("from_sync.legacy_gone")
    return True


def _event(row: asyncpg.Record) -> BotPerformance:
    return BotPerformance(
        event_id=row["id"],
        occurred_at=row["occurred_at"],
        event_type=row["event_type"],
        location_id=row["location_id"],
        bot_id=row["bot_id"],
        lead_id=row["lead_id"],
        conversation_id=row["conversation_id"],
        confidence=row["confidence"],
        processing_ms=row["processing_ms"],
        success=row["success"],
        replied=row["replied"],
    )
