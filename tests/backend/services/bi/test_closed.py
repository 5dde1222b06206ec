"""Closed days and hours out of the cache: the same figures, and a late event of any day is in them at once."""

from __future__ import annotations

import random
import uuid
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from backend.cache import versions
from backend.deps import Deps
from backend.events import BotPerformance, CommissionEvent, Event
from backend.jobs import remembering
from backend.realtime.audience import Question, audience_of
from backend.realtime.channels import KINDS, Sources
from backend.realtime.messages import Channel
from backend.realtime.windows import Windows
from backend.services.bi import closed, dashboard, over, performance, points, revenue, spans
from backend.services.bi.spans import Calendar
from backend.storage.warehouse import facts
from backend.storage.warehouse.offices import Office
from backend.storage.warehouse.ranges import LAST_DAY, OWN, Days
from backend.stream import entries
from tests.backend.cache.running import running_job
from tests.backend.services.bi import filled
from tests.backend.services.bi.filled import Offices
from tests.fakes import FakeClock
from tests.waiting import until

pytestmark = pytest.mark.anyio

TIMEFRAMES = ("24h", "7d", "30d", "90d", "1y")


@pytest.fixture
async def offices(deps: Deps, clock: FakeClock) -> AsyncIterator[Offices]:
    opened = await filled.open_offices(deps)
    invented = filled.Invented(rng=random.Random(11), now=clock.now(), offices=opened)
    await filled.fill(deps, invented, 300)
    async with running_job(deps, remembering.run):
        yield opened


async def boards(deps: Deps, offices: Offices, timeframe: str) -> dict[str, Any]:
    """All that closed buckets are used for, by name."""
    actor = filled.manager(offices)
    kpis = await dashboard.ask(deps, actor, timeframe=timeframe)
    found = {"kpis": await dashboard.answer(deps, kpis)}
    if timeframe in revenue.TIMEFRAMES:
        money = await revenue.ask(deps, actor, timeframe=timeframe, forecast_days=None)
        found["revenue"] = await revenue.answer(deps, money)
    if timeframe in performance.TIMEFRAMES:
        bots = await performance.ask(deps, actor, timeframe=timeframe, include_coordination=False)
        found["bots"] = (await performance.answer(deps, bots))["bot_metrics"]
    return found


async def uncached(deps: Deps, offices: Offices, timeframe: str) -> dict[str, Any]:
    deps.answers.versions.known = False
    try:
        return await boards(deps, offices, timeframe)
    finally:
        deps.answers.versions.known = True


def scored(office: Office, at: datetime) -> BotPerformance:
    return BotPerformance(
        event_id=uuid.uuid4(),
        occurred_at=at,
        event_type="scored",
        location_id=uuid.UUID(office.id),
        bot_id="intent-decoder",
        processing_ms=77.0,
    )


def closing(office: Office, at: datetime) -> CommissionEvent:
    return CommissionEvent(
        event_id=uuid.uuid4(),
        occurred_at=at,
        location_id=uuid.UUID(office.id),
        deal_id=uuid.uuid4(),
        stage="closed",
        side_held="listing",
        price_cents=40_000_000,
        gross_cents=1_200_000,
        company_cents=300_000,
    )


async def happened(deps: Deps, *events: Event) -> None:
    """As the sink stores them and tells of it."""
    connection = await facts.connect(deps.database_url)
    try:
        arrived = [
            facts.Arrived(event=event, source_key=None, received_at=deps.clock.now(), entry="")
            for event in events
        ]
        stored = await facts.store(connection, arrived)
    finally:
        await connection.close()
    assert stored.new == len(events)
    revision = deps.answers.versions.revision
    await versions.tell(deps.valkey, deps.channel(entries.TOUCHED), stored.tags)
    await until(lambda: deps.answers.versions.revision > revision)


def missed(deps: Deps) -> int:
    """Closed buckets that were not there."""
    return sum(counted.misses for name, counted in deps.answers.stats.buckets.items() if name != closed.OPEN)


@pytest.mark.parametrize("all_of_them", [True, False])
async def test_every_figure_is_the_same_with_and_without_the_cache(
    deps: Deps, offices: Offices, all_of_them: bool
) -> None:
    mine = offices if all_of_them else offices[:-1]
    for timeframe in TIMEFRAMES:
        plain = await uncached(deps, mine, timeframe)

        assert await boards(deps, mine, timeframe) == plain
        assert await boards(deps, mine, timeframe) == plain  # this time out of the cache
    assert deps.answers.stats.buckets["closed_sums"].hits >= len(TIMEFRAMES)


@pytest.mark.parametrize("hours", [0.2, 30, 24 * 20, 24 * 200])
async def test_a_late_event_of_any_day_is_in_the_figures_at_once(
    deps: Deps, offices: Offices, hours: float
) -> None:
    before = {timeframe: await boards(deps, offices, timeframe) for timeframe in TIMEFRAMES}

    at = deps.clock.now() - timedelta(hours=hours)
    await happened(deps, scored(offices[0], at), closing(offices[1], at))

    for timeframe in TIMEFRAMES:
        now = await boards(deps, offices, timeframe)
        assert now == await uncached(deps, offices, timeframe)
        if hours < max(1, 24 * (spans.DAYS[timeframe] - 1)):
            assert now != before[timeframe]


async def test_today_is_counted_anew_and_the_days_before_are_not(deps: Deps, offices: Offices) -> None:
    await boards(deps, offices, "30d")
    before = missed(deps)

    now = deps.clock.now() - timedelta(minutes=1)
    await happened(deps, scored(offices[0], now), closing(offices[1], now))
    again = await boards(deps, offices, "30d")

    assert again == await uncached(deps, offices, "30d")
    assert missed(deps) == before


async def test_live_channels_add_up_what_rest_has_read(deps: Deps, offices: Offices) -> None:
    rest = await boards(deps, offices, "30d")
    before, audience = missed(deps), await audience_of(deps, filled.manager(offices), "all")
    channels: dict[Channel, str] = {
        "dashboard": "kpis",
        "revenue_intelligence": "revenue",
        "bot_performance": "bots",
    }

    for channel, name in channels.items():
        make = KINDS[channel].make
        assert make is not None
        made = await make(
            Sources(deps=deps, windows=Windows()), audience, Question(channel=channel, timeframe="30d")
        )
        assert made.data.get("bot_metrics", made.data) == rest[name]

    assert missed(deps) == before


async def test_what_one_read_is_there_for_the_other(deps: Deps, offices: Offices) -> None:
    money = await revenue.ask(deps, filled.manager(offices), timeframe="30d", forecast_days=None)
    await revenue.answer(deps, money)
    before = deps.answers.stats.buckets["closed_sums"].hits
    talks = await dashboard.ask(deps, filled.manager(offices), timeframe="30d")

    await dashboard.answer(deps, talks)

    money_days = 29
    assert deps.answers.stats.buckets["closed_sums"].hits - before == money_days


async def test_after_midnight_the_day_that_ended_is_read_as_it_became(
    deps: Deps, offices: Offices, clock: FakeClock
) -> None:
    await boards(deps, offices, "30d")
    await happened(deps, scored(offices[0], clock.now() - timedelta(minutes=1)))

    clock.advance(20 * 3600)

    assert await boards(deps, offices, "30d") == await uncached(deps, offices, "30d")


def test_days_are_gathered_by_points_and_none_is_lost(offices_of_one: Calendar) -> None:
    drawn = points.of_days(offices_of_one, "1y")

    found = points.gathered([Days(place=1, first=20251101, last=LAST_DAY)], drawn)

    assert [(one.tag, one.first, one.last) for one in found if one.tag != OWN] == [
        (point.first, point.first, point.last) for point in drawn
    ]
    assert [(one.first, one.last) for one in found if one.tag == OWN] == [
        (20251101, 20251123),
        (20261124, LAST_DAY),
    ]


def test_a_span_falls_apart_into_what_is_over_and_what_runs(offices_of_one: Calendar) -> None:
    whole = offices_of_one.asked("30d") + offices_of_one.asked("24h")

    past, running = over.split(whole, offices_of_one)

    assert [(day.first, day.last) for day in past.days] == [(20261025, 20261122)]
    assert [(day.first, day.last) for day in running.days] == [(20261123, 20261123)]
    assert past.hours[0].until == running.hours[0].since == datetime(2026, 11, 23, 17, tzinfo=UTC)
    assert running.edges == whole.edges


@pytest.fixture
def offices_of_one() -> Calendar:
    office = Office(key=1, id=str(uuid.uuid4()), name="Here", zone=ZoneInfo("America/Los_Angeles"))
    return Calendar(offices=(office,), whole=False, now=datetime(2026, 11, 23, 17, 40, tzinfo=UTC))
