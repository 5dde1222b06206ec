"""What an unusual time consists of: by office and by bot, what differs most from the same time of the weeks before."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from statistics import median
from typing import Any

from backend.services.bi import spans
from backend.storage.pool import Connection
from backend.storage.warehouse import bots, series
from backend.storage.warehouse.offices import Office

WEEKS = 8
MOST_PARTS = 3
_WEEK = timedelta(days=7)

Part = tuple[str, int]


async def of_episode(
    connection: Connection, offices: Sequence[Office], metric: str, slots: Sequence[datetime | int]
) -> list[dict[str, Any]]:
    """`slots`: hours, or date keys. The parts with the largest differences first; offices only where there are several."""
    observed, usual = await _by_part(connection, [office.key for office in offices], metric, slots)
    names = {("bot", bot.bot_key): bot.bot_id for bot in await bots.known(connection)}
    if len(offices) > 1:
        names |= {("location", office.key): office.id for office in offices}
    differs = {part: observed[part] - usual[part] for part in observed if part in names}
    most = sorted(differs, key=lambda part: (-abs(differs[part]), part))[:MOST_PARTS]
    return [
        {
            "dimension": part[0],
            "value": names[part],
            "observed": observed[part],
            "usual": usual[part],
            "difference": differs[part],
        }
        for part in most
    ]


async def _by_part(
    connection: Connection, keys: Sequence[int], metric: str, slots: Sequence[datetime | int]
) -> tuple[dict[Part, int], dict[Part, float]]:
    """What each part counted in these slots, and its median over the same slots of the weeks before."""
    week_of = {_back(slot, weeks): weeks for weeks in range(WEEKS, -1, -1) for slot in slots}
    counted: dict[Part, list[int]] = {}
    for slot, location_key, bot_key, value in await series.by_part(connection, keys, metric, list(week_of)):
        for part in (("location", location_key), ("bot", bot_key)):
            counted.setdefault(part, [0] * (WEEKS + 1))[week_of[slot]] += value
    observed = {part: weeks[0] for part, weeks in counted.items()}
    return observed, {part: float(median(weeks[1:])) for part, weeks in counted.items()}


def _back(slot: datetime | int, weeks: int) -> datetime | int:
    if isinstance(slot, int):
        return spans.date_key(spans.day_of(slot) - weeks * _WEEK)
    return slot - weeks * _WEEK
