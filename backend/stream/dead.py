"""Events that could not be stored, kept with the reason until somebody mends and replays them: `bi:stream:dead`.

They are kept for `LONGEST` and `MOST` at most; what is dropped then is counted and logged, never silent. A payload may hold
what should not have been sent (that may be why it is here): only administrators read them.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from redis import asyncio as redis

from backend.stream import entries

logger = logging.getLogger(__name__)

LONGEST = timedelta(days=30)
MOST = 100_000
LONGEST_PAYLOAD = 16_384
"""Bytes. What is longer is cut, and can't be replayed."""
DROPPED = "bi:dead:dropped"
"""How many were dropped unread since Valkey began to count."""
_LONGEST_MESSAGE = 500
_PAGE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """`stream`: a name of `backend.events.STREAMS`, or `gohighlevel` for a webhook that could not be mapped."""

    stream: str
    reason: str
    message: str
    payload: bytes
    source: int | None = None
    at: datetime
    id: str = ""
    cut: bool = False


async def put(valkey: redis.Redis, letters: Sequence[Letter]) -> None:
    """Keep them. Raises: RedisError, OSError without Valkey; nothing may be acknowledged then."""
    if not letters:
        return
    oldest = min(letter.at for letter in letters) - LONGEST
    pipe = valkey.pipeline(transaction=False)
    for letter in letters:
        pipe.xadd(entries.DEAD, _fields(letter))  # type: ignore[arg-type]  # str and bytes mix
    pipe.xtrim(entries.DEAD, minid=int(oldest.timestamp() * 1000), approximate=True)
    pipe.xtrim(entries.DEAD, maxlen=MOST, approximate=True)
    done = await pipe.execute()
    dropped = int(done[-1]) + int(done[-2])
    if dropped:
        await valkey.incrby(DROPPED, dropped)
        logger.warning("dead.dropped", extra={"count": dropped})


async def get(valkey: redis.Redis, ids: Sequence[str]) -> Sequence[Letter]:
    """Those that are still there, in the order asked for."""
    pipe = valkey.pipeline(transaction=False)
    for one in ids:
        pipe.xrange(entries.DEAD, min=one, max=one)
    return [_letter(*row) for rows in await pipe.execute() for row in rows]


async def newest_first(valkey: redis.Redis, *, before: str = "") -> AsyncIterator[Letter]:
    """All of them, or those older than the letter `before`."""
    last = f"({before}" if before else "+"
    while rows := await valkey.xrevrange(entries.DEAD, max=last, count=_PAGE):
        letters = [_letter(*row) for row in rows]  # type: ignore[arg-type]  # nothing is decoded by this client
        for letter in letters:
            yield letter
        last = "(" + letters[-1].id


async def remove(valkey: redis.Redis, ids: Sequence[str]) -> int:
    """How many were there."""
    return int(await valkey.xdel(entries.DEAD, *ids)) if ids else 0


async def replace(valkey: redis.Redis, changed: Sequence[Letter]) -> None:
    """Letters that failed again lie there with their new reason, once."""
    if not changed:
        return
    pipe = valkey.pipeline(transaction=True)
    for letter in changed:
        pipe.xdel(entries.DEAD, letter.id)
        pipe.xadd(entries.DEAD, _fields(letter))  # type: ignore[arg-type]
    await pipe.execute()


async def counts(valkey: redis.Redis) -> Mapping[str, int]:
    """How many wait, and how many were dropped unread."""
    return {"waiting": await valkey.xlen(entries.DEAD), "dropped": int(await valkey.get(DROPPED) or 0)}


def _fields(letter: Letter) -> Mapping[bytes, bytes]:
    fields = {
        b"stream": letter.stream.encode(),
        b"reason": letter.reason.encode(),
        b"message": letter.message[:_LONGEST_MESSAGE].encode(errors="replace"),
        b"payload": letter.payload[:LONGEST_PAYLOAD],
        b"at": letter.at.isoformat().encode(),
    }
    if letter.source is not None:
        fields[b"source"] = b"%d" % letter.source
    if letter.cut or len(letter.payload) > LONGEST_PAYLOAD:
        fields[b"cut"] = b"1"
    return fields


def _letter(id: bytes, fields: Mapping[bytes, bytes]) -> Letter:
    """Whoever put it there: what is no text or number of ours is shown as well as it can be."""
    source = fields.get(b"source", b"")
    stream, reason, message, at = (
        fields.get(name, b"").decode(errors="replace") for name in (b"stream", b"reason", b"message", b"at")
    )
    return Letter(
        id=id.decode(),
        stream=stream,
        reason=reason,
        message=message,
        payload=fields.get(b"payload", b""),
        source=int(source) if source.isdigit() and len(source) < 10 else None,
        at=_moment(at),
        cut=b"cut" in fields,
    )


def _moment(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return datetime.fromtimestamp(0, UTC)
