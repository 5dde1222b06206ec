"""Markov removal effect and Shapley value."""

from __future__ import annotations

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain import paths
from domain.paths import Path

KNOWN = [
    Path(channels=("a", "b", "c"), won=1),
    Path(channels=("a",), lost=1),
    Path(channels=("b", "c"), lost=1),
]
some_paths = st.lists(
    st.builds(
        Path,
        channels=st.lists(st.sampled_from("abcd"), min_size=1, max_size=6).map(tuple),
        won=st.integers(0, 9),
        lost=st.integers(0, 9),
    ),
    max_size=12,
)


def test_removal_effect_of_a_known_case() -> None:
    assert paths.markov(KNOWN) == pytest.approx({"a": 0.2, "b": 0.4, "c": 0.4})


def test_nothing_won_is_nothing_to_share() -> None:
    assert paths.markov([Path(channels=("a",), lost=3), Path(channels=(), won=1)]) == {}
    assert paths.shapley([Path(channels=("a",), lost=3)]) == {}
    assert paths.credits_cents({}, 100) == {}


@given(some_paths)
def test_shares_sum_to_one(many: list[Path]) -> None:
    for share in (paths.markov(many), paths.shapley(many)):
        assert not share or sum(share.values()) == pytest.approx(1)
        assert all(part >= 0 for part in share.values())
        assert sum(paths.credits_cents(share, 999_99).values()) == (999_99 if share else 0)


@given(some_paths)
def test_shapley_is_the_mean_gain_over_all_orders(many: list[Path]) -> None:
    won = sum(path.won for path in many)
    channels = sorted({channel for path in many for channel in path.channels if path.won})

    def worth(group: set[str]) -> int:
        return sum(path.won for path in many if set(path.channels) <= group)

    gains = dict.fromkeys(channels, 0.0)
    for order in itertools.permutations(channels):
        for i, channel in enumerate(order):
            gains[channel] += worth(set(order[: i + 1])) - worth(set(order[:i]))

    found = paths.shapley(many)
    for channel in channels:
        assert found[channel] == pytest.approx(gains[channel] / math.factorial(len(channels)) / won)
