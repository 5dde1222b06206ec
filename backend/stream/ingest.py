"""The way in: events are packed into the streams, and the sender hears when they are stored.

Without Valkey they go straight into the facts, so that nothing is refused while PostgreSQL lives. A sender that waits while
Valkey dies is not left with a promise either: its events are stored the same way (twice is once, by their ids).
"""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

import msgspec
import orjson
from redis import asyncio as redis
from redis import exceptions as redis_errors
from redis.asyncio import retry
from redis.backoff import NoBackoff

from backend import faults
from backend.events import STREAMS, Event
from backend.stream import entries, straight
from backend.valkey_client import open_client
from domain import errors

if TYPE_CHECKING:
    from backend.deps import Deps
    from backend.stream.straight import Refusal

logger = logging.getLogger(__name__)

MOST_AN_ENTRY = 500
LONGEST_ADD = 3.0
"""Seconds. Valkey that takes longer counts as away."""
AWAY_SECONDS = 2.0
"""So long after it failed nobody waits for Valkey again."""
RETRY_AFTER = 5.0
_LISTEN_SECONDS = 1.0
_FIRST_PAUSE = 0.1
_LONGEST_PAUSE = 2.0

Place: TypeAlias = tuple[int, int]
"""A stream's entry id as numbers."""

_ENCODER = msgspec.json.Encoder()
_NAMES = {kind: entries.PREFIX + name for name, kind in STREAMS.items()}


class BacklogError(errors.NetworkError):
    """More waits to be stored than there is room for: come again, nothing was taken."""

    code = "backlog"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """`stored`: in the database for good, but for `refused`; else they wait in the stream."""

    stored: bool
    refused: Sequence[Refusal] = ()


@dataclass(slots=True, kw_only=True, eq=False)
class _Waiter:
    """Somebody who wants to know when the entries up to `last` of each stream are stored; the future says whether."""

    last: dict[str, Place]
    since: float
    done: asyncio.Future[bool]


@dataclass(slots=True)
class Line:
    """What this process knows of the sink: how far it is, who waits for it, and whether there is room for more."""

    full: bool = False
    waiting_bytes: int = 0
    queued: int = 0
    stored_straight: int = 0
    refused_full: int = 0
    away_until: float = 0.0
    straight: straight.Road = field(default_factory=straight.Road)
    _cut_at: float = -1.0
    """By the loop's time. What was added before may be lost though its waiter comes only now."""
    _passed: dict[str, tuple[Place, float]] = field(default_factory=dict)
    _waiters: set[_Waiter] = field(default_factory=set)

    def check_room(self) -> None:
        """Raises: BacklogError."""
        if self.full:
            self.refused_full += 1
            raise _too_much()

    async def stored(self, last: Mapping[str, Place], *, since: float, wait: float) -> bool | None:
        """Wait until the sink passed `last` of each stream: True; None when that took too long; False when the line was cut.

        `since`: the loop's time before the entries were added. What was heard before it says nothing about them: after
        a restart of Valkey ids may begin lower.
        """
        if self._cut_at >= since:
            return False
        waiter = _Waiter(last=dict(last), since=since, done=asyncio.get_running_loop().create_future())
        for stream, (place, heard_at) in self._passed.items():
            self._tick_off(waiter, stream, place, heard_at)
        self._waiters.add(waiter)
        try:
            async with asyncio.timeout(wait):
                return await waiter.done
        except TimeoutError:
            return None
        finally:
            self._waiters.discard(waiter)

    def numbers(self) -> dict[str, float]:
        """For GET /metrics."""
        return {
            "ingest_queued_total": self.queued,
            "ingest_straight_total": self.stored_straight,
            "ingest_refused_full_total": self.refused_full,
            "ingest_waiting_bytes": self.waiting_bytes,
        }

    def heard(self, stream: str, place: Place, now: float) -> None:
        self._passed[stream] = (place, now)
        for waiter in self._waiters:
            self._tick_off(waiter, stream, place, now)

    def cut(self) -> None:
        """Nobody tells any more what is stored, or a stream began anew: what waited may be lost."""
        self._cut_at = asyncio.get_running_loop().time()
        self._passed.clear()
        self.full = False
        for waiter in self._waiters:
            if not waiter.done.done():
                waiter.done.set_result(False)

    def _tick_off(self, waiter: _Waiter, stream: str, place: Place, heard_at: float) -> None:
        wanted = waiter.last.get(stream)
        if wanted is not None and wanted <= place and heard_at >= waiter.since:
            del waiter.last[stream]
            if not waiter.last and not waiter.done.done():
                waiter.done.set_result(True)


async def send(deps: Deps, events: Sequence[Event], *, source_key: int | None, wait: float) -> Sent:
    """Into the streams; with `wait` > 0, until they are stored or so many seconds are over.

    Raises: BacklogError. Where neither Valkey nor PostgreSQL answers, the fault of PostgreSQL.
    """
    if not events:
        return Sent(stored=True)
    deps.line.check_room()
    since = asyncio.get_running_loop().time()
    if since < deps.line.away_until:
        return await _straight(deps, events, source_key)
    try:
        async with asyncio.timeout(LONGEST_ADD):
            last = await _added(deps.valkey, events, source_key)
    except redis_errors.OutOfMemoryError as fault:
        deps.line.full = True
        raise _too_much() from fault
    except faults.FROM_VALKEY as fault:
        logger.warning("ingest.straight", extra={**faults.named(fault), "events": len(events)})
        deps.line.away_until = asyncio.get_running_loop().time() + AWAY_SECONDS
        return await _straight(deps, events, source_key)
    deps.line.queued += len(events)
    if wait <= 0:
        return Sent(stored=False)
    told = await deps.line.stored(last, since=since, wait=wait)
    if told is False:
        logger.warning("ingest.cut", extra={"events": len(events)})
        return await _straight(deps, events, source_key)
    return Sent(stored=bool(told))


async def run(deps: Deps) -> None:
    """The job: hear what the sink stored, and see how much waits. Reconnects by itself."""
    # A client that reconnects silently would hide that Valkey was gone, and with it what waited there.
    own = open_client(deps.redis_url, retry=retry.Retry(NoBackoff(), 0))
    deps.gauges["ingest"] = deps.line.numbers
    try:
        await _keep_hearing(deps, own)
    finally:
        await own.aclose()
        deps.line.straight.close()


async def _keep_hearing(deps: Deps, own: redis.Redis) -> None:
    pause = _FIRST_PAUSE
    while True:
        try:
            async with own.pubsub(ignore_subscribe_messages=True) as heard:
                await heard.subscribe(deps.channel(entries.STORED))
                pause = _FIRST_PAUSE
                await _listen(deps, own, heard)
        except faults.FROM_VALKEY as fault:
            logger.warning("ingest.reconnect", extra={"fault": type(fault).__name__})
        finally:
            deps.line.cut()
        await asyncio.sleep(pause)
        pause = min(pause * 2, _LONGEST_PAUSE)


async def _listen(deps: Deps, own: redis.Redis, heard: redis.client.PubSub) -> None:
    loop = asyncio.get_running_loop()
    looked = 0.0
    while True:
        if loop.time() - looked >= _LISTEN_SECONDS:
            looked = loop.time()
            async with asyncio.timeout(LONGEST_ADD):
                await deps.line.straight.tell(
                    deps
                )  # of what was stored while Valkey took too long, and was never gone
                deps.line.waiting_bytes = await waiting_bytes(own)
            deps.line.full = deps.line.waiting_bytes > deps.settings.bi_backlog_mb * 1024 * 1024
        message = await heard.get_message(timeout=_LISTEN_SECONDS)
        if message is not None:
            _hear(deps.line, orjson.loads(message["data"]), loop.time())


def _hear(line: Line, news: Mapping[str, str], now: float) -> None:
    """`entries.STORED`."""
    if "last" not in news:
        logger.info("ingest.stream_began_anew", extra={"stream": news["stream"]})
        line.cut()
        return
    name = entries.PREFIX + news["stream"].removeprefix(entries.PREFIX)
    line.heard(name, _place(news["last"]), now)


async def waiting_bytes(valkey: redis.Redis) -> int:
    """Memory of the four streams. They are trimmed once every reader has passed, so this is what waits."""
    pipe = valkey.pipeline(transaction=False)
    for name in entries.NAMES:
        pipe.memory_usage(name, samples=5)
    return sum(size or 0 for size in await pipe.execute())


async def _added(valkey: redis.Redis, events: Sequence[Event], source_key: int | None) -> Mapping[str, Place]:
    """The last entry's id by stream."""
    pipe = valkey.pipeline(transaction=False)
    names = []
    for name, chunk in _chunks(events):
        pipe.xadd(name, entries.packed(_ENCODER.encode(chunk), source_key))  # type: ignore[arg-type]
        names.append(name)
    ids = await pipe.execute()
    return {name: _place(id) for name, id in zip(names, ids, strict=True)}


def _chunks(events: Sequence[Event]) -> Iterable[tuple[str, Sequence[Event]]]:
    by_stream: defaultdict[str, list[Event]] = defaultdict(list)
    for event in events:
        by_stream[_NAMES[type(event)]].append(event)
    for name, some in by_stream.items():
        for begin in range(0, len(some), MOST_AN_ENTRY):
            yield name, some[begin : begin + MOST_AN_ENTRY]


def _place(id: bytes | str) -> Place:
    first, _, second = (id.decode() if isinstance(id, bytes) else id).partition("-")
    return int(first), int(second or 0)


async def _straight(deps: Deps, events: Sequence[Event], source_key: int | None) -> Sent:
    refused = await deps.line.straight.store(deps, events, source_key)
    deps.line.stored_straight += len(events) - len(refused)
    return Sent(stored=True, refused=refused)


def _too_much() -> BacklogError:
    return BacklogError(
        "Too much waits to be stored already.",
        where="events",
        hint="Nothing of this was taken: send the same again after the pause.",
        retry_after=RETRY_AFTER,
    )
