"""Which days, hours and moments a timeframe is made of, office by office, and the equal part before it.

The last 24 hours and 7 days roll with the clock. Longer times, and money always (a closing has a day, no hour), go by days
at the office: the last of them is today so far, and it is compared with the same part of its day before. Offices in
different zones may have different days: the whole brokerage is read from its own rows, and offices whose days differ are
put right by adding theirs and taking away what the whole counted for them. So whole = Σ offices = facts, exactly.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from backend.storage.warehouse.offices import Office
from backend.storage.warehouse.ranges import (
    HOUR,
    OWN,
    Days,
    Moments,
    Span,
    ceil,
    floor,
    hour_number,
    hour_of,
)
from backend.storage.warehouse.ranges import date_key as date_key  # services name days by these two as well
from backend.storage.warehouse.ranges import day_of as day_of
from backend.storage.warehouse.scope import ALL
from backend.storage.warehouse.where import Within

ASKED, BEFORE = 1, 2
"""Tags of the time asked for and of the equal part before it."""
DAYS: Mapping[str, int] = {"24h": 1, "7d": 7, "30d": 30, "90d": 90, "1y": 365}
ROLLING: Mapping[str, timedelta] = {"24h": timedelta(hours=24), "7d": timedelta(days=7)}
_LONG_AGO = datetime(1900, 1, 1, tzinfo=UTC)
ONE_DAY = timedelta(days=1)
_WESTERNMOST = timedelta(hours=12)
"""Behind UTC: where a day ends last."""


Dates = tuple[date, date]
"""First and last; nothing where the last is before the first."""
Times = tuple[datetime, datetime]
"""[since, until); nothing where they are the same."""
Range = tuple[int, int]
"""First, and the first that is no more in it: of days or hours by their numbers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar:
    """Days and hours of some offices, seen from `now`. `whole`: they are all there are."""

    offices: tuple[Office, ...]
    whole: bool
    now: datetime

    @property
    def in_one_zone(self) -> bool:
        return len({office.zone.key for office in self.offices}) <= 1

    @property
    def end(self) -> datetime:
        """Of the hour that runs: what is stored of it is all of it so far."""
        return floor(self.now) + HOUR

    def today(self, office: Office) -> date:
        return self.now.astimezone(office.zone).date()

    def cut(self, office: Office, count: int) -> datetime:
        """This time of day, `count` days ago, on the office's clock."""
        local = self.now.astimezone(office.zone)
        return datetime.combine(local.date() - count * ONE_DAY, local.time(), office.zone).astimezone(UTC)

    def asked(self, timeframe: str, *, money: bool = False, spread: bool = False) -> Span:
        """The time asked for, as one sum. `spread`: office by office, for questions that divide by them."""
        if rolls(timeframe, money=money):
            since = self.now - ROLLING[timeframe]
            return self._moments(lambda _: (since, self.end), ASKED, spread=spread)
        return self.last_days(DAYS[timeframe], tag=ASKED, spread=spread)

    def before(self, timeframe: str, *, money: bool = False) -> Span:
        """The equal part before it, as one sum."""
        if rolls(timeframe, money=money):
            length = ROLLING[timeframe]
            return self._moments(lambda _: (self.now - 2 * length, self.now - length), BEFORE)
        count = DAYS[timeframe]
        full = Span(days=self._days(lambda office: self._ago(office, 2 * count - 1, count + 1), BEFORE))
        return full + (
            self._ledger(count) if money else self._moments(lambda o: self._so_far(o, count), BEFORE)
        )

    def by_day(self, timeframe: str, *, money: bool = False, spread: bool = False) -> Span:
        """The time asked for, day by day: tags are date keys. A rolling one begins with a part of a day."""
        if not rolls(timeframe, money=money):
            return self.last_days(DAYS[timeframe], spread=spread)
        since = self.now - ROLLING[timeframe]
        firsts = {office.key: since.astimezone(office.zone).date() for office in self.offices}
        span = Span(days=self._days(lambda o: (firsts[o.key] + ONE_DAY, self.today(o)), OWN, spread=spread))
        for first in sorted(set(firsts.values())):
            span += self._of_first_day(since, first, firsts, spread=spread)
        return span

    def last_days(self, count: int, *, tag: int = OWN, spread: bool = False) -> Span:
        """Today and the days before it, `count` of them."""
        return Span(days=self._days(lambda office: self._ago(office, count - 1, 0), tag, spread=spread))

    def since(self, count: int) -> tuple[Days, ...]:
        """All days from the first of the last `count` on: what came and went after that moment, day by day."""
        return self._days(lambda office: (self._ago(office, count - 1, 0)[0], date.max), OWN)

    def within(self, count: int, *, bounds: bool = True, received_by: datetime | None = None) -> Within:
        """Today and the days before it as facts know them. `bounds`: no fact of these days happened beyond them."""
        ranges: dict[tuple[int, int], list[int]] = {}
        for office in self.offices:
            first, last = self._ago(office, count - 1, 0)
            ranges.setdefault((date_key(first), date_key(last)), []).append(office.key)
        starts = [midnight(self._ago(office, count - 1, 0)[0], office.zone) for office in self.offices]
        ends = [midnight(self.today(office) + ONE_DAY, office.zone) for office in self.offices]
        return Within(
            keys=tuple(office.key for office in self.offices),
            since=min(starts, default=None) if bounds else None,
            until=max(ends, default=None) if bounds else None,
            days=tuple((tuple(keys), first, last) for (first, last), keys in ranges.items()),
            received_by=received_by,
        )

    def last_hours(self, count: int) -> Span:
        """The running hour and those before it, tagged by their numbers."""
        return self._moments(lambda _: (self.end - count * HOUR, self.end), OWN)

    def by_hour(self, timeframe: str, *, spread: bool = False) -> Span:
        """The time asked for, hour by hour: tags are numbers of hours."""
        if timeframe in ROLLING:
            since = self.now - ROLLING[timeframe]
            return self._moments(lambda _: (since, self.end), OWN, spread=spread)
        back = (DAYS[timeframe] - 1) * ONE_DAY
        return self._moments(
            lambda office: (midnight(self.today(office) - back, office.zone), self.end), OWN, spread=spread
        )

    def _ago(self, office: Office, first: int, last: int) -> Dates:
        today = self.today(office)
        return today - first * ONE_DAY, today - last * ONE_DAY

    def _so_far(self, office: Office, count: int) -> Times:
        """The day `count` days ago, until this time of day."""
        return midnight(self.today(office) - count * ONE_DAY, office.zone), self.cut(office, count)

    def _of_first_day(
        self, since: datetime, first: date, firsts: Mapping[int, date], *, spread: bool
    ) -> Span:
        """What is left of the day `first` in the offices where a rolling time begins on it."""

        def left(office: Office) -> Times:
            mine = firsts[office.key] == first
            return since, midnight(first + ONE_DAY, office.zone) if mine else since

        return self._moments(left, date_key(first), spread=spread)

    def _ledger(self, count: int) -> Span:
        """Money of the day `count` days ago that was known by this time of that day."""
        return Span(
            edges=tuple(
                Moments(
                    place=office.key,
                    since=_LONG_AGO,
                    until=self.cut(office, count),
                    tag=BEFORE,
                    day=date_key(self.today(office) - count * ONE_DAY),
                )
                for office in self.offices
            )
        )

    def _days(self, dates: Callable[[Office], Dates], tag: int, *, spread: bool = False) -> tuple[Days, ...]:
        wanted = {}
        for office in self.offices:
            first, last = dates(office)
            wanted[office.key] = (first.toordinal(), last.toordinal() + 1)
        return tuple(
            Days(
                place=place,
                first=date_key(date.fromordinal(first)),
                last=date_key(date.fromordinal(end - 1)),
                tag=tag,
                sign=sign,
            )
            for place, (first, end), sign in self._gathered(wanted, spread=spread)
        )

    def _moments(self, times: Callable[[Office], Times], tag: int, *, spread: bool = False) -> Span:
        wanted = {office.key: times(office) for office in self.offices}
        hours = {}
        for key, asked in wanted.items():
            first, last = whole_hours(*asked)
            hours[key] = (hour_number(first), hour_number(last))
        return Span(
            hours=tuple(
                Moments(place=place, since=hour_of(first), until=hour_of(end), tag=tag, sign=sign)
                for place, (first, end), sign in self._gathered(hours, spread=spread)
            ),
            edges=tuple(
                Moments(place=key, since=since, until=until, tag=tag)
                for key, asked in wanted.items()
                for since, until in edges(*asked)
            ),
        )

    def _gathered(self, wanted: Mapping[int, Range], *, spread: bool) -> list[tuple[int, Range, int]]:
        """(place, range, sign): office by office, or the whole with what differs at either end put right."""
        if not wanted:
            return []
        if spread or not self.whole:
            found = [(key, asked, 1) for key, asked in wanted.items()]
        else:
            usual = Counter(wanted.values()).most_common(1)[0][0]
            found = [(ALL, usual, 1)]
            for key, (first, end) in wanted.items():
                found.append((key, (first, usual[0]), 1))
                found.append((key, (usual[0], first), -1))
                found.append((key, (usual[1], end), 1))
                found.append((key, (end, usual[1]), -1))
        return [(place, (first, end), sign) for place, (first, end), sign in found if first < end]


def rolls(timeframe: str, *, money: bool = False) -> bool:
    """Whether it is counted from moment to moment, not by days at the office."""
    return timeframe in ROLLING and not money


def last_complete(offices: Sequence[Office], now: datetime) -> date:
    """The last day that is over at every one of these offices (at all of the world's, where none is named)."""
    days = [now.astimezone(office.zone).date() for office in offices] or [(now - _WESTERNMOST).date()]
    return min(days) - ONE_DAY


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """The day's first moment at the office, in UTC."""
    return datetime.combine(day, time(), zone).astimezone(UTC)


def whole_hours(since: datetime, until: datetime) -> Times:
    """The hours that lie in it whole; empty where none does."""
    first, last = ceil(since), floor(until)
    return (first, last) if first < last else (first, first)


def edges(since: datetime, until: datetime) -> list[Times]:
    """What is left of it beside its whole hours."""
    first, last = ceil(since), floor(until)
    parts = [(since, until)] if first > last else [(since, first), (last, until)]
    return [(a, b) for a, b in parts if a < b]
