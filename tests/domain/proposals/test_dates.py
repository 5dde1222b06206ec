"""Days and spans of time in speech."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.proposals import calendar, dates

TODAY = date(2026, 3, 11)  # a Wednesday


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Friday", "2026-03-13"),
        ("on Wednesday", "2026-03-18"),
        ("this Thursday", "2026-03-12"),
        ("next Tuesday", "2026-03-17"),
        ("next Friday", "2026-03-20"),
        ("Tuesday next week", "2026-03-17"),
        ("tomorrow morning", "2026-03-12"),
        ("the day after tomorrow", "2026-03-13"),
        ("tonight", "2026-03-11"),
        ("in two weeks", "2026-03-25"),
        ("in a couple of days", "2026-03-13"),
        ("in a few weeks", "2026-04-01"),
        ("in a month", "2026-04-11"),
        ("in ten days", "2026-03-21"),
        ("a week from today", "2026-03-18"),
        ("two weeks from Friday", "2026-03-27"),
        ("this weekend", "2026-03-14"),
        ("next weekend", "2026-03-21"),
        ("next week", "2026-03-16"),
        ("end of the week", "2026-03-13"),
        ("end of this week", "2026-03-13"),
        ("end of next week", "2026-03-20"),
        ("next month", "2026-04-01"),
        ("end of the month", "2026-03-31"),
        ("the end of June", "2026-06-30"),
        ("mid April", "2026-04-15"),
        ("early May", "2026-05-01"),
        ("the first week of December", "2026-12-01"),
        ("March 20th", "2026-03-20"),
        ("March 20", "2026-03-20"),
        ("the first of April", "2026-04-01"),
        ("the 3rd of May", "2026-05-03"),
        ("April twenty second", "2026-04-22"),
        ("February 2", "2027-02-02"),
        ("March 20, 2027", "2027-03-20"),
        ("the 30th", "2026-03-30"),
        ("the 5th", "2026-04-05"),
        ("in January", "2027-01-01"),
        ("by May", "2026-05-01"),
        ("3/20", "2026-03-20"),
        ("3/20/27", "2027-03-20"),
        ("Thanksgiving", "2026-11-26"),
        ("Christmas", "2026-12-25"),
        ("Labor Day", "2026-09-07"),
        ("Memorial Day", "2026-05-25"),
        ("Easter", "2026-04-05"),
        ("the fourth of July", "2026-07-04"),
        ("New Year's", "2027-01-01"),
        ("Halloween", "2026-10-31"),
        ("Valentine's Day", "2027-02-14"),
        ("last Friday", None),
        ("last weekend", None),
        ("February 30", None),
        ("may call", None),
        ("early next month", "2026-04-01"),
        ("this week", None),
        ("in two nights", None),
        ("March 5, 2020", None),
        ("in a week and a half", "2026-03-21"),
        ("the 32nd", None),
        ("on the twentieth", "2026-03-20"),
        ("before the first", "2026-04-01"),
        ("on the second floor", None),
        ("Mother's Day", "2026-05-10"),
        ("Father's Day", "2026-06-21"),
    ],
)
def test_a_day_as_said(text: str, expected: str | None) -> None:
    assert [str(day.on) for day in dates.days(text, TODAY)] == ([expected] if expected else [])


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("60 days", 60),
        ("ninety days", 90),
        ("three weeks", 21),
        ("a month", 30),
        ("six months", 180),
        ("a couple of months", 60),
        ("a few weeks", 21),
        ("half a year", 182),
        ("forty-five days", 45),
        ("a year", 365),
        ("two and a half weeks", None),
        ("a month and a half", 45),
    ],
)
def test_a_span_of_time_as_said(text: str, days: int | None) -> None:
    assert [length.days for length in dates.lengths(text)] == ([days] if days else [])


@given(st.text(max_size=60), st.dates(date(2020, 1, 1), date(2090, 1, 1)))
def test_any_text_is_read_without_failing(text: str, today: date) -> None:
    for day in dates.days(text, today):
        assert text[day.start : day.end]


@given(st.dates(date(2020, 1, 1), date(2090, 1, 1)), st.sampled_from(calendar.WEEKDAYS))
def test_a_coming_weekday_is_within_a_week_and_next_weeks_within_two(today: date, name: str) -> None:
    assert 1 <= (calendar.coming(name, today) - today).days <= 7
    assert 1 <= (calendar.next_week(name, today) - today).days <= 13
    assert calendar.WEEKDAYS[calendar.next_week(name, today).weekday()] == name


def test_the_last_day_of_a_longer_month() -> None:
    assert calendar.add_months(date(2026, 1, 31), 1) == date(2026, 2, 28)
    assert calendar.coming_nth(31, date(2026, 3, 31)) == date(2026, 5, 31)
    assert calendar.coming_nth(32, TODAY) is None
    assert calendar.holiday("no such day", TODAY) is None
    assert calendar.holiday("July 4th", TODAY) == date(2026, 7, 4)
