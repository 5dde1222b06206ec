"""The sink: reads the four streams as a group, stores what it reads in one transaction a batch, acknowledges after the commit.

A batch that was stored and not acknowledged is read again and changes nothing. What can't be read or stored goes to the dead
letters with its reason; everything else goes through, also past what ends the sink itself (`suspects`). Without PostgreSQL it waits
and nothing is acknowledged; a Valkey that begins empty gets its groups anew. Several sinks work side by side: each is a
consumer `sink-N`, where N is a place that an advisory lock holds, so that one whose lock is free is dead, and what it had
read is taken over.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

import orjson
from redis import asyncio as redis
from redis.asyncio import retry
from redis.backoff import NoBackoff

from backend import faults
from backend.cache import versions
from backend.storage.warehouse import facts, touched
from backend.stream import batches, consumer, dead, entries, suspects, trim
from backend.stream.batches import Batch
from backend.stream.consumer import Consumer
from backend.stream.groups import Part, Read
from backend.valkey_client import open_client

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from contextlib import AbstractAsyncContextManager

    from backend.deps import Deps
    from backend.storage.pool import Connection

logger = logging.getLogger(__name__)

LANES = 1
"""Batches under way in a process. Two were no faster on two threads of one core (`benchmarks.ingest`); several processes may run."""
PACE, LONGEST_PACE = 0.05, 0.4
"""Seconds from one read to the next, so that a trickle is not a transaction an event."""
GATHER = 0.0001
"""So many seconds longer for each event of the last round: in a transaction of 750 one costs PostgreSQL 25 µs, in one of 6,000 12."""
LOOK_SECONDS = 5.0
TRIM_SECONDS = 5.0
SHORTEST_PAUSE, LONGEST_PAUSE = 0.1, 5.0


_NOW = frozenset(("held", "lag_ms"))


@dataclass(slots=True)
class Counters:
    """Since this process began. Events, but for `batches`, `faults` (rounds that a fault ended), `held` (entries) and `lag_ms`."""

    new: int = 0
    repeated: int = 0
    dead: int = 0
    lost: int = 0
    taken_over: int = 0
    trimmed: int = 0
    batches: int = 0
    faults: int = 0
    held: int = 0
    """That nobody could store and nobody can blame, as of the last look: they wait, and what comes after them does not."""
    seconds: float = 0.0
    lag_ms: float = 0.0
    """From Valkey's clock at the newest entry of the last batch to its commit."""

    def named(self) -> dict[str, float]:
        """For GET /metrics, where only what never falls is a `_total`."""
        return {
            name if name in _NOW else f"{name}_total": float(getattr(self, name))
            for name in self.__dataclass_fields__
        }


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
        self._pause = SHORTEST_PAUSE
        self._trouble: Mapping[str, str] = {}

    async def keep_on(self) -> None:
        """A connection that can be made proves nothing: only what is stored ends the growing pauses, and the trouble."""
        while True:
            try:
                async with self._opened() as found:
                    await self.work(found)
            except Exception as fault:  # noqa: BLE001 - whatever an event may cause, the others are to be stored
                self._counters.faults += 1
                self._say(fault)
            await asyncio.sleep(self._pause)
            self._pause = min(self._pause * 2, LONGEST_PAUSE)

    def _opened(self) -> AbstractAsyncContextManager[Consumer]:
        channel = self._deps.channel(entries.STORED)
        return consumer.opened(self._deps.database_url, self._valkey, channel)

    def _say(self, fault: Exception) -> None:
        """Once, and not with each try."""
        trouble = faults.named(fault)
        if trouble == self._trouble:
            return
        self._trouble = trouble
        ours = faults.blame(fault) is faults.Blame.UNKNOWN and not faults.sqlstate(fault)
        logger.warning("sink.waits", extra=trouble, exc_info=fault if ours else None)

    def _goes_on(self) -> None:
        self._pause = SHORTEST_PAUSE
        if self._trouble:
            logger.info("sink.goes_on", extra={"after": self._trouble["fault"]})
            self._trouble = {}

    async def work(self, found: Consumer) -> None:
        """What was read before first, then what is new, until something breaks."""
        loop = asyncio.get_running_loop()
        bench = suspects.Bench(valkey=self._valkey, store=lambda some: self._store(found, some))
        looked = -LOOK_SECONDS
        while True:
            if loop.time() - looked >= LOOK_SECONDS:
                looked = loop.time()
                await self.recover(found, bench)
            begun = loop.time()
            count = await self.take(found, await found.new(), bench)
            if count < batches.MOST // 2:
                await asyncio.sleep(max(0.0, begun + pace(count) - loop.time()))

    async def recover(self, found: Consumer, bench: suspects.Bench) -> None:
        """Whatever this place, or one that died, had read and not acknowledged."""
        self._counters.taken_over += await found.take_over()
        held, after = 0, dict[str, bytes]()
        while read := await found.own(after):
            together, alone = suspects.apart(read, await found.deliveries(read))
            await self.take(found, together, bench, again=True)
            for one in alone:
                held += not await self._take_apart(found, one, bench)
            after |= {stream: some[-1][0] for stream, some in read}
        if held != self._counters.held:
            logger.warning("sink.held_back", extra={"entries": held})
            self._counters.held = held

    async def _take_apart(self, found: Consumer, one: Part, bench: suspects.Bench) -> bool:
        """One entry that was read often enough; False: it waits on."""
        begun = asyncio.get_running_loop().time()
        batch = await bench.read(one, self._deps.clock.now())
        parts = await bench.take_apart(batch)
        if parts is None:
            return False
        await self._settle(found, batch, parts, begun=begun, again=True)
        return True

    async def take(self, found: Consumer, read: Read, bench: suspects.Bench, *, again: bool = False) -> int:
        """Store and acknowledge; how many events that were. `again`: it may have been stored before, and nobody told."""
        count = 0
        for batch in batches.batches(read):
            count += len(batch.arrived)
            begun = asyncio.get_running_loop().time()
            parts = await self._store(found, batch.arrived)
            bench.prove(batch.arrived, parts)
            await self._settle(found, batch, parts, begun=begun, again=again)
        return count

    async def _store(self, found: Consumer, arrived: Sequence[facts.Arrived]) -> list[facts.Stored]:
        months = self._deps.settings.bi_retention_months
        return await stored(found.connection, arrived, months_kept=months)

    async def _settle(
        self, found: Consumer, batch: Batch, parts: Sequence[facts.Stored], *, begun: float, again: bool
    ) -> None:
        """It is stored: bury what is not, tell, acknowledge, count."""
        tags = set[str]().union(*(one.tags for one in parts))
        if again and batch.arrived:
            tags |= await touched.by(found.connection, [one.event for one in batch.arrived])
        rejected = [one for part in parts for one in part.rejected]
        now = self._deps.clock.now()
        letters = [*batch.letters, *batches.letters_of(rejected, now)]
        await dead.put(self._valkey, letters)
        await self._acknowledge(batch, tags)
        self._goes_on()
        counters = self._counters
        counters.new += sum(one.new for one in parts)
        counters.repeated += sum(one.repeated for one in parts)
        counters.dead += len(letters)
        counters.lost += batch.lost
        counters.batches += 1
        counters.seconds += asyncio.get_running_loop().time() - begun
        newest = max(batches.moment(ids[-1]) for ids in batch.ids.values())
        counters.lag_ms = (now - newest).total_seconds() * 1000
        if letters or batch.lost:
            logger.warning("sink.not_stored", extra={"dead": len(letters), "lost": batch.lost})

    async def _acknowledge(self, batch: Batch, tags: set[str]) -> None:
        """At once or not at all: the caches' versions, and that these entries are done; then how far everything is stored.

        Acknowledged first, an entry whose sink died then would never have told what it changed.
        """
        channel = self._deps.channel
        pipe = self._valkey.pipeline(transaction=True)
        versions.ask(pipe, channel(entries.TOUCHED), sorted(tags))
        told = len(pipe)
        for stream, ids in batch.ids.items():
            pipe.xack(stream, entries.SINK_GROUP, *ids)
            trim.ask(pipe, stream)
        answers = (await pipe.execute())[told:]
        pipe = self._valkey.pipeline(transaction=False)
        for number, stream in enumerate(batch.ids):
            stand = trim.stand(*answers[3 * number + 1 : 3 * number + 3])
            if stand is not None:
                last = trim.text(trim.before(stand.floor))
                pipe.publish(channel(entries.STORED), orjson.dumps({"stream": stream, "last": last}))
        await pipe.execute()


def pace(count: int) -> float:
    """Seconds from a read of so many events to the next one: what comes at once is stored at once, what comes as a flood in large
    transactions."""
    return min(PACE + count * GATHER, LONGEST_PACE)


async def stored(
    connection: Connection, arrived: Sequence[facts.Arrived], *, months_kept: int
) -> list[facts.Stored]:
    """In one transaction; where PostgreSQL does not take some event, in halves, until that one is alone.

    Raises: `suspects.EndedError` where that ended the connection; whatever is not the events' fault for sure.
    """
    if not arrived:
        return []
    if connection.is_closed():
        raise ConnectionError("the connection ended before")
    try:
        return [await facts.store(connection, arrived, months_kept=months_kept)]
    except Exception as fault:
        if connection.is_closed():
            raise suspects.the_end(fault) from fault
        if faults.blame(fault) is not faults.Blame.DATA:
            raise
        if len(arrived) == 1:
            message = f"PostgreSQL does not take this: {' '.join(faults.named(fault).values())}."
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
        except faults.AWAY as fault:
            logger.info("sink.not_trimmed", extra=faults.named(fault))
