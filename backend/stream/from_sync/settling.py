"""Waiting until the sink has stored whatever lies in the streams at this moment."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from redis import exceptions as redis_errors

from backend import faults
from backend.stream import entries

if TYPE_CHECKING:
    from redis import asyncio as redis

logger = logging.getLogger(__name__)

NAMES = (entries.PREFIX + "lead_interactions", entries.PREFIX + "commission_events")
_FIRST_PAUSE = 0.02
_LONGEST_PAUSE = 1.0


async def settled(valkey: redis.Redis, upto: dict[str, bytes]) -> bool:
    """True when it has; False when Valkey does not answer, and nobody knows. Waits for a sink that is away.

    `upto`: empty; whoever gives up and comes again gives the same, so that the moment stays the same.
    """
    try:
        for name in NAMES:
            if name not in upto:
                upto[name] = await _last(valkey, name)
            await _passed(valkey, name, upto[name])
    except faults.NO_VALKEY as fault:
        logger.warning("from_sync.unsettled", extra=faults.named(fault))
        return False
    return True


async def _passed(valkey: redis.Redis, name: str, last: bytes) -> None:
    pause = _FIRST_PAUSE
    while not await _is_past(valkey, name, last):
        await asyncio.sleep(pause)
        pause = min(pause * 1.5, _LONGEST_PAUSE)


async def _last(valkey: redis.Redis, name: str) -> bytes:
    """The newest entry's id; that of none where there is none."""
    found = await valkey.xrevrange(name, count=1)
    place: bytes = found[0][0] if found else b"0-0"  # type: ignore[assignment]
    return place


async def _is_past(valkey: redis.Redis, name: str, last: bytes) -> bool:
    """Everything up to `last` was handed out, and acknowledged."""
    if last == b"0-0":
        return True
    try:
        groups = await valkey.xinfo_groups(name)
        waiting = await valkey.xpending(name, entries.SINK_GROUP)
    except redis_errors.ResponseError:
        return not await valkey.exists(name)  # no sink yet, or the stream went with a restart of Valkey
    read = [group["last-delivered-id"] for group in groups if group["name"] == entries.SINK_GROUP.encode()]
    return (
        bool(read)
        and _place(read[0]) >= _place(last)
        and (not waiting["pending"] or _place(waiting["min"]) > _place(last))
    )


def _place(entry_id: bytes) -> tuple[int, int]:
    first, _, second = entry_id.partition(b"-")
    return int(first), int(second)
