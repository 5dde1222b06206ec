"""Sums over timeframes: the whole brokerage = the sum of its offices = a plain count of the facts."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Sequence

import pytest

from backend.deps import Deps
from backend.metrics import MEASURES
from backend.metrics.measures import MONEY
from backend.services.bi import latency
from backend.services.bi.spans import ASKED, DAYS, Calendar
from backend.storage.warehouse import latencies, sums
from backend.storage.warehouse.ranges import Span, Sums
from backend.storage.warehouse.scope import Scope, reading, writing
from domain import ports
from tests.backend.services.bi import filled
from tests.backend.services.bi.filled import Offices
from tests.fakes import FakeClock

pytestmark = pytest.mark.anyio


# The offices' clocks say 21:40 of the day before, 00:40 and 11:10; an hour that began on the hour, a day after a change of clocks.
MOMENTS = ("2026-11-23T05:40:12", "2026-07-01T12:00:00", "2026-03-09T06:10:00")


@pytest.fixture(params=MOMENTS)
def clock(request: pytest.FixtureRequest) -> ports.Clock:
    return FakeClock(filled.utc(request.param))


@pytest.fixture
async def offices(deps: Deps, clock: ports.Clock) -> Offices:
    opened = await filled.open_offices(deps)
    await filled.fill(deps, filled.Invented(rng=random.Random(3), now=clock.now(), offices=opened), 400)
    return opened


def _calendars(offices: Offices, clock: ports.Clock) -> list[Calendar]:
    """Of the whole, then of each office."""
    whole = Calendar(offices=offices, whole=True, now=clock.now())
    return [whole, *(Calendar(offices=(one,), whole=False, now=clock.now()) for one in offices)]


async def _sums(
    deps: Deps, calendar: Calendar, names: Sequence[str], span: Span, by: tuple[str, ...] = ()
) -> Sums:
    scope = Scope(keys=tuple(office.key for office in calendar.offices), whole=calendar.whole)
    async with reading(deps.bi, scope) as connection:
        return await sums.of_span(connection, names, span, by=by)


def _of(found: Sums, name: str) -> int:
    return sum(group.get(name, 0) for group in found.values())


def _questions() -> Iterator[tuple[str, bool, list[str]]]:
    for timeframe in DAYS:
        for money in (False, True):
            yield timeframe, money, [m.name for m in MEASURES.values() if (m.fact == MONEY) is money]


async def test_whole_equals_the_offices_and_a_plain_count(
    deps: Deps, clock: ports.Clock, offices: Offices
) -> None:
    whole, *single = _calendars(offices, clock)

    for timeframe, money, names in _questions():
        total = await _sums(deps, whole, names, whole.asked(timeframe, money=money))
        parts = [await _sums(deps, one, names, one.asked(timeframe, money=money)) for one in single]
        counts = [await filled.counts(deps, names, one, timeframe, clock.now()) for one in offices]
        for name in names:
            plain = [one[name] for one in counts]
            assert [_of(part, name) for part in parts] == plain, (timeframe, name)
            assert _of(total, name) == sum(plain), (timeframe, name)
    assert _of(total, "won_gross_cents") > 0


async def test_the_time_before_is_as_long_and_ends_at_the_same_time_of_day(
    deps: Deps, clock: ports.Clock, offices: Offices
) -> None:
    whole = _calendars(offices, clock)[0]

    for timeframe, money, names in _questions():
        total = await _sums(deps, whole, names, whole.before(timeframe, money=money))
        counts = [
            await filled.counts(deps, names, one, timeframe, clock.now(), before=True) for one in offices
        ]
        for name in names:
            assert _of(total, name) == sum(one[name] for one in counts), (timeframe, name)
    assert _of(total, "deals_won") > 0


async def test_days_hours_and_offices_add_up_to_the_same(
    deps: Deps, clock: ports.Clock, offices: Offices
) -> None:
    for calendar in _calendars(offices, clock):
        for timeframe, money, names in _questions():
            total = await _sums(deps, calendar, names, calendar.asked(timeframe, money=money))
            spread = calendar.asked(timeframe, money=money, spread=True)
            parts = [
                await _sums(deps, calendar, names, spread, by=("location_key", "bot_key")),
                await _sums(deps, calendar, names, calendar.by_day(timeframe, money=money)),
                await _sums(deps, calendar, names, calendar.by_day(timeframe, money=money, spread=True)),
            ]
            if not money:
                parts.append(await _sums(deps, calendar, names, calendar.by_hour(timeframe)))
            for name in names:
                assert {_of(part, name) for part in parts} == {_of(total, name)}, (timeframe, name)


async def test_latencies_of_the_whole_are_those_of_the_facts_within_a_hundredth(
    deps: Deps, clock: ports.Clock, offices: Offices
) -> None:
    whole, *single = _calendars(offices, clock)
    async with writing(deps.bi) as connection:
        rows = await connection.fetch(
            "SELECT processing_us, date_key, location_key FROM fact_bot_performance"
            " WHERE event_type = 'scored' AND processing_us IS NOT NULL"
        )

    for calendar in (whole, *single):
        days = {o.key: calendar.last_days(90, spread=True).days[n] for n, o in enumerate(calendar.offices)}
        values = sorted(
            row["processing_us"]
            for row in rows
            if (held := days.get(row["location_key"])) and held.first <= row["date_key"] <= held.last
        )
        scope = Scope(keys=tuple(days), whole=calendar.whole)
        async with reading(deps.bi, scope) as connection:
            found = (await latencies.of_span(connection, "scored", calendar.asked("90d")))[(ASKED,)]

        assert found.sum() == len(values) > 0
        for q in (0.5, 0.95, 0.99):
            exact = values[math.ceil(q * len(values)) - 1]
            assert latency.quantile_us(found, q) == pytest.approx(exact, rel=0.01)


async def test_latencies_of_a_rolling_time_add_up_from_hours_and_edges(
    deps: Deps, clock: ports.Clock, offices: Offices
) -> None:
    for calendar in _calendars(offices, clock):
        scope = Scope(keys=tuple(office.key for office in calendar.offices), whole=calendar.whole)
        for timeframe in DAYS:
            plain = sum(
                [
                    await filled.counted(deps, "scored", one, timeframe, clock.now())
                    for one in calendar.offices
                ]
            )
            async with reading(deps.bi, scope) as connection:
                asked = [
                    await latencies.of_span(connection, "scored", span)
                    for span in (
                        calendar.asked(timeframe),
                        calendar.by_hour(timeframe),
                        calendar.by_day(timeframe),
                    )
                ]
                asked.append(
                    await latencies.of_span(
                        connection, "scored", calendar.asked(timeframe, spread=True), by=("bot_key",)
                    )
                )
            assert {sum(int(counts.sum()) for counts in found.values()) for found in asked} == {plain}
