"""The plain statistics keep what they promise: coverage, invariance, and silence where there is too little to say."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.services.bi import baselines
from backend.services.bi.baselines import LEAST_WEEKS

VALUES = st.lists(st.integers(-10_000, 10_000).map(float), min_size=3, max_size=40)
SENSITIVITIES = st.floats(0.1, 1)


@given(VALUES, st.integers(-1_000, 1_000), st.integers(1, 50))
def test_a_slope_follows_shifts_and_scales_of_its_values(values: list[float], shift: int, scale: int) -> None:
    slope = baselines.theil_sen(values)
    moved = baselines.theil_sen([value * scale + shift for value in values])

    assert slope
    assert moved
    assert moved.per_step == pytest.approx(slope.per_step * scale, abs=1e-6)
    assert (moved.low, moved.high) == pytest.approx((slope.low * scale, slope.high * scale), abs=1e-6)
    assert slope.low <= slope.per_step <= slope.high


def test_a_slope_is_not_moved_by_one_wild_value_and_counts_gaps_as_time() -> None:
    straight = [2.0 * n for n in range(20)]
    wild = [*straight[:10], 9_999.0, *straight[11:]]
    gap = [n for n in range(20) if n % 5]

    robust, gapped = baselines.theil_sen(wild), baselines.theil_sen([straight[n] for n in gap], gap)

    assert robust
    assert gapped
    assert robust.per_step == pytest.approx(2, abs=0.1)
    assert gapped.per_step == 2


def test_the_interval_of_a_slope_holds_the_truth_about_as_often_as_it_says() -> None:
    rng = np.random.default_rng(7)
    held = 0
    for _ in range(400):
        slope = baselines.theil_sen((0.3 * np.arange(15) + rng.normal(0, 1, 15)).tolist())
        assert slope
        held += slope.low <= 0.3 <= slope.high

    assert 0.91 <= held / 400 <= 0.99


def test_two_values_have_no_slope() -> None:
    assert baselines.theil_sen([1.0, 2.0]) is None


@given(st.lists(st.floats(-1e6, 1e6), min_size=4, max_size=60), st.floats(0.1, 100))
def test_a_conformal_width_scales_with_the_errors_and_needs_enough_of_them(
    errors: list[float], scale: float
) -> None:
    for level, least in ((0.8, 4), (0.95, 19)):
        half = baselines.conformal(errors, level)
        if len(errors) < least:
            assert half is None
        else:
            assert half is not None
            assert sum(abs(error) <= half for error in errors) >= level * len(errors)
            scaled = baselines.conformal([error * scale for error in errors], level)
            assert scaled == pytest.approx(half * scale)


def test_errors_that_overlap_count_for_fewer() -> None:
    errors = list(range(1, 41))

    assert baselines.conformal(errors, 0.8) == 33
    assert baselines.conformal(errors, 0.8, overlap=13) == 37
    assert baselines.conformal(errors, 0.95, overlap=40) == 40


def test_conformal_bands_cover_new_values_of_a_skewed_series_as_they_say() -> None:
    rng = np.random.default_rng(3)
    for level in (0.8, 0.95):
        covered = []
        for _ in range(600):
            errors = rng.lognormal(0, 1, 40) - 1.6
            half = baselines.conformal(errors.tolist(), level)
            assert half is not None
            covered.append(abs(rng.lognormal(0, 1) - 1.6) <= half)
        assert np.mean(covered) == pytest.approx(level, abs=0.05)


@given(SENSITIVITIES, SENSITIVITIES)
def test_more_sensitivity_is_a_lower_threshold(one: float, other: float) -> None:
    low, high = sorted((one, other))

    assert baselines.threshold(high) <= baselines.threshold(low)
    assert [baselines.threshold(1), baselines.threshold(0.1)] == pytest.approx([2.0, 5.6])


@pytest.mark.parametrize("sensitivity", [0.09, 1.01, -1, math.inf])
def test_a_sensitivity_outside_its_range_is_refused(sensitivity: float) -> None:
    with pytest.raises(ValueError, match="sensitivity"):
        baselines.threshold(sensitivity)


@pytest.mark.parametrize("mean", [0.3, 1, 5, 40, 2_000])
def test_counts_of_pure_chance_rarely_alarm_however_small_or_large(mean: float) -> None:
    rng = np.random.default_rng(11)
    history = rng.poisson(mean, (12, 5_000)).astype(float)
    observed = rng.poisson(mean, 5_000).astype(float)

    for sensitivity, most in ((0.1, 0.0005), (0.5, 0.003), (1.0, 0.08)):
        limit = baselines.threshold(sensitivity)
        found = baselines.bands(history, observed, limit)
        alarms = np.abs(found.score) >= limit
        assert alarms.mean() <= most
        outside = (observed < found.low - 1e-9) | (observed > found.high + 1e-9)
        assert (outside <= alarms).all()


def test_a_stop_and_a_burst_are_seen_where_there_is_enough_to_see() -> None:
    history = np.full((8, 3), 40.0)

    found = baselines.bands(history, np.array([0.0, 40.0, 160.0]), baselines.threshold(0.5))

    assert found.score[0] < -4
    assert abs(found.score[1]) < 0.2
    assert found.score[2] > 4


def test_one_wild_week_does_not_hide_the_next() -> None:
    history = np.full((8, 1), 40.0)
    history[5] = 4_000.0

    assert baselines.bands(history, np.array([400.0]), 4.0).score[0] > 4


def test_fewer_than_four_weeks_are_no_history() -> None:
    history = np.full((6, 2), 10.0)
    history[: 6 - LEAST_WEEKS + 1, 0] = np.nan

    found = baselines.bands(history, np.array([99.0, 99.0]), 4.0)

    assert np.isnan(found.score[0])
    assert np.isnan(found.low[0])
    assert found.score[1] > 4


@given(st.integers(1, 500), st.integers(1, 500), st.data())
def test_a_share_fell_for_sure_only_if_it_is_lower(n: int, before: int, data: st.DataObject) -> None:
    good = data.draw(st.integers(0, n))
    good_before = data.draw(st.integers(0, before))

    chance = baselines.chance_lower(good, n, good_before, before)
    back = baselines.chance_lower(good_before, before, good, n)

    assert chance is not None
    assert back is not None
    assert chance + back == pytest.approx(1)
    if good == 0 and good_before == before and min(n, before) > 20:
        assert chance > 0.99


def test_errors_relate_to_what_was() -> None:
    assert baselines.wape([10.0, 30.0], [20.0, 20.0]) == 0.5
    assert baselines.wape([0.0], [5.0]) is None


@pytest.mark.parametrize(("events", "floor"), [(1, 0.87), (4, 0.47), (16, 0.24), (40, 0.15), (100, 0.097)])
def test_luck_alone_errs_as_the_table_of_the_design_says(events: float, floor: float) -> None:
    assert baselines.luck_floor(events, 0.55) == pytest.approx(floor, rel=0.15)
    assert baselines.luck_floor(0, 0.5) is None
