"""Periods and the equal part of the one before."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from domain import periods

PACIFIC = ZoneInfo("America/Los_Angeles")


@pytest.mark.parametrize(("name", "days"), [("24h", 1), ("7d", 7), ("30d", 30), ("90d", 90), ("1y", 365)])
def test_rolling_periods_have_equal_length(name: str, days: int) -> None:
    now = datetime(2026, 11, 22, 12, tzinfo=UTC)

    found = periods.rolling(name, now)

    assert found.end - found.start == found.previous_end - found.previous_start == timedelta(days=days)
    assert (found.end, found.previous_end) == (now, found.start)


def test_an_unknown_timeframe_is_refused() -> None:
    with pytest.raises(KeyError):
        periods.rolling("2w", datetime(2026, 11, 22, tzinfo=UTC))


def test_day_12_of_30_is_compared_with_day_12() -> None:
    now = datetime(2026, 11, 12, 9, 30, tzinfo=PACIFIC).astimezone(UTC)

    found = periods.month_to_date(now, PACIFIC)

    assert found.label == "day 12 of 30 against day 12"
    assert found.start == datetime(2026, 11, 1, tzinfo=PACIFIC)
    assert found.previous_start == datetime(2026, 10, 1, tzinfo=PACIFIC)
    assert found.previous_end == datetime(2026, 10, 12, 9, 30, tzinfo=PACIFIC)


def test_the_31st_is_compared_with_the_last_day_of_a_shorter_month() -> None:
    found = periods.month_to_date(datetime(2026, 3, 31, 12, tzinfo=UTC), UTC)

    assert found.previous_end == datetime(2026, 2, 28, 12, tzinfo=UTC)
    assert found.label == "day 31 of 31 against day 28"


def test_january_is_compared_with_december() -> None:
    found = periods.month_to_date(datetime(2026, 1, 5, tzinfo=UTC), UTC)

    assert found.previous_start == datetime(2025, 12, 1, tzinfo=UTC)
