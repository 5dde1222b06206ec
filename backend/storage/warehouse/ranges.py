"""What part of the warehouse a question adds up: days of the daily tables, hours of the hourly ones, moments of the facts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

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


Group = tuple[int, ...]
"""A tag, then the keys that a question divides by."""
Sums = dict[Group, dict[str, int]]
"""Group → measure → its sum."""


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
