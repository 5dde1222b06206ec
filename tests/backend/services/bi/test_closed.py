"""Closed days and hours out of the cache: the same figures, and a late event of any day is in them at once."""

from __future__ import annotations

import asyncio
import random
import uuid
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from backend.cache import versions
from backend.deps import Deps
from backend.events import BotPerformance
from backend.jobs import remembering
from backend.services.bi import closed, dashboard
from backend.services.bi.spans import Calendar
from backend.storage.warehouse import facts
from backend.storage.warehouse.offices import Office
from backend.stream import entries
from domain import ports
from tests.backend.cache.running import running_job
from tests.backend.services.bi import filled
from tests.fakes import FakeClock

pytestmark = pytest.mark.anyio

TIMEFRAMES = ("24h", "7d", "30d", "90d", "1y")
Offices = tuple[Office, ...]


@pytest.fixture
def clock() -> ports.Clock:
    return FakeClock(filled.utc("2026-11-23T05:40:12"))


@pytest.fixture
async def offices(deps: Deps, clock: ports.Clock) -> AsyncIterator[Offices]:
    opened = await filled.open_offices(deps)
    invented = filled.Invented(rng=random.Random(11), now=clock.now(), offices=opened)
    await filled.fill(deps, invented, 300)
    async with running_job(deps, remembering.run):
        yield opened


async def board(deps: Deps, offices: Offices, timeframe: str) -> dict[str, Any]:
    asked = await dashboard.ask(deps, filled.manager(offices), timeframe=timeframe)
    return await dashboard.answer(deps, asked)


async def uncached(deps: Deps, offices: Offices, timeframe: str) -> dict[str, Any]:
    deps.answers.versions.known = False
    try:
        return await board(deps, offices, timeframe)
    finally:
        deps.answers.versions.known = True


async def scored(deps: Deps, office: Office, at: datetime, ms: float) -> None:
    """One more scoring, as the sink stores it and tells of it."""
    event = BotPerformance(
        event_id=uuid.uuid4(),
        occurred_at=at,
        event_type="scored",
        location_id=uuid.UUID(office.id),
        bot_id="intent-decoder",
        processing_ms=ms,
    )
    connection = await facts.connect(deps.database_url)
    try:
        arrived = facts.Arrived(event=event, source_key=None, received_at=deps.clock.now(), entry="")
        stored = await facts.store(connection, [arrived])
    finally:
        await connection.close()
    assert stored.new == 1
    revision = deps.answers.versions.revision
    await versions.tell(deps.valkey, deps.channel(entries.TOUCHED), stored.tags)
    async with asyncio.timeout(10):
        while deps.answers.versions.revision == revision:  # noqa: ASYNC110 - nothing tells
            await asyncio.sleep(0.005)


async def test_every_figure_is_the_same_with_and_without_the_cache(deps: Deps, offices: Offices) -> None:
    for timeframe in TIMEFRAMES:
        plain = await uncached(deps, offices, timeframe)

        assert await board(deps, offices, timeframe) == plain
        assert await board(deps, offices, timeframe) == plain  # this time out of the cache
    assert deps.answers.stats.of["closed-sums"].hits >= len(TIMEFRAMES)


@pytest.mark.parametrize("hours", [0.2, 5, 30, 24 * 20, 24 * 200])
async def test_a_late_event_of_any_day_is_in_the_figures_at_once(
    deps: Deps, offices: Offices, hours: float
) -> None:
    for timeframe in TIMEFRAMES:
        await board(deps, offices, timeframe)

    await scored(deps, offices[0], deps.clock.now() - timedelta(hours=hours), 77.0)

    for timeframe in TIMEFRAMES:
        assert await board(deps, offices, timeframe) == await uncached(deps, offices, timeframe)


async def test_today_is_counted_anew_and_the_days_before_are_not(deps: Deps, offices: Offices) -> None:
    await board(deps, offices, "30d")
    before = deps.answers.stats.of["closed-latencies"].misses

    await scored(deps, offices[0], deps.clock.now() - timedelta(minutes=1), 77.0)
    again = await board(deps, offices, "30d")

    assert again == await uncached(deps, offices, "30d")
    assert deps.answers.stats.of["closed-latencies"].misses == before


async def test_after_midnight_the_day_that_ended_is_read_as_it_became(
    deps: Deps, offices: Offices, clock: FakeClock
) -> None:
    await board(deps, offices, "30d")
    await scored(deps, offices[0], clock.now() - timedelta(minutes=1), 77.0)

    clock.advance(20 * 3600)

    assert await board(deps, offices, "30d") == await uncached(deps, offices, "30d")


def test_a_span_falls_apart_into_what_is_over_and_what_runs(offices_of_one: Calendar) -> None:
    whole = offices_of_one.asked("30d") + offices_of_one.asked("24h")

    over, running = closed.split(whole, offices_of_one)

    assert [(day.first, day.last) for day in over.days] == [(20261025, 20261122)]
    assert [(day.first, day.last) for day in running.days] == [(20261123, 20261123)]
    assert over.hours[0].until == running.hours[0].since == datetime(2026, 11, 23, 17, tzinfo=UTC)
    assert running.edges == whole.edges


@pytest.fixture
def offices_of_one() -> Calendar:
    office = Office(key=1, id=str(uuid.uuid4()), name="Here", zone=ZoneInfo("America/Los_Angeles"))
    return Calendar(offices=(office,), whole=False, now=datetime(2026, 11, 23, 17, 40, tzinfo=UTC))
