"""How likely a question comes: by the hour of the week, and by what was asked just before."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.cache.rates import WEEK_SECONDS, Rates

MONDAY_9 = 4 * 86_400 + 9 * 3_600.0  # the epoch began on a Thursday
HOUR = 3_600.0


def of_weeks(times_an_hour: int, weeks: int = 4) -> Rates:
    """Asked every Monday between 9 and 10."""
    rates = Rates()
    for week in range(weeks):
        for turn in range(times_an_hour):
            rates.saw("board", f"u{turn}", MONDAY_9 + week * WEEK_SECONDS + turn * HOUR / times_an_hour)
    return rates


def test_what_is_asked_every_monday_at_nine_is_likely_then_and_not_on_tuesday() -> None:
    rates = of_weeks(12)
    monday, tuesday = MONDAY_9 + 4 * WEEK_SECONDS, MONDAY_9 + 4 * WEEK_SECONDS + 86_400

    assert rates.probability("board", monday, 600) > 0.7
    assert rates.probability("board", tuesday, 600) == 0


def test_once_a_week_is_not_enough_for_ten_minutes() -> None:
    rates = of_weeks(1)

    assert 0.05 < rates.probability("board", MONDAY_9 + 4 * WEEK_SECONDS, 600) < 0.3


def test_a_rate_that_goes_on_steadily_is_measured_as_it_is() -> None:
    rates = of_weeks(6, weeks=20)

    likely = rates.probability("board", MONDAY_9 + 20 * WEEK_SECONDS, 600)

    assert likely == pytest.approx(1 - 2.718281828 ** (-1), abs=0.08)  # six an hour: one in ten minutes


def test_what_nobody_asks_any_more_is_forgotten() -> None:
    rates = of_weeks(12)

    assert rates.probability("board", MONDAY_9 + 30 * WEEK_SECONDS, 600) < 0.05


def test_what_usually_follows_is_likely_once_the_first_was_asked() -> None:
    rates = Rates()
    for day in range(10):
        rates.saw("board", "ann", day * 86_400.0)
        rates.saw("behind", "ann", day * 86_400.0 + 20)
    now = 12 * 86_400.0 + 7 * HOUR
    assert rates.probability("behind", now, 60) < 0.1

    rates.saw("board", "bob", now)

    assert rates.probability("behind", now + 1, 60) > 0.8
    assert rates.probability("behind", now + 600, 60) < 0.1


def test_two_people_s_questions_do_not_follow_each_other() -> None:
    rates = Rates()
    for day in range(10):
        rates.saw("board", "ann", day * 86_400.0)
        rates.saw("behind", "bob", day * 86_400.0 + 20)
    now = 12 * 86_400.0 + 7 * HOUR

    rates.saw("board", "ann", now)

    assert rates.probability("behind", now + 1, 60) < 0.1


@given(
    st.lists(
        st.tuples(st.sampled_from("abc"), st.sampled_from("xyz"), st.floats(0, 50_000)),
        min_size=1,
        max_size=60,
    ),
    st.floats(0, 3e6),
)
def test_a_probability_lies_between_nothing_and_certainty(
    asked: list[tuple[str, str, float]], later: float
) -> None:
    rates, now = Rates(), 0.0
    for question, who, pause in asked:
        now += pause
        rates.saw(question, who, now)

    for question in "abcd":
        shorter, longer = (rates.probability(question, now + later, s) for s in (60, 600))
        assert 0 <= shorter <= longer <= 1 or later % HOUR > 3_000  # a longer time may reach a quieter hour
