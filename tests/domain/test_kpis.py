"""The five figures of the command centre."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain import kpis
from domain.kpis import Tier

AS_OF = datetime(2026, 11, 22, 12, tzinfo=UTC)


def test_no_data_is_no_number_and_no_tier() -> None:
    tiles = [
        kpis.revenue_pipeline(weighted_cents=None, gross_cents=None, n=0, as_of=AS_OF),
        kpis.active_leads(by_temperature=None, as_of=AS_OF),
        kpis.hot_leads(hot=None, as_of=AS_OF),
        kpis.ml_response(p50_ms=None, p95_ms=None, n=0, as_of=AS_OF),
        kpis.bot_success(qualified=0, conversations=0, as_of=AS_OF),
    ]

    for tile in tiles:
        assert (tile.value, tile.tier, tile.interval, tile.comparison, tile.n) == (None, None, None, None, 0)
        assert tile.definition
        assert tile.as_of == AS_OF
    assert len({tile.name for tile in tiles}) == 5


def test_pipeline_shows_weighted_with_gross_beside_it_and_compares_equal_parts() -> None:
    tile = kpis.revenue_pipeline(
        weighted_cents=412_000_00,
        gross_cents=3_000_000_00,
        n=14,
        as_of=AS_OF,
        previous_weighted_cents=400_000_00,
        period="day 12 of 30 against day 12",
        trend=[1, None, 3],
    )

    assert (tile.value, tile.n) == (412_000_00, 14)
    assert tile.unit is kpis.Unit.CENTS
    assert tile.tier is Tier.ON_TRACK
    assert tile.comparison is not None
    assert (tile.comparison.previous, tile.comparison.label) == (400_000_00, "day 12 of 30 against day 12")
    assert tile.comparison.change == pytest.approx(0.03)
    assert list(tile.parts) == [("gross_cents", 3_000_000_00)]
    assert tile.trend == (1, None, 3)


def test_active_leads_sum_their_temperatures() -> None:
    tile = kpis.active_leads(by_temperature={"hot": 27, "warm": 96, "cold": 195}, as_of=AS_OF, previous=400)

    assert (tile.value, tile.n) == (318, 318)
    assert tile.tier == Tier.OFF_TRACK
    assert dict(tile.parts)["warm"] == 96


def test_counted_and_none_is_zero_not_missing() -> None:
    assert kpis.active_leads(by_temperature={}, as_of=AS_OF).value == 0
    assert kpis.hot_leads(hot=0, as_of=AS_OF).value == 0
    assert kpis.hot_leads(hot=0, as_of=AS_OF).tier is None


@pytest.mark.parametrize(("late", "tier"), [(0, "on_track"), (2, "watch"), (3, "off_track")])
def test_hot_leads_are_judged_by_how_many_wait_too_long(late: int, tier: str) -> None:
    tile = kpis.hot_leads(hot=27, past_due=late, as_of=AS_OF)

    assert (tile.value, tile.tier) == (27, tier)
    assert tile.parts == (("past_due", late),)


@pytest.mark.parametrize(
    ("p95", "tier"), [(21, "on_track"), (50, "on_track"), (80, "watch"), (101, "off_track")]
)
def test_ml_response_is_judged_against_fifty_milliseconds(p95: float, tier: str) -> None:
    tile = kpis.ml_response(p50_ms=8, p95_ms=p95, n=1000, as_of=AS_OF, previous_p95_ms=20)

    assert (tile.value, tile.tier) == (p95, tier)
    assert dict(tile.parts) == {"p50_ms": 8, "target_ms": 50}


def test_bot_success_carries_its_wilson_interval() -> None:
    tile = kpis.bot_success(
        qualified=245, conversations=402, as_of=AS_OF, previous_qualified=1, previous_conversations=2
    )

    assert tile.value == pytest.approx(0.609, abs=0.001)
    assert tile.interval is not None
    assert (tile.interval.low, tile.interval.high) == pytest.approx((0.561, 0.656), abs=0.001)
    assert tile.comparison is not None
    assert tile.comparison.previous == 0.5


def test_wilson_of_known_cases() -> None:
    none, all_, half = kpis.wilson(0, 10), kpis.wilson(10, 10), kpis.wilson(5, 10)

    assert none is not None
    assert all_ is not None
    assert half is not None
    assert (none.low, none.high) == pytest.approx((0, 0.2775), abs=1e-4)
    assert (all_.low, all_.high) == pytest.approx((0.7225, 1), abs=1e-4)
    assert (half.low, half.high) == pytest.approx((0.2366, 0.7634), abs=1e-4)
    assert kpis.wilson(0, 0) is None


@given(st.integers(0, 10**6).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_holds_its_share(case: tuple[int, int]) -> None:
    successes, n = case
    found = kpis.wilson(successes, n)

    assert found is None or 0 <= found.low <= successes / n <= found.high <= 1


def test_more_successes_than_cases_are_refused() -> None:
    with pytest.raises(ValueError, match="successes"):
        kpis.wilson(3, 2)


def test_change_from_zero_has_no_percentage() -> None:
    found = kpis.compare(5, 0, "x")

    assert found == kpis.Comparison(previous=0, change=None, label="x")
    assert (
        kpis.revenue_pipeline(
            weighted_cents=5, gross_cents=5, n=1, as_of=AS_OF, previous_weighted_cents=0
        ).tier
        is None
    )


def test_quantile_is_the_one_of_postgresql() -> None:
    assert kpis.quantile([10, 20, 30, 40], 0.5) == 25
    assert kpis.quantile([10, 20, 30, 40], 0.95) == pytest.approx(38.5)
    assert kpis.quantile([7], 0.95) == 7
    assert kpis.quantile([], 0.5) is None
