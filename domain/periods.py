"""Periods of time and the equal part of the one before, so that comparisons are fair."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """[start, end) and the equal part of the period before it, with words for it."""

    start: datetime
    end: datetime
    previous_start: datetime
    previous_end: datetime
    label: str


TIMEFRAMES: Mapping[str, timedelta] = {
    "24h": timedelta(hours=24),
    "7d": timedelta(days=7),
    "30d": timedelta(days=30),
    "90d": timedelta(days=90),
    "1y": timedelta(days=365),
}


def rolling(timeframe: str, now: datetime) -> Period:
    """The last 24h, 7d, 30d, 90d or 1y against the same length before it. Raises: KeyError."""
    length = TIMEFRAMES[timeframe]
    return Period(
        start=now - length,
        end=now,
        previous_start=now - 2 * length,
        previous_end=now - length,
        label=f"last {timeframe} against the {timeframe} before",
    )


def month_to_date(now: datetime, zone: tzinfo) -> Period:
    """This month so far against as much of the month before: day 12 of 30 against day 12."""
    local = now.astimezone(zone)
    start = local.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    last_of_previous = start - timedelta(days=1)
    previous = last_of_previous.replace(day=1)
    same_day = min(local.day, last_of_previous.day)
    end = local.replace(year=previous.year, month=previous.month, day=same_day)
    days = ((start + timedelta(days=32)).replace(day=1) - timedelta(days=1)).day
    return Period(
        start=start.astimezone(now.tzinfo),
        end=now,
        previous_start=previous.astimezone(now.tzinfo),
        previous_end=end.astimezone(now.tzinfo),
        label=f"day {local.day} of {days} against day {same_day}",
    )
