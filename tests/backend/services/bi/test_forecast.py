"""The plain forecast: made from complete days, chosen by its past, banded by its errors, and held to what it said."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.deps import Deps
from backend.jobs import forecasts as job
from backend.services.bi import backtest, baselines, forecast, spans
from backend.services.bi.backtest import History
from backend.services.bi.material import Material
from backend.services.bi.pipe import Pipe
from backend.storage.warehouse.offices import Office
from backend.storage.warehouse.scope import writing
from domain import errors
from tests.backend.services.bi import filled, planted
from tests.backend.services.bi.planted import NOW
from tests.fakes import FakeClock

pytestmark = pytest.mark.anyio

UNTIL = date(2026, 11, 19)
NOTHING = Pipe(stays=(), closings=())


def _weeks(seed: int, count: int, *, season: float = 0.0, scale: float = 1.0) -> np.ndarray[Any, Any]:
    """Closings of eight a month at about 15,000 dollars of commission, with a yearly season."""
    rng = np.random.default_rng(seed)
    rate = 2.0 * (1 + season * np.sin(np.arange(count) * 2 * np.pi / 52))
    return scale * np.array([rng.lognormal(14.2, 0.4, rng.poisson(mean)).sum() for mean in rate])


def _material(weeks: np.ndarray[Any, Any], known: Pipe = NOTHING) -> Material:
    history = History(weeks=weeks, until=UNTIL, pipe=known)
    return Material(history=history, days=7 * len(weeks), deals_won=2 * len(weeks), price_spread=0.4)


@settings(max_examples=10)
@given(st.integers(0, 50), st.integers(2, 1_000))
def test_a_forecast_scales_with_its_revenue(seed: int, factor: int) -> None:
    small, large = (
        forecast.told(_material(_weeks(seed, 90, scale=scale)), 60) for scale in (1.0, float(factor))
    )

    assert large["model"] == small["model"]
    assert large["backtest"]["wape"] == pytest.approx(small["backtest"]["wape"])
    for name, value in small["total"].items():
        assert large["total"][name] == pytest.approx((value or 0) * factor, rel=1e-3, abs=factor)


def test_the_bands_hold_what_comes_about_as_often_as_they_say() -> None:
    hits = {80: 0, 95: 0}
    for seed in range(150):
        weeks = _weeks(seed, 114)
        said = forecast.told(_material(weeks[:110]), 28)["total"]
        came = weeks[110:].sum()
        for level in hits:
            hits[level] += said[f"low_{level}"] <= came <= said[f"high_{level}"]

    assert 0.72 <= hits[80] / 150 <= 0.92
    assert hits[95] / 150 >= 0.89


def test_a_ramp_from_nothing_does_not_widen_the_bands_of_today() -> None:
    hits, widths = 0, []
    for seed in range(60):
        weeks = _weeks(seed, 57)
        weeks[:26] *= np.linspace(0, 1, 26)
        said = forecast.told(_material(weeks[:52]), 30)["total"]
        hits += said["low_80"] <= weeks[52:].sum() * 30 / 35 <= said["high_80"]
        widths.append((said["high_80"] - said["low_80"]) / said["value"])
        assert said["high_95"] > said["high_80"]

    assert hits >= 48
    assert np.median(widths) < 1.8  # it was 3 when the errors of the ramp counted by its own size


def test_bands_are_never_narrower_than_luck() -> None:
    said = forecast.told(_material(np.full(80, 3_000_000.0)), 28)  # by luck all weeks were alike

    half = baselines.luck(said["total"]["value"], _material(np.full(80, 3_000_000.0)).deal, 0.80)
    assert half > 0
    assert said["total"]["high_80"] - said["total"]["value"] == pytest.approx(half, abs=1)


def test_the_course_adds_up_to_the_total() -> None:
    said = forecast.told(_material(_weeks(1, 120)), 80)

    assert len(said["weeks"]) == 12
    assert sum(week["value"] for week in said["weeks"]) == pytest.approx(said["total"]["value"], abs=12)
    assert said["weeks"][0]["from"] == "2026-11-20"
    assert said["weeks"][-1]["to"] == said["until"] == "2027-02-07"
    assert all(week["low_80"] <= week["value"] <= week["high_80"] for week in said["weeks"])


def test_a_strong_season_is_followed() -> None:
    said = forecast.told(_material(100_000.0 * (2 + np.sin(np.arange(208) * 2 * np.pi / 52))), 90)

    assert said["model"] == "seasonal_naive"
    assert said["backtest"]["wape"] < 0.01
    assert {line["model"] for line in said["backtest"]["candidates"]} >= {"naive", "recent_mean"}


def test_the_error_and_the_coverage_stand_beside_their_n_and_the_floor_of_luck() -> None:
    said = forecast.told(_material(_weeks(2, 110)), 30)

    tested = said["backtest"]
    assert tested["n"] >= tested["independent_n"] >= backtest.LEAST_ORIGINS
    assert tested["wape"] > 0
    assert 0 < tested["coverage_80"]["value"] <= 1
    assert tested["coverage_80"]["interval"][0] < tested["coverage_80"]["value"]
    assert 0.1 < said["luck_floor_wape"] < 0.5
    assert tested["wape"] == min(line["wape"] for line in tested["candidates"])


def test_after_a_long_lull_the_bands_are_as_wide_as_what_was_before() -> None:
    weeks = np.concatenate([_weeks(3, 60), np.zeros(30)])

    said = forecast.told(_material(weeks), 30)

    assert said["total"]["high_80"] > weeks[:60].mean()
    assert said["note"] is None or said["backtest"]["wape"] >= 1


def test_a_forecast_that_errs_by_more_than_there_is_says_so() -> None:
    weeks = np.zeros(80)
    weeks[::13] = 5_000_000.0  # a closing each quarter

    said = forecast.told(_material(weeks), 30)

    assert said["backtest"]["wape"] >= 1
    assert said["note"] == "of little use: such forecasts erred by more than the revenue itself"


def test_no_forecast_sees_what_came_after_it() -> None:
    weeks = _weeks(4, 100)
    history = History(weeks=weeks, until=UNTIL, pipe=NOTHING)
    other = History(weeks=np.concatenate([weeks[:60], weeks[60:] * 9]), until=UNTIL, pipe=NOTHING)

    for model in ("naive", "seasonal_naive", "recent_mean"):
        one, two = history.model(model, 60, 8), other.model(model, 60, 8)
        assert one is not None
        assert two is not None
        assert (one == two).all()


@pytest.mark.parametrize(
    ("weeks", "won", "days", "note"),
    [
        (4, 30, 30, "not enough data: 4 whole weeks of 17"),
        (60, 9, 30, "not enough data: 9 closed deals of 10"),
        (40, 80, 365, "not enough data: 40 whole weeks of 65; 196 days can be forecast"),
    ],
)
def test_too_short_a_history_says_what_it_lacks(weeks: int, won: int, days: int, note: str) -> None:
    history = History(weeks=_weeks(1, weeks), until=UNTIL, pipe=NOTHING)

    said = forecast.told(Material(history=history, days=weeks * 7, deals_won=won, price_spread=0.0), days)

    assert said["note"] == note
    assert said["model"] is None
    assert said["weeks"] == []
    assert set(said["total"].values()) == {None}


async def _closings(deps: Deps, office: Office, days: Sequence[int], cents: int = 1_500_000) -> None:
    """A deal closed so many days ago, each."""
    lines = []
    for back in days:
        at = NOW - timedelta(days=back)
        lines.append(
            {
                "occurred_at": at,
                "event_id": str(uuid.uuid4()),
                "received_at": at,
                "date_key": filled.key_of(at, office.zone),
                "location_key": office.key,
                "line": 0,
                "bot_key": 0,
                "deal_id": str(uuid.uuid4()),
                "stage": "closed",
                "sells": True,
                "rate_bp": 300,
                "added": 1,
                "deals": 1,
                "price_cents": cents * 33,
                "gross_cents": cents,
                "company_cents": cents // 5,
                "source": "",
            }
        )
    await filled.store(deps, "fact_commission_events", lines)


async def test_today_and_other_offices_are_no_part_of_a_forecast(deps: Deps) -> None:
    here, there = await filled.open_offices(deps, ["America/Los_Angeles", "America/New_York"])
    await _closings(deps, here, range(1, 200, 4))
    scope = planted.asked([here], whole=False).scope
    before = await forecast.revenue_forecast(deps, scope, days=30, offices=[here])
    await _closings(deps, here, [0], cents=900_000_000)
    await _closings(deps, there, range(1, 300, 2), cents=700_000_000)

    after = await forecast.revenue_forecast(deps, scope, days=30, offices=[here])

    assert after == before
    assert after["data_until"] == "2026-11-19"
    assert 7_000_000 < after["total"]["value"] < 16_000_000


async def test_the_days_that_may_be_asked_for_are_told(deps: Deps) -> None:
    for days in (29, 366):
        with pytest.raises(errors.InputError) as refused:
            await forecast.revenue_forecast(deps, planted.asked([]).scope, days=days)
        assert refused.value.where == "forecast_days"


@pytest.mark.parametrize(("hour", "day"), [(4, 18), (11, 18), (12, 19), (23, 19)])
async def test_without_offices_a_day_is_over_when_it_is_over_everywhere(
    deps: Deps, clock: FakeClock, hour: int, day: int
) -> None:
    clock.to(datetime(2026, 11, 20, hour, tzinfo=UTC))

    assert spans.last_complete([], deps.clock.now()) == date(2026, 11, day)


async def test_what_was_said_is_kept_and_scored_when_its_days_are_over(deps: Deps, clock: FakeClock) -> None:
    here, there = await filled.open_offices(deps, ["America/Los_Angeles", "America/New_York"])
    await _closings(deps, here, range(1, 250, 3))
    scope = planted.asked([here], whole=False).scope

    await job.once(deps)
    await job.once(deps)
    said = await forecast.revenue_forecast(deps, scope, days=30, offices=[here])
    waiting = await forecast.forecast_accuracy(deps, scope, offices=[here])
    assert waiting["horizons"] == []
    assert waiting["note"] == "no forecast has come due yet; the first can be scored on 2026-12-19"

    clock.to(NOW + timedelta(days=31))
    await _closings(deps, here, [-20])  # one of about ten that were expected
    accuracy = await forecast.forecast_accuracy(deps, scope, offices=[here])

    (scored,) = accuracy["horizons"]
    assert (scored["days"], scored["n"]) == (30, 1)
    assert scored["wape"] == pytest.approx(abs(said["total"]["value"] - 1_500_000) / 1_500_000)
    assert scored["coverage_80"]["value"] == 0
    other = planted.asked([there], whole=False).scope
    assert (await forecast.forecast_accuracy(deps, other, offices=[there]))["n"] == 0
    async with writing(deps.pool) as connection:
        kept = await connection.fetch("SELECT DISTINCT location_key, days FROM bi_forecasts ORDER BY 1, 2")
    assert {row["location_key"] for row in kept} == {-1, here.key}
    assert {row["days"] for row in kept} == {30, 90}
