"""The sink: reads the four streams as a group, stores what it reads in one transaction a batch, acknowledges after the commit.

A batch that was stored and not acknowledged is read again and changes nothing. What can't be read or stored goes to the dead
letters with its reason; everything else goes through. Without PostgreSQL it waits and nothing is acknowledged; a Valkey that
begins empty gets its groups anew. Several sinks work side by side: each is a consumer `sink-N`, where N is a place that an
advisory lock holds, so that one whose lock is free is dead, and what it had read is taken over.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

import asyncpg
import orjson
from redis import asyncio as redis
from redis import exceptions as redis_errors
from redis.asyncio import retry
from redis.backoff import NoBackoff

from backend.cache import versions
from backend.storage.warehouse import facts, touched
from backend.stream import batches, consumer, dead, entries, trim
from backend.stream.batches import Batch, Read
from backend.stream.consumer import Consumer
from backend.valkey_client import open_client

if TYPE_CHECKING:
    from collections.abc import Sequence

    from backend.deps import Deps
    from backend.storage.pool import Connection

logger = logging.getLogger(__name__)

LANES = 1
"""Batches under way in a process. Two were no faster on two threads of one core (`benchmarks.ingest`); several processes may run."""
PACE = 0.05
"""Seconds from one read to the next while little comes, so that a trickle is not a transaction an event."""
LOOK_SECONDS = 5.0
TRIM_SECONDS = 5.0
SHORTEST_PAUSE, LONGEST_PAUSE = 0.1, 5.0

AWAY = (
    OSError,
    TimeoutError,
    redis_errors.RedisError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # what asyncpg says when a connection ends in the middle of something
)


@dataclass(slots=True)
class Counters:
    """Since this process began. Events, but for `batches`, `faults` (rounds that ended without PostgreSQL or Valkey) and `lag_ms`."""

    new: int = 0
    repeated: int = 0
    dead: int = 0
    lost: int = 0
    taken_over: int = 0
    trimmed: int = 0
    batches: int = 0
    faults: int = 0
    seconds: float = 0.0
    lag_ms: float = 0.0
    """From Valkey's clock at the newest entry of the last batch to its commit."""

    def named(self) -> dict[str, float]:
        return {name: float(getattr(self, name)) for name in self.__dataclass_fields__}


async def run(deps: Deps) -> None:
    """The job: until it is cancelled."""
    counters = Counters()
    deps.gauges["sink"] = counters.named
    valkey = open_valkey(deps.redis_url)
    try:
        async with asyncio.TaskGroup() as tasks:
            for _ in range(LANES):
                tasks.create_task(Sink(deps, valkey, counters).keep_on())
            tasks.create_task(_keep_trimming(deps, valkey, counters))
    finally:
        deps.gauges.pop("sink", None)
        await valkey.aclose()


def open_valkey(url: str) -> redis.Redis:
    """One that does not repeat a command by itself: a read that is repeated silently leaves what was read first with nobody."""
    return open_client(url, retry=retry.Retry(NoBackoff(), 0), socket_timeout=10.0)


class Sink:
    """One lane: a connection, a consumer, and what it does with what it reads."""

    def __init__(self, deps: Deps, valkey: redis.Redis, counters: Counters) -> None:
        self._deps = deps
        self._valkey = valkey
        self._counters = counters

    async def keep_on(self) -> None:
        pause = SHORTEST_PAUSE
        while True:
            try:
                async with consumer.opened(self._deps.database_url, self._valkey) as found:
                    pause = SHORTEST_PAUSE
                    await self.work(found)
            except AWAY as fault:
                self._counters.faults += 1
                logger.warning("sink.waits", extra={"fault": type(fault).__name__})
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE)

    async def work(self, found: Consumer) -> None:
        """What was read before first, then what is new, until something breaks. Raises: one of `AWAY`."""
        loop = asyncio.get_running_loop()
        looked = -LOOK_SECONDS
        while True:
            if loop.time() - looked >= LOOK_SECONDS:
                looked = loop.time()
                await self.recover(found)
            begun = loop.time()
            count = await self.take(found, await found.new())
            if count < batches.MOST // 2:
                await asyncio.sleep(max(0.0, begun + PACE - loop.time()))

    async def recover(self, found: Consumer) -> None:
        """Whatever this place, or one that died, had read and not acknowledged."""
        self._counters.taken_over += await found.take_over()
        while read := await found.own():
            await self.take(found, read, again=True)

    async def take(self, found: Consumer, read: Read, *, again: bool = False) -> int:
        """Store and acknowledge; how many events that were. `again`: it may have been stored before, and nobody told."""
        count = 0
        for batch in batches.batches(read):
            count += len(batch.arrived)
            await self._settle(found, batch, again=again)
        return count

    async def _store(self, found: Consumer, batch: Batch) -> list[facts.Stored]:
        months = self._deps.settings.bi_retention_months
        return await stored(found.connection, batch.arrived, months_kept=months)

    async def _settle(self, found: Consumer, batch: Batch, *, again: bool) -> None:
        loop = asyncio.get_running_loop()
        begun = loop.time()
        parts = await self._store(found, batch)
        tags = set[str]().union(*(one.tags for one in parts))
        if again and batch.arrived:
            tags |= await touched.by(found.connection, [one.event for one in batch.arrived])
        rejected = [one for part in parts for one in part.rejected]
        now = self._deps.clock.now()
        letters = [*batch.letters, *batches.letters_of(rejected, now)]
        await dead.put(self._valkey, letters)
        await self._acknowledge(batch, tags)
        counters = self._counters
        counters.new += sum(one.new for one in parts)
        counters.repeated += sum(one.repeated for one in parts)
        counters.dead += len(letters)
        counters.lost += batch.lost
        counters.batches += 1
        counters.seconds += loop.time() - begun
        newest = max(batches.moment(ids[-1]) for ids in batch.ids.values())
        counters.lag_ms = (now - newest).total_seconds() * 1000
        if letters or batch.lost:
            logger.warning("sink.not_stored", extra={"dead": len(letters), "lost": batch.lost})

    async def _acknowledge(self, batch: Batch, tags: set[str]) -> None:
        """And tell who waits how far everything is stored, and the caches what changed."""
        pipe = self._valkey.pipeline(transaction=True)
        for stream, ids in batch.ids.items():
            pipe.xack(stream, entries.SINK_GROUP, *ids)
            trim.ask(pipe, stream)
        answers = await pipe.execute()
        channel = self._deps.channel
        pipe = self._valkey.pipeline(transaction=False)
        versions.ask(
            pipe, channel(entries.TOUCHED), sorted(tags)
        )  # before STORED: who waited for it reads it
        for number, stream in enumerate(batch.ids):
            stand = trim.stand(*answers[3 * number + 1 : 3 * number + 3])
            if stand is not None:
                last = trim.text(trim.before(stand.floor))
                pipe.publish(channel(entries.STORED), orjson.dumps({"stream": stream, "last": last}))
        await pipe.execute()


async def stored(
    connection: Connection, arrived: Sequence[facts.Arrived], *, months_kept: int
) -> list[facts.Stored]:
    """In one transaction; where PostgreSQL does not take some event, in halves, until that one is alone."""
    if not arrived:
        return []
    try:
        return [await facts.store(connection, arrived, months_kept=months_kept)]
    except facts.NOT_TAKEN as fault:
        if connection.is_closed():
            raise ConnectionError("the connection ended in the middle of a batch") from fault
        if len(arrived) == 1:
            message = f"PostgreSQL does not take this: {type(fault).__name__}."
            refused = facts.Rejected(arrived=arrived[0], reason="not_taken", message=message)
            return [facts.Stored(rejected=[refused])]
    half = len(arrived) // 2
    first = await stored(connection, arrived[:half], months_kept=months_kept)
    return first + await stored(connection, arrived[half:], months_kept=months_kept)


async def _keep_trimming(deps: Deps, valkey: redis.Redis, counters: Counters) -> None:
    while True:
        await asyncio.sleep(TRIM_SECONDS)
        try:
            most = deps.settings.bi_backlog_mb * 1024 * 1024 // 2
            counters.trimmed += await trim.once(valkey, deps.clock.now(), most_bytes=most)
        except AWAY as fault:
            logger.info("sink.not_trimmed", extra={"fault": type(fault).__name__})
