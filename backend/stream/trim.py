"""Takes away from the streams what every reader has passed. What is not stored is never touched, however much it is.

Windows that do not say how far they are (or are far behind) hold back a day at most, and no more than there is room for: they
can begin anew from the warehouse, and a full Valkey would stop everything.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from redis import asyncio as redis
from redis import exceptions as redis_errors

from backend.stream import entries
from backend.stream.keeping import OFFSET

logger = logging.getLogger(__name__)

LONGEST = timedelta(hours=24)
_NUMBER = 2**64 - 1
Place = tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stand:
    """How far the sink is in a stream: everything before `floor` is stored. `waiting`: delivered, not acknowledged."""

    floor: Place
    waiting: int


def place(id: bytes | str) -> Place:
    """An entry's id as numbers."""
    first, _, second = (id.decode() if isinstance(id, bytes) else id).partition("-")
    return int(first), int(second or 0)


def text(where: Place) -> str:
    return f"{where[0]}-{where[1]}"


def before(where: Place) -> Place:
    """The largest id below it."""
    first, second = where
    return (first, second - 1) if second else (max(first - 1, 0), _NUMBER if first else 0)


def after(where: Place) -> Place:
    first, second = where
    return (first, second + 1) if second < _NUMBER else (first + 1, 0)


def ask(pipe: redis.client.Pipeline, stream: str) -> None:
    """Two commands whose answers `stand` reads; in one transaction, or they may contradict each other."""
    pipe.xpending(stream, entries.SINK_GROUP)
    pipe.xinfo_groups(stream)


def stand(pending: Any, groups: Any) -> Stand | None:
    """None: the group is not there."""
    for group in groups:
        if group["name"] == entries.SINK_GROUP.encode():
            if pending["pending"]:
                return Stand(floor=place(pending["min"]), waiting=pending["pending"])
            return Stand(floor=after(place(group["last-delivered-id"])), waiting=0)
    return None


async def once(valkey: redis.Redis, now: datetime, *, most_bytes: int) -> int:
    """How many entries were taken away from the four streams."""
    return sum(
        [await _trim(valkey, stream, now, most_bytes // len(entries.NAMES)) for stream in entries.NAMES]
    )


async def _trim(valkey: redis.Redis, stream: str, now: datetime, most_bytes: int) -> int:
    pipe = valkey.pipeline(transaction=True)
    ask(pipe, stream)
    pipe.get(OFFSET + stream.removeprefix(entries.PREFIX))
    pipe.memory_usage(stream, samples=5)
    try:
        pending, groups, offset, size = await pipe.execute()
    except redis_errors.ResponseError:
        return 0  # no stream or no group: there is nothing that was read
    sink = stand(pending, groups)
    if sink is None:
        return 0
    floor = min(sink.floor, _windows(offset, now))
    if (size or 0) > most_bytes and floor < sink.floor:
        logger.warning("stream.windows_behind", extra={"stream": stream, "bytes": size})
        floor = sink.floor
    return int(await valkey.xtrim(stream, minid=text(floor), approximate=True))


def _windows(offset: bytes | None, now: datetime) -> Place:
    """The first entry that the windows may still read."""
    oldest = (int((now - LONGEST).timestamp() * 1000), 0)
    return oldest if offset is None else max(oldest, after(place(offset)))
