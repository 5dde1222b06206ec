"""Revenue intelligence: series, divisions and summary out of the ledger, to the cent."""

from __future__ import annotations

import random
from datetime import date
from itertools import pairwise
from typing import Any

import pytest

from backend.deps import Deps
from backend.services.bi import dashboard, revenue
from tests.backend.services.bi import filled
from tests.backend.services.bi.filled import Offices
from tests.fakes import FakeClock

pytestmark = pytest.mark.anyio

FIGURES = (
    "won_gross_cents",
    "won_company_cents",
    "won_price_cents",
    "deals_won",
    "deals_lost",
    "deals_added",
)


@pytest.fixture
async def offices(deps: Deps, clock: FakeClock) -> Offices:
    opened = await filled.open_offices(deps)
    invented = filled.Invented(rng=random.Random(11), now=clock.now(), offices=opened)
    await filled.store(deps, "fact_commission_events", [invented.line() for _ in range(400)])
    return opened


async def _asked(deps: Deps, offices: Offices, timeframe: str, **options: Any) -> dict[str, Any]:
    asked = await revenue.ask(deps, filled.manager(offices), timeframe=timeframe, **options)
    return await revenue.answer(deps, asked)


async def test_series_summary_and_divisions_tell_the_same_and_what_the_ledger_tells(
    deps: Deps, offices: Offices, clock: FakeClock
) -> None:
    for timeframe in revenue.TIMEFRAMES:
        answer = await _asked(deps, offices, timeframe, forecast_days=None)
        now = clock.now()
        during = [await filled.counts(deps, FIGURES, one, timeframe, now) for one in offices]
        earlier = [await filled.counts(deps, FIGURES, one, timeframe, now, before=True) for one in offices]
        for name in FIGURES:
            plain, before = sum(one[name] for one in during), [one[name] for one in earlier]
            summary = answer["summary_metrics"][name]
            assert summary["value"] == plain, (timeframe, name)
            if name.startswith("deals_"):
                assert summary["n"] == max(0, plain), (timeframe, name)
            assert summary["comparison"]["previous"] == sum(before), (timeframe, name)
            assert sum(point[name] or 0 for point in answer["revenue_timeseries"]) == plain, (timeframe, name)
        total = answer["commission_breakdown"]["earned"]["total"]
        assert total["gross_cents"] == answer["summary_metrics"]["won_gross_cents"]["value"]
        assert total["deals"] == answer["summary_metrics"]["deals_won"]["value"]


async def test_the_parts_of_each_division_sum_to_the_total_to_the_cent(deps: Deps, offices: Offices) -> None:
    answer = await _asked(deps, offices, "1y", forecast_days=None)
    tiles = await dashboard.answer(deps, await dashboard.ask(deps, filled.manager(offices)))

    for part, divisions in (("earned", 4), ("pipeline", 5)):
        found = answer["commission_breakdown"][part]
        assert len(found) == divisions + 1
        for name, rows in found.items():
            if name != "total":
                summed = {key: sum(row[key] for row in rows) for key in found["total"]}
                assert summed == found["total"], (part, name)
                assert len({row["key"] for row in rows}) == len(rows)
    pipeline = answer["commission_breakdown"]["pipeline"]["total"]
    assert pipeline["weighted_cents"] == tiles["metrics"]["revenue_pipeline"]["value"] > 0
    assert pipeline["deals"] == tiles["metrics"]["revenue_pipeline"]["n"]


async def test_points_are_days_weeks_or_months_without_a_gap(deps: Deps, offices: Offices) -> None:
    for timeframe, step, most in (
        ("7d", "day", 8),
        ("30d", "day", 31),
        ("90d", "week", 15),
        ("1y", "month", 13),
    ):
        points = (await _asked(deps, offices, timeframe, forecast_days=None))["revenue_timeseries"]

        assert {point["step"] for point in points} == {step}
        assert most - 2 < len(points) <= most
        edges = [(date.fromisoformat(p["start"]), date.fromisoformat(p["end"])) for p in points]
        assert all((after[0] - before[1]).days == 1 for before, after in pairwise(edges))
        assert edges[-1][1] == date(2026, 11, 23)
        assert [point["complete"] for point in points][-1] is False


async def test_before_the_first_deal_nothing_is_known_and_after_it_nothing_is_zero(
    deps: Deps, clock: FakeClock
) -> None:
    offices = await filled.open_offices(deps, ("UTC",))
    invented = filled.Invented(rng=random.Random(2), now=clock.now(), offices=offices)
    line = invented.line() | {
        "occurred_at": filled.utc("2026-11-20T12:00:00"),
        "date_key": 20261120,
        "stage": "closed",
    }
    await filled.store(deps, "fact_commission_events", [line])

    answer = await _asked(deps, offices, "7d", forecast_days=None)

    told = {point["start"]: point["deals_won"] for point in answer["revenue_timeseries"]}
    assert told["2026-11-19"] is None
    assert (told["2026-11-20"], told["2026-11-21"], told["2026-11-23"]) == (1, 0, 0)
    assert answer["summary_metrics"]["deals_won"]["comparison"] is None


async def test_rates_follow_from_the_sums(deps: Deps, offices: Offices) -> None:
    summary = (await _asked(deps, offices, "1y", forecast_days=None))["summary_metrics"]

    won, lost = summary["deals_won"]["value"], summary["deals_lost"]["value"]
    assert summary["close_rate"]["value"] == won / (won + lost)
    assert summary["close_rate"]["interval"][0] < summary["close_rate"]["value"]
    assert summary["commission_rate"]["value"] == pytest.approx(0.03, rel=0.01)
    assert summary["average_gross_cents"]["value"] == round(summary["won_gross_cents"]["value"] / won)


async def test_a_forecast_is_made_when_asked_for_or_says_what_is_missing(
    deps: Deps, offices: Offices
) -> None:
    without = await _asked(deps, offices, "30d", forecast_days=None)
    asked = await _asked(deps, offices, "30d", forecast_days=30)

    assert without["predictive_trends"] is None
    assert asked["predictive_trends"]["days"] == 30
    assert (
        asked["predictive_trends"]["total"]["value"] is not None
        or "not enough data" in (asked["predictive_trends"]["note"])
    )
    assert asked["forecast_accuracy"]["n"] == 0


async def test_one_office_sees_its_own_money_only(deps: Deps, offices: Offices) -> None:
    whole = await _asked(deps, offices, "1y", forecast_days=None)
    parts = [await _asked(deps, offices, "1y", forecast_days=None, location_id=one.id) for one in offices]

    name = "won_gross_cents"
    assert (
        sum(part["summary_metrics"][name]["value"] for part in parts)
        == (whole["summary_metrics"][name]["value"])
    )
    assert [part["locations"] for part in parts] == [[one.id] for one in offices]
