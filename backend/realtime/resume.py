"""The last alerts of each location in Valkey, so that a client whose line was cut misses none, whichever process it finds.

A stream `bi:ws:alerts:{location}` of RING entries. An entry's id is its offset (time, then a count), so offsets of several
locations compare. Every gateway hears each alert and adds it; the first to do so counts.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from backend.deps import Deps

RING = 256
SECONDS = 86_400
_PREFIX = "bi:ws:alerts:"
_SEEN = "bi:ws:seen:"
_EPOCH = "bi:ws:epoch"
_COUNT = 1_000
_LONGEST = 2.0

_ADD = """
local known = redis.call('GET', KEYS[2])
if known then return known end
local id = redis.call('XADD', KEYS[1], 'MAXLEN', ARGV[2], '*', 'id', ARGV[4], 'item', ARGV[1])
redis.call('EXPIRE', KEYS[1], ARGV[3])
redis.call('SET', KEYS[2], id, 'EX', ARGV[3])
return id
"""


@dataclass(frozen=True, slots=True, order=True)
class Entry:
    """One event of an alert, as JSON."""

    offset: int
    event_id: str
    item: bytes


async def epoch(deps: Deps) -> str:
    """Names what Valkey holds; another one after it lost it. Raises: redis.RedisError, TimeoutError."""
    async with asyncio.timeout(_LONGEST):
        await deps.valkey.set(_EPOCH, secrets.token_hex(8), nx=True)
        found = await deps.valkey.get(_EPOCH)
    return _text(found or b"")


async def add(deps: Deps, location: str, event_id: str, item: bytes) -> int:
    """Its offset; the same for who adds it again. Raises: redis.RedisError, TimeoutError."""
    async with asyncio.timeout(_LONGEST):
        found = await deps.valkey.eval(
            _ADD, 2, _PREFIX + location, _SEEN + event_id, item, str(RING), str(SECONDS), event_id
        )
    return _offset(_text(found))


async def recent(deps: Deps, locations: Iterable[str]) -> Sequence[Entry]:
    """What the rings hold, oldest first. Raises: redis.RedisError, TimeoutError."""
    found: dict[str, Entry] = {}
    async with asyncio.timeout(_LONGEST):
        for location in locations:
            held: Any = await deps.valkey.xrange(_PREFIX + location)
            for name, fields in held:
                entry = Entry(_offset(_text(name)), _text(fields[b"id"]), fields[b"item"])
                found[entry.event_id] = entry
    return sorted(found.values())[-RING:]


def _offset(name: str) -> int:
    at, _, count = name.partition("-")
    return int(at) * _COUNT + min(int(count), _COUNT - 1)


def _text(value: bytes | str) -> str:
    return value.decode() if isinstance(value, bytes) else value
