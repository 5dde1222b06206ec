"""Numbers as people read them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from views.parts import formats

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("cents", "words"),
    [
        (None, "—"),
        (0, "$0"),
        (99_900, "$999"),
        (64_000_000, "$640k"),
        (99_960_000, "$1M"),
        (123_400_000, "$1.23M"),
        (-1_500_000, "−$15k"),
        (250_000_000_000, "$2.5B"),
    ],
)
def test_money_in_short(cents: int | None, words: str) -> None:
    assert formats.money(cents) == words


def test_money_exactly() -> None:
    assert formats.money(89_350_00, exact=True) == "$89,350"
    assert formats.money(12_345, exact=True) == "$123.45"


def test_a_change_has_its_sign_and_nothing_has_no_change() -> None:
    assert formats.change(108, 100) == "+8 %"
    assert formats.change(97, 100) == "−3 %"
    assert formats.change(740, 741) == "under 1 %"
    assert formats.change(741, 740) == "under 1 %"
    assert formats.change(740, 740) == "0 %"
    assert formats.percent(-0.0014) == "0 %"
    assert formats.number(-0.2) == "0"
    assert formats.change(5, 0) == ""
    assert formats.change(None, 3) == ""


@pytest.mark.parametrize(
    ("minutes", "words"),
    [(5, "5 min left"), (-90, "1 h late"), (60 * 72, "3 d left"), (0, "1 min left")],
)
def test_what_is_left_of_a_clock(minutes: int, words: str) -> None:
    assert formats.left(NOW + timedelta(minutes=minutes), NOW) == words


def test_days_near_have_names() -> None:
    assert formats.moment(NOW - timedelta(hours=2), NOW, UTC) == "today 10:00"
    assert formats.day(NOW - timedelta(days=1), NOW, UTC) == "yesterday"
    assert formats.day(datetime(2026, 11, 14, tzinfo=UTC), NOW, UTC) == "Sat 14 Nov"
    assert formats.day(datetime(2025, 11, 14, tzinfo=UTC), NOW, UTC) == "14 Nov 2025"


def test_small_things() -> None:
    assert formats.ago(NOW - timedelta(seconds=20), NOW) == "just now"
    assert formats.minutes(3.6) == "≈ 4 min"
    assert formats.minutes(75) == "≈ 1 h 15"
    assert formats.seconds(38.4) == "0:38"
    assert formats.miles(2.13) == "2.1 mi"
    assert formats.percent(0.614) == "61 %"
    assert formats.phone("+12065550142") == "(206) 555-0142"
    assert formats.phone("112") == "112"
    assert formats.size(1_258_291) == "1.3 MB"
    assert formats.size(999) == "999 B"


def test_times_are_told_on_the_wall_clock_of_now() -> None:
    there = NOW.astimezone(ZoneInfo("America/Los_Angeles"))

    assert formats.moment(NOW, there) == f"today {there:%H:%M}"
    assert formats.clock(there) == f"{there:%H:%M}"


@pytest.mark.parametrize(
    ("seconds", "words"), [(-3, "now"), (0.2, "now"), (20, "in 20 s"), (99, "in 99 s"), (240, "at 12:04")]
)
def test_what_comes_soon_is_counted_down_and_else_told_by_the_clock(seconds: float, words: str) -> None:
    now = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)

    assert formats.soon(now + timedelta(seconds=seconds), now, UTC) == words
