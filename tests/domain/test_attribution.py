"""Credit shared over touches, by rule."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain import attribution
from domain.attribution import Model, Touch

PATH = [
    Touch(channel="sign call", days_before=60),
    Touch(channel="open house", days_before=35),
    Touch(channel="bot chat", days_before=7),
    Touch(channel="sign call", days_before=1),
]


@pytest.mark.parametrize(
    ("half_life", "expected"), [(7, [0.00, 0.02, 0.35, 0.63]), (30, [0.10, 0.18, 0.34, 0.39])]
)
def test_time_decay_check_figures(half_life: float, expected: list[float]) -> None:
    found = attribution.weights(Model.TIME_DECAY, PATH, half_life)

    assert [round(weight, 2) for weight in found] == expected


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ("first", [1, 0, 0, 0]),
        ("last", [0, 0, 0, 1]),
        ("linear", [0.25, 0.25, 0.25, 0.25]),
        ("u_shaped", [0.4, 0.1, 0.1, 0.4]),
        ("w_shaped", [0.3, 0.1, 0.3, 0.3]),
    ],
)
def test_rule_models(model: str, expected: list[float]) -> None:
    assert attribution.weights(model, PATH) == pytest.approx(expected)


def test_w_gives_its_middle_peak_to_the_touch_that_made_the_lead() -> None:
    marked = [PATH[0], Touch(channel="open house", days_before=35, created_lead=True), *PATH[2:]]

    assert attribution.weights("w_shaped", marked) == pytest.approx([0.3, 0.3, 0.1, 0.3])


@given(
    model=st.sampled_from(list(Model)),
    days=st.lists(st.floats(0, 5000), max_size=12),
    value=st.integers(0, 10**10),
    half_life=st.sampled_from([7.0, 30.0]),
)
def test_credits_sum_to_the_value_in_every_model(
    model: Model, days: list[float], value: int, half_life: float
) -> None:
    touches = [Touch(channel=str(i % 3), days_before=d) for i, d in enumerate(sorted(days, reverse=True))]

    cents = attribution.credits_cents(model, touches, value, half_life)

    assert sum(cents) == (value if touches else 0)
    assert sum(attribution.by_channel(model, touches, value, half_life).values()) == sum(cents)
    assert all(cent >= 0 for cent in cents)


def test_one_and_two_touches_share_everything() -> None:
    for model in Model:
        assert attribution.weights(model, PATH[:1]) == [1]
        assert sum(attribution.weights(model, PATH[:2])) == pytest.approx(1)
    assert (
        attribution.weights("u_shaped", PATH[:2]) == attribution.weights("w_shaped", PATH[:2]) == [0.5, 0.5]
    )


def test_nobody_touched_is_nobody_credited() -> None:
    assert attribution.weights("linear", []) == []


def test_a_channel_gets_all_its_touches() -> None:
    assert attribution.by_channel("linear", PATH, 100_01) == {
        "sign call": 50_01,
        "open house": 25_00,
        "bot chat": 25_00,
    }
