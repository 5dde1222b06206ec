"""What an answer depends on: the tags whose versions are part of its key."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from backend.storage.warehouse.ranges import date_key, hour_name
from backend.stream import entries

_HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """The locations, and which hours (UTC, both ends included) or days at the office of theirs are added up.

    `stock`: leads and deals as they stand belong to it as well.
    """

    places: tuple[int, ...]
    hours: tuple[datetime, datetime] | None = None
    days: tuple[date, date] | None = None
    stock: bool = False

    def tags(self) -> tuple[str, ...]:
        """Whole months and whole UTC days by one tag each, the rest day by day and hour by hour."""
        found: list[str] = []
        for place in self.places:
            if self.stock:
                found.append(entries.stock_tag(place))
            if self.days is not None:
                found.extend(_of_days(place, *self.days))
            if self.hours is not None:
                found.extend(_of_hours(place, *self.hours))
        return tuple(found)


def with_wider(tags: Iterable[str]) -> tuple[str, ...]:
    """The tags with those of the months and UTC days that they lie in."""
    found: dict[str, None] = {}
    for tag in tags:
        found[tag] = None
        head, _, bucket = tag.rpartition(":")
        place, _, kind = head.rpartition(":")
        if kind == "h":
            found[f"{place}:u:{bucket[:8]}"] = None
        elif kind == "d":
            found[f"{place}:m:{bucket[:6]}"] = None
    return tuple(found)


def _of_days(place: int, first: date, last: date) -> Iterator[str]:
    day = first
    while day <= last:
        next_month = (day.replace(day=1) + timedelta(days=32)).replace(day=1)
        if day.day == 1 and next_month <= last + timedelta(days=1):
            yield f"loc:{place}:m:{day:%Y%m}"
            day = next_month
        else:
            yield entries.day_tag(place, date_key(day))
            day += timedelta(days=1)


def _of_hours(place: int, first: datetime, last: datetime) -> Iterator[str]:
    hour = first.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    end = last.astimezone(UTC)
    while hour <= end:
        if hour.hour == 0 and hour + 23 * _HOUR <= end:
            yield f"loc:{place}:u:{hour:%Y%m%d}"
            hour += 24 * _HOUR
        else:
            yield entries.hour_tag(place, hour_name(hour))
            hour += _HOUR
