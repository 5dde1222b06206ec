"""Valkey dies under a processor, without anything on disk: the windows come back as the facts have it."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import orjson
import pytest

from backend.clock import SystemClock
from backend.deps import Deps
from backend.events import Event
from backend.faults import NO_VALKEY
from backend.storage.warehouse import facts
from backend.stream import ingest, processor, sink
from backend.stream.keeping import LATEST
from backend.stream.windows.state import Windows
from tests.backend.stream.mortal import Mortal
from tests.backend.stream.windows import at_work, warehouse
from tests.waiting import running, until

pytestmark = pytest.mark.anyio


@pytest.fixture
def redis_url(mortal: Mortal) -> str:
    return mortal.running.url()


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """What waits for Valkey waits less."""
    monkeypatch.setattr(ingest, "AWAY_SECONDS", 0)
    monkeypatch.setattr(processor, "AFTER_AWAY", 1.0)
    monkeypatch.setattr(processor, "STANDBY_PAUSE", 0.2)


async def _send(deps: Deps, told: list[tuple[str, Event]]) -> None:
    for begin in range(0, len(told), 10):
        events = [event for _, event in told[begin : begin + 10]]
        await ingest.send(deps, events, source_key=None, wait=5)


async def test_valkey_killed_while_events_come(deps: Deps, mortal: Mortal, soon: None) -> None:
    await warehouse.open_offices(deps)
    told = at_work.lately(random.Random(1), 240)
    jobs = [asyncio.create_task(job(deps)) for job in (sink.run, ingest.run)]
    async with at_work.working(deps) as one:
        await _send(deps, told[:80])
        await until(
            lambda: at_work.equals(at_work.total(deps), at_work.interactions(told[:80])),
            what="the first third",
        )

        mortal.kill()
        await _send(deps, told[80:160])  # straight into the facts
        mortal.start()
        await _send(deps, told[160:])

        async def all_of_it() -> bool:
            try:
                return await at_work.total(deps) == at_work.interactions(told)
            except NO_VALKEY:
                return False

        await until(all_of_it, what="all of it, each once")
        assert one.counters.rebuilds >= 2
    for job in jobs:
        job.cancel()
    await asyncio.gather(*jobs, return_exceptions=True)


async def test_a_slow_database_does_not_hold_the_windows_up(deps: Deps) -> None:
    await warehouse.open_offices(deps)
    told = at_work.lately(random.Random(2), 60)
    blocking = await facts.connect(deps.database_url)
    async with at_work.working(deps) as one, blocking.transaction():
        await until(lambda: one.counters.working, what="at work")
        await blocking.execute("LOCK TABLE fact_lead_interactions IN SHARE MODE")  # no sink can store now

        await at_work.add(deps, told)

        await until(
            lambda: at_work.equals(at_work.total(deps), at_work.interactions(told)),
            what="all of it, unstored",
        )
    await blocking.close()


async def test_what_went_past_a_valkey_that_was_never_gone_comes_into_the_windows_as_well(
    deps: Deps, soon: None
) -> None:
    """It took too long for one sender, and nobody else noticed."""
    await warehouse.open_offices(deps)
    told = at_work.lately(random.Random(3), 40)
    async with running(ingest.run(deps)), at_work.working(deps) as one:
        await until(lambda: one.counters.working, what="at work")
        deps.line.away_until = asyncio.get_running_loop().time() + 60

        await _send(deps, told)

        await until(lambda: at_work.equals(at_work.total(deps), at_work.interactions(told)), what="all of it")


async def test_an_event_that_breaks_the_windows_is_passed_by_way_of_the_facts(
    deps: Deps, soon: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    await warehouse.open_offices(deps)
    told = at_work.lately(random.Random(4), 40)
    plain = Windows.take

    def take(self: Windows, stream: str, events: Sequence[Event], now: int) -> None:
        if told[20][1].event_id in [event.event_id for event in events]:
            raise ZeroDivisionError
        plain(self, stream, events, now)

    monkeypatch.setattr(Windows, "take", take)
    async with running(sink.run(deps)), at_work.working(deps) as one:
        await until(lambda: one.counters.working, what="at work")

        await at_work.add(deps, told)

        await until(lambda: at_work.equals(at_work.total(deps), at_work.interactions(told)), what="all of it")


@dataclass(slots=True)
class Skewed(SystemClock):
    ahead: timedelta = timedelta()

    def now(self) -> datetime:
        return SystemClock.now(self) + self.ahead


async def test_a_clock_that_was_put_forward_and_back_again_hides_nothing(deps: Deps, soon: None) -> None:
    await warehouse.open_offices(deps)
    told = at_work.lately(random.Random(5), 40)
    clock = Skewed()
    skewed = replace(deps, clock=clock)

    async def last_minutes() -> int:
        held = await deps.valkey.hget(LATEST, "-1:5m")
        return int(orjson.loads(held)["values"]["interactions"]) if held else 0

    async with running(sink.run(deps)), at_work.working(skewed):
        await at_work.add(deps, told)
        await until(lambda: at_work.equals(last_minutes(), at_work.interactions(told)), what="all of it")
        clock.ahead = timedelta(hours=1)
        await until(lambda: at_work.equals(last_minutes(), 0), what="an hour later")
        clock.ahead = timedelta()

        await until(lambda: at_work.equals(last_minutes(), at_work.interactions(told)), what="now again")
