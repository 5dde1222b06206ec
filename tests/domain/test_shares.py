"""Splitting whole units so that the parts sum to the total."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain import shares


@given(
    total=st.integers(-(10**12), 10**12),
    weights=st.lists(st.floats(0, 1e6, allow_nan=False), min_size=1, max_size=12),
)
def test_parts_always_sum_to_the_total(total: int, weights: list[float]) -> None:
    parts = shares.split(total, weights)

    assert sum(parts) == total
    assert len(parts) == len(weights)


@given(total=st.integers(0, 10**9), weights=st.lists(st.integers(1, 1000), min_size=1, max_size=12))
def test_no_part_is_a_whole_unit_away_from_its_quota(total: int, weights: list[int]) -> None:
    for part, weight in zip(shares.split(total, weights), weights, strict=True):
        assert abs(part - total * weight / sum(weights)) < 1.000001


def test_largest_remainder_gets_the_odd_cent() -> None:
    assert shares.split(100, [1, 1, 1]) == [34, 33, 33]
    assert shares.split(10, [0.6, 0.4]) == [6, 4]
    assert shares.split(1, [0.2, 0.5, 0.3]) == [0, 1, 0]


def test_no_weight_at_all_gives_everything_to_the_first() -> None:
    assert shares.split(7, [0, 0]) == [7, 0]


@pytest.mark.parametrize("weights", [[], [1, -1]])
def test_bad_weights_are_refused(weights: list[float]) -> None:
    with pytest.raises(ValueError, match="weights"):
        shares.split(1, weights)
