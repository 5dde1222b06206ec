"""The points a timeframe is drawn with: the same for every figure, so that one list says when each begins."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from zoneinfo import ZoneInfo

from backend.services.bi import spans
from backend.services.bi.spans import Calendar
from backend.storage.warehouse.ranges import HOUR, Days, Span, hour_number, hour_of

COUNT: Mapping[str, int] = {"24h": 24, "7d": 7, "30d": 30, "90d": 18, "1y": 12}
"""Of a sparkline."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """A sparkline's point: tags from `first` to `last` (date keys, or numbers of hours)."""

    first: int
    last: int
    hour: bool = False

    def of(self, tags: Iterable[int]) -> list[int]:
        return [tag for tag in tags if self.first <= tag <= self.last]

    @property
    def begins(self) -> str:
        """The day at the office, or the hour in UTC, in ISO's words."""
        return (hour_of(self.first) if self.hour else spans.day_of(self.first)).isoformat()

    def times(self, zone: ZoneInfo) -> spans.Times:
        """[since, until) on the clock of an office there."""
        if self.hour:
            return hour_of(self.first), hour_of(self.last + 1)
        since, after = spans.day_of(self.first), spans.day_of(self.last) + spans.ONE_DAY
        return spans.midnight(since, zone), spans.midnight(after, zone)


def of(calendar: Calendar, timeframe: str) -> Sequence[Point]:
    """`COUNT` of them, the earliest first; none without offices."""
    if not calendar.offices:
        return []
    return of_hours(calendar) if timeframe == "24h" else of_days(calendar, timeframe)


def of_days(calendar: Calendar, timeframe: str) -> Sequence[Point]:
    """Equal parts of the days of the timeframe; the last ends today, where today is latest."""
    count, parts = spans.DAYS[timeframe], COUNT[timeframe]
    today = max(calendar.today(office) for office in calendar.offices)
    begin = today - (count - 1) * spans.ONE_DAY
    edges = [begin + n * count // parts * spans.ONE_DAY for n in range(parts + 1)]
    return [
        Point(first=spans.date_key(edges[n]), last=spans.date_key(edges[n + 1] - spans.ONE_DAY))
        for n in range(parts)
    ]


def of_hours(calendar: Calendar) -> Sequence[Point]:
    """The last 24 hours of the clock, the running one included."""
    last = hour_number(calendar.end - HOUR)
    return [Point(first=number, last=number, hour=True) for number in range(last - 23, last + 1)]


def series(calendar: Calendar, timeframe: str) -> Span:
    """Whole hours of the clock for a day, days at the office for more, point by point: each tagged by its first."""
    if timeframe == "24h":
        return calendar.last_hours(24)
    days = calendar.last_days(spans.DAYS[timeframe]).days
    return Span(days=gathered(days, of(calendar, timeframe)))


def gathered(days: Iterable[Days], points: Sequence[Point]) -> tuple[Days, ...]:
    """Days in points of `of_days` as one group of each point, tagged by its first day; all others stay as they are."""
    return tuple(part for one in days for part in _gathered(one, points)) if points else tuple(days)


def _gathered(one: Days, points: Sequence[Point]) -> Iterable[Days]:
    for point in points:
        if point.first <= one.last and point.last >= one.first:
            first, last = max(one.first, point.first), min(one.last, point.last)
            yield replace(one, first=first, last=last, tag=point.first)
    before = spans.date_key(spans.day_of(points[0].first) - spans.ONE_DAY)
    after = spans.date_key(spans.day_of(points[-1].last) + spans.ONE_DAY)
    if one.first <= before:
        yield replace(one, last=min(one.last, before))
    if one.last >= after:
        yield replace(one, first=max(one.first, after))
