"""The bots that the warehouse knows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from backend.storage.pool import Connection

OURS = ("jorge-seller", "jorge-buyer", "lead-bot", "intent-decoder")
"""The four that are shown also while they are silent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bot:
    bot_key: int
    bot_id: str
    name: str


async def known(connection: Connection) -> list[Bot]:
    rows = await connection.fetch(
        "SELECT bot_key, bot_id, name FROM dim_bot WHERE bot_key > 0 ORDER BY bot_key"
    )
    return [Bot(**dict(row)) for row in rows]


async def newest(connection: Connection, keys: Sequence[int]) -> datetime | None:
    """When the last thing happened that a bot reported."""
    found: datetime | None = await connection.fetchval(
        """SELECT max(last) FROM unnest($1::int[]) AS place, LATERAL (
               SELECT occurred_at AS last FROM fact_bot_performance WHERE location_key = place
               ORDER BY occurred_at DESC LIMIT 1) newest""",
        list(keys),
    )
    return found
