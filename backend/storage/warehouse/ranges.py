"""What part of the warehouse a question adds up: days of the daily tables, hours of the hourly ones, moments of the facts.

And what days and hours are called there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

OWN = -1
"""A tag that stands for the row's own bucket: its date key, or its hour's number."""
FENCE = "OFFSET 0"
"""Ends a lateral query that must be walked range by range, on its index: else PostgreSQL, which does not know how small the
ranges are, reads the whole table to hash it."""
FIRST_DAY = 0
LAST_DAY = 99_991_231
HOUR = timedelta(hours=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Days:
    """Days at the office (date keys) from `first` to `last`, counted `sign` times into the group `tag`."""

    place: int
    first: int
    last: int
    tag: int = OWN
    sign: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Moments:
    """[since, until), counted `sign` times into the group `tag`; `day`: only lines of this date key."""

    place: int
    since: datetime
    until: datetime
    tag: int = OWN
    sign: int = 1
    day: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Together, once each: days and whole hours of the aggregates, and what is left at their edges, from the facts."""

    days: tuple[Days, ...] = ()
    hours: tuple[Moments, ...] = ()
    edges: tuple[Moments, ...] = ()

    def __add__(self, other: Span) -> Span:
        return Span(
            days=self.days + other.days, hours=self.hours + other.hours, edges=self.edges + other.edges
        )


DAY_ROWS = (
    "unnest($1::int[], $2::int[], $3::int[], $4::int[], $5::int[]) AS r (tag, sign, place, first, last)"
)
"""Ranges of days as rows, out of `day_columns`."""
MOMENT_ROWS = (
    "unnest($1::int[], $2::int[], $3::int[], $4::timestamptz[], $5::timestamptz[])"
    " AS r (tag, sign, place, since, until)"
)
"""Ranges of moments as rows, out of `moment_columns`."""


def day_columns(days: Sequence[Days]) -> tuple[list[int], ...]:
    """The parameters of `DAY_ROWS`."""
    return (
        [day.tag for day in days],
        [day.sign for day in days],
        [day.place for day in days],
        [day.first for day in days],
        [day.last for day in days],
    )


def moment_columns(moments: Sequence[Moments]) -> tuple[list[object], ...]:
    """The parameters of `MOMENT_ROWS`."""
    return (
        [moment.tag for moment in moments],
        [moment.sign for moment in moments],
        [moment.place for moment in moments],
        [moment.since for moment in moments],
        [moment.until for moment in moments],
    )


Group = tuple[int, ...]
"""A tag, then the keys that a question divides by."""
Sums = dict[Group, dict[str, int]]
"""Group → measure → its sum."""


def date_key(day: date) -> int:
    """What the warehouse calls a day: YYYYMMDD as a number."""
    return day.year * 10_000 + day.month * 100 + day.day


def day_of(key: int) -> date:
    return date(key // 10_000, key // 100 % 100, key % 100)


def hour_name(moment: datetime) -> str:
    """What tags call the hour of a moment in UTC: YYYYMMDDHH."""
    return f"{moment:%Y%m%d%H}"


def hour_number(moment: datetime) -> int:
    """Whole hours since 1970; an `OWN` tag of hourly rows."""
    return (moment - _EPOCH) // HOUR


def hour_of(number: int) -> datetime:
    return _EPOCH + number * HOUR


def floor(moment: datetime) -> datetime:
    """The hour's beginning."""
    return hour_of(hour_number(moment))


def ceil(moment: datetime) -> datetime:
    begin = floor(moment)
    return begin if begin == moment else begin + HOUR
