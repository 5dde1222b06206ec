"""The reader that keeps the sliding windows: streams in, what changed out, ten times a second. docs/windows.md explains.

It reads for itself, not in the sink's group, so that a slow database never holds the live figures up. One processor works at a time;
the others wait for its lease. What it knows is kept in Valkey with the offsets it belongs to, and made anew from the facts
where that is gone.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import TYPE_CHECKING

from redis import exceptions as redis_errors

from backend import faults
from backend.epoch import micros
from backend.events import Event
from backend.storage.warehouse import windows as warehouse
from backend.stream import entries, groups, keeping, rebuilding, telling
from backend.stream.groups import Entry, Read
from backend.stream.keeping import Keeper, LeaseLostError, Offsets
from backend.stream.telling import Teller
from backend.stream.windows.counters import Counters
from backend.stream.windows.decoding import decoded
from backend.stream.windows.spans import FUTURE, SECOND, SPANS
from backend.stream.windows.state import Windows

if TYPE_CHECKING:
    from backend.deps import Deps

logger = logging.getLogger(__name__)

TICK = 0.1
"""Seconds between two looks at what changed; the first change after a pause is told at once."""
QUIET = 1.0
"""The longest that nothing is done: the lease is renewed, and the clock moves the windows on."""
LONGEST_TICK = 0.25
TELLING_SHARE = 0.03
"""Telling takes so much of the time at most; where it takes long it is done less often, up to so much apart."""
SNAPSHOT_EVERY = 10.0
STANDBY_PAUSE = 1.0
AFTER_AWAY = 5.0
"""So long after Valkey came back, or events went past it, the windows are made anew: till then some went straight into the facts."""
STRANGER_SECONDS = 30.0
GATHER = 0.05
"""From one read to the next, at least: a batch costs about the same for one event as for a hundred."""
MOST_EVENTS = 1_000
"""Counted without a pause: 5 ms."""
_READ_EVENTS = 10_000
_FEWEST_ENTRIES, _MOST_ENTRIES = 20, 2_000
_UNCOUNTED = "system_health"
"""No window counts it; its offset moves on, so that it can be trimmed."""


async def run(deps: Deps) -> None:
    """The job: until it is cancelled; then what it knows is kept, and the next one may go on at once."""
    await Processor(deps).run()


class Processor:
    def __init__(self, deps: Deps) -> None:
        self._deps = deps
        self._keeper = Keeper(deps.valkey)
        self._teller = Teller(deps, self._keeper, "")
        self.counters = Counters()
        self.windows = Windows()
        self.offsets: Offsets = {}
        self._complete, self._sound = False, True
        self._trouble: Mapping[str, str] = {}
        self._behind = True
        self._told = self._kept = self._looked = self._came = 0.0
        self._pause = TICK
        self._rebuild_at: float | None = None
        self._entries, self._seen_at = 100, 0
        self._unknown: dict[int, float] = {}
        deps.gauges["windows"] = self.counters.gauges

    async def run(self) -> None:
        while True:
            try:
                if await self._keeper.acquire():
                    self.counters.takeovers += 1
                    await self._work()
            except Exception as fault:  # noqa: BLE001 - also what an event may cause that nobody thought of
                self._meet_fault(fault)
            finally:
                self.counters.working = 0
            await asyncio.sleep(STANDBY_PAUSE)

    def _meet_fault(self, fault: Exception) -> None:
        """What to do next; said once, and not with each try."""
        known = isinstance(fault, (LeaseLostError, *faults.AWAY))
        self._sound = self._sound and known
        if isinstance(fault, redis_errors.RedisError):
            self._rebuild_at = self._monotonic() + AFTER_AWAY
        if faults.named(fault) != self._trouble:
            self._trouble = faults.named(fault)
            logger.warning("windows.waits", extra=self._trouble, exc_info=None if known else fault)

    async def _work(self) -> None:
        """While the lease is ours."""
        begun = False
        try:
            await self._begin()
            begun = True
            while True:
                await self._turn()
        finally:
            # Also after a fault of PostgreSQL: whoever can reach it goes on.
            with contextlib.suppress(LeaseLostError, *faults.FROM_VALKEY):
                async with asyncio.timeout(2):
                    if begun:
                        await self._save()
                    await self._keeper.release()

    async def _begin(self) -> None:
        """From the snapshot and what came since; from the facts where there is none, where the streams went back behind it, and
        after a fault of ours: what was at fault is behind the place where the sink is by now, or will be."""
        found = await self._keeper.load() if self._sound else None
        whole = found is not None and not keeping.went_back(found[1], await self._keeper.last_ids())
        if found is not None and whole:
            self._use(*found)
        else:
            await self._rebuild()
        self.counters.working, self._sound, self._trouble = 1, True, {}
        logger.info("windows.working", extra={"rebuilt": not whole, "events": self.windows.seen.count})

    def _use(self, windows: Windows, offsets: Offsets) -> None:
        windows.counters = self.counters
        self.windows, self.offsets = windows, offsets
        epoch = f"{self._keeper.token.decode()[:12]}-{self._now():x}"
        self._teller, self._told = Teller(self._deps, self._keeper, epoch), 0.0

    async def _rebuild(self) -> None:
        """Where the sink is comes first: what it stores meanwhile is in the facts and behind the offset both, and counts once."""
        began = self._monotonic()
        offsets = await self._keeper.unstored()
        async with self._renewing():
            windows = await rebuilding.rebuilt(self._deps.bi, self._now())
        self._use(windows, offsets)
        if self._rebuild_at is not None and self._rebuild_at <= began:
            self._rebuild_at = None
        self.counters.rebuilds += 1
        await self._save(whole=True)

    @contextlib.asynccontextmanager
    async def _renewing(self) -> AsyncIterator[None]:
        """The lease stays ours while something takes long."""
        task = asyncio.create_task(self._keep_renewing())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _keep_renewing(self) -> None:
        while True:
            await self._keeper.renew()
            await asyncio.sleep(keeping.LEASE_MS / 3000)

    async def _turn(self) -> None:
        """Read what came until the next tick, count it, tell, keep."""
        await self._gather()
        came = await self._read()
        began = self._monotonic()  # the pause begins here: what counting takes is part of it
        await self._count(came)
        await self._tick(began)
        now = self._monotonic()
        if now - self._looked >= QUIET:
            self._looked = now
            await self._look()
        if now - self._kept >= SNAPSHOT_EVERY:
            await self._save()
        if self._rebuild_at is not None and now >= self._rebuild_at:
            await self._rebuild()

    async def _gather(self) -> None:
        """While news keeps coming it is read once a tick, all of it at once; the first after a pause at once."""
        if not self._behind:
            await asyncio.sleep(max(self._told + self._pause, self._came + GATHER) - self._monotonic())

    async def _read(self) -> Read:
        since = self._monotonic() - self._told
        pause = self._pause - since if since < self._pause else QUIET
        async with asyncio.timeout(pause + keeping.LEASE_MS / 1000):
            found = await self._deps.valkey.xread(
                {name: self.offsets.get(name, keeping.BEGINNING) for name in entries.NAMES},
                count=self._entries,
                block=max(1, int(pause * 1000)),
            )
        return groups.read(found)

    async def _count(self, came: Read) -> None:
        behind = [some[-1][0] for _, some in came if len(some) == self._entries]
        self._behind = bool(behind)
        events = 0
        for name, some in came:
            events += await self._count_stream(name, some)
        self.counters.behind_us = max(0, self._now() - keeping.added_us(min(behind))) if behind else 0
        self._complete = not behind and self._rebuild_at is None
        if read := sum(len(some) for _, some in came):
            self._came = self._monotonic()
            self.counters.entries += read
            wanted = _READ_EVENTS * read // max(events, 1)
            self._entries = min(max(wanted, _FEWEST_ENTRIES), _MOST_ENTRIES)

    async def _count_stream(self, name: str, some: Sequence[Entry]) -> int:
        """State and offset move together, so that they may be kept at any pause. How many events there were."""
        stream, waiting, count = name.removeprefix(entries.PREFIX), list[Event](), 0
        for number, (entry, fields) in enumerate(some, 1):
            if stream != _UNCOUNTED:
                events, bad = decoded(stream, fields or {})
                waiting += events
                self.counters.skipped += bad
            if len(waiting) >= MOST_EVENTS or number == len(some):
                count += len(waiting)
                await self._meet(waiting)
                self.windows.take(stream, waiting, self._now())
                self.offsets[name] = entry.decode()
                waiting = []
                if number < len(some):
                    await asyncio.sleep(0)
                    if self._behind:  # else all that came is told together, in a moment
                        await self._tick(self._monotonic())
        return count

    async def _meet(self, events: Sequence[Event]) -> None:
        """Look up offices that are not known yet; one that nobody knows is asked for again after a while."""
        strangers = self.windows.strangers(events)
        now = self._monotonic()
        if all(now - self._unknown.get(one, -STRANGER_SECONDS) < STRANGER_SECONDS for one in strangers):
            return
        try:
            async with warehouse.snapshot(self._deps.bi) as connection:
                self.windows.locations = await rebuilding.offices(connection)
        except faults.NO_DATABASE as fault:
            logger.warning("windows.offices_unknown", extra={"fault": type(fault).__name__})
            self._rebuild_at = now + AFTER_AWAY
        self._unknown = dict.fromkeys(strangers - self.windows.locations.keys(), now)

    async def _tick(self, now: float) -> None:
        if now - self._told < self._pause:
            return
        began = time.perf_counter()
        self.windows.advance(self._now())
        if rows := await self._teller.tell(self.windows, self._now(), complete=self._complete):
            self._told = now
            self.counters.ticks += 1
            self.counters.published_rows += rows
            took = time.perf_counter() - began
            self.counters.tick_us = round(took * SECOND)
            self._pause = min(max(TICK, took / TELLING_SHARE), LONGEST_TICK)

    async def _look(self) -> None:
        """Once a second: is the lease ours, did the streams go back, does somebody want to hear all again."""
        await self._teller.breathe(self.windows, self._now(), complete=self._complete)
        back = keeping.went_back(self.offsets, await self._keeper.last_ids())
        if back or self._clock_went_back():
            logger.warning("windows.went_back", extra={"what": "streams" if back else "clock"})
            await self._rebuild()
        wanted = await self._keeper.flushes()
        if keeping.ANEW in wanted and self._rebuild_at is None:
            self._rebuild_at = self._monotonic() + AFTER_AWAY
        if wanted:
            telling.again(self.windows, [n for n, span in enumerate(SPANS) if span.name in wanted])
        self._measure()

    async def _save(self, *, whole: bool = False) -> None:
        saved = await self._keeper.save(self.windows, self.offsets, whole=whole)
        self._kept = self._monotonic()
        self.counters.snapshots += 1
        self.counters.snapshot_bytes = saved.size
        self.counters.snapshot_stall_us = round(saved.longest * SECOND)

    def _clock_went_back(self) -> bool:
        """Then the watermark, which never does, would hide what comes until our clock is there again."""
        before, self._seen_at = self._seen_at, self._now()
        return self._seen_at < before - FUTURE

    def _measure(self) -> None:
        windows, counters = self.windows, self.counters
        counters.keys = len(windows.places.keys) + len(windows.bots.keys)
        counters.memory_bytes = windows.nbytes
        counters.remembered_ids = windows.seen.count
        at = windows.watermark.at
        counters.watermark_lag_us = max(0, self._now() - at) if at is not None else 0

    def _now(self) -> int:
        return micros(self._deps.clock.now())

    def _monotonic(self) -> float:
        return self._deps.clock.monotonic()
