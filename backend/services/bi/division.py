"""What a drill-down divides: a figure, a time, places and filters, as facts and as aggregates know them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from backend.metrics import MEASURES, Dimension, Figure
from backend.metrics.measures import MONEY
from backend.services.bi import spans
from backend.services.bi.spans import Calendar
from backend.storage.warehouse.ranges import Moments, Span, day_of, hour_of
from backend.storage.warehouse.scope import ALL
from backend.storage.warehouse.where import Filters, Key, Within, beyond

if TYPE_CHECKING:
    from datetime import datetime

UNDIVIDED = ""
"""In place of a dimension: the figure as one, where the aggregates know all that it filters by."""
_IN_AGGREGATES = frozenset({UNDIVIDED, Dimension.LOCATION, Dimension.BOT, Dimension.DAY, Dimension.HOUR})
_TIMES = frozenset({Dimension.DAY, Dimension.HOUR})


@dataclass(frozen=True, slots=True, kw_only=True)
class Division:
    """What to divide: `keys` are the places, `filters` all others. `received_by` pins a page to those before it.

    `hours`: only from the one on, before the other (their numbers); a figure with hours is no money.
    """

    figure: Figure
    timeframe: str
    calendar: Calendar
    by: str
    filters: Filters
    received_by: datetime | None = None
    hours: tuple[int, int] | None = None

    @property
    def money(self) -> bool:
        return MEASURES[self.figure.measures[0]].fact == MONEY if self.figure.measures else False

    @property
    def keys(self) -> tuple[int, ...]:
        return tuple(office.key for office in self.calendar.offices)

    @property
    def places(self) -> tuple[int, ...]:
        """The keys to add up in the aggregates."""
        return (ALL,) if self.calendar.whole else self.keys

    @property
    def bots(self) -> list[int] | None:
        wanted = self.filters.get(Dimension.BOT)
        return None if wanted is None else [int(key) for key in wanted if key is not None]

    @property
    def lead_filters(self) -> Filters | None:
        """Which of the active leads it counts; None where that is none of them."""
        if self.figure.name != "hot_leads":
            return self.filters
        if "hot" not in self.filters.get(Dimension.TEMPERATURE, ("hot",)):
            return None
        return {**self.filters, Dimension.TEMPERATURE: ("hot",)}

    @property
    def aggregated(self) -> bool:
        """Whether the aggregates know all it asks for; they can't divide days by hours."""
        used = {self.by, *self.filters}
        return used <= _IN_AGGREGATES and len(used & _TIMES) <= 1

    def within(self) -> Within:
        """The time, for facts."""
        if spans.rolls(self.timeframe, money=self.money):
            since = self.calendar.now - spans.ROLLING[self.timeframe]
            found = Within(keys=self.keys, since=since, until=self.calendar.end, received_by=self.received_by)
        else:
            found = self.calendar.within(
                spans.DAYS[self.timeframe], bounds=not self.money, received_by=self.received_by
            )
        if (days := self.filters.get(Dimension.DAY)) and not self.money:
            picked = [day_of(int(key)) for key in days if key is not None]
            found = found.bounded(*beyond(min(picked), max(picked)))
        if bounds := self._hours():
            found = found.bounded(*map(hour_of, bounds))
        return found

    def _hours(self) -> tuple[int, int] | None:
        """The hours in which all lies that may count."""
        picked = [int(key) for key in self.filters.get(Dimension.HOUR, ()) if key is not None]
        if not picked:
            return self.hours
        first, end = self.hours or (min(picked), max(picked) + 1)
        return max(first, min(picked)), min(end, max(picked) + 1)

    def within_stock(self) -> Within:
        """All of the ledger: what stands is what all of its lines sum to."""
        return Within(keys=self.keys, received_by=self.received_by)

    def span(self) -> Span:
        """The time, for aggregates: tagged by day or hour where one of them is asked about."""
        spread = self.by == Dimension.LOCATION
        if Dimension.DAY in (self.by, *self.filters):
            return self.calendar.by_day(self.timeframe, money=self.money, spread=spread)
        if Dimension.HOUR in (self.by, *self.filters):
            span = self.calendar.by_hour(self.timeframe, spread=spread)
            bounds = self._hours()
            return _clipped(span, *map(hour_of, bounds)) if bounds else span
        return self.calendar.asked(self.timeframe, money=self.money, spread=spread)

    def key_of(self, group: Sequence[int]) -> Key:
        """Of a group of sums: its tag for times, its own key else."""
        if self.by == UNDIVIDED:
            return None
        return group[0] if self.by in _TIMES else group[1]

    def counts(self, group: Sequence[int]) -> bool:
        """Whether the day or hour is one of those that were picked."""
        wanted = self.filters.get(Dimension.DAY) or self.filters.get(Dimension.HOUR)
        return wanted is None or group[0] in wanted


def _clipped(span: Span, since: datetime, until: datetime) -> Span:
    def some(moments: Sequence[Moments]) -> tuple[Moments, ...]:
        return tuple(
            replace(one, since=max(one.since, since), until=min(one.until, until))
            for one in moments
            if one.since < until and one.until > since
        )

    return Span(hours=some(span.hours), edges=some(span.edges))
