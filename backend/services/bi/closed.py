"""Sums over a span, its closed buckets out of memory: days and hours that are over change only by late news, which is heard of.

So that an answer that was touched a moment ago is mostly there already, and only today is counted. REST and live channels come here
alike.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from itertools import chain, product
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from backend.cache.buckets import DAY, HOUR, Block, Columns, Grain, Numbers, Rows, View
from backend.services.bi.over import split
from backend.services.bi.spans import Calendar, date_key, day_of
from backend.storage.warehouse import latencies, sums
from backend.storage.warehouse.latencies import CELLS, Histograms
from backend.storage.warehouse.ranges import (
    OWN,
    Days,
    Group,
    Moments,
    Span,
    Sums,
    hour_number,
    hour_of,
)

if TYPE_CHECKING:
    from backend.deps import Deps
    from backend.storage.pool import Connection

SUMS, LATENCIES, OPEN = "closed_sums", "closed_latencies", "open"
"""Buckets, as the cache's statistics name them."""
EARNED = ("won_gross_cents", "won_company_cents", "won_price_cents", "deals_won", "deals_lost", "deals_added")
"""Measures of money that answers read together, so that one's closed days are there for the other."""

_Values = NDArray[np.int64]
_Read = Callable[[Span], Awaitable[Mapping[Group, _Values]]]


@dataclass(frozen=True, slots=True)
class _Range:
    """Closed days or hours of a place, [first, end) by their numbers, and how they are counted into the question's group."""

    grain: Grain
    place: int
    first: int
    end: int
    tag: int
    sign: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """Reads for one question, in its snapshot of the warehouse; `view` was taken before that was opened."""

    deps: Deps
    connection: Connection
    calendar: Calendar
    view: View
    ahead: bool = False
    """Only fills the memory: nobody waits for the sums, and the statistics don't hear of it."""

    async def sums(
        self,
        measures: Sequence[str],
        span: Span,
        *,
        by: Sequence[str] = (),
        bots: Sequence[int] | None = None,
    ) -> Sums:
        """As `warehouse.sums.of_span`; `bots` only together with `by` bots."""
        over, running = self._split(span)
        names = tuple(measures)

        async def read(missing: Span) -> Mapping[Group, _Values]:
            part = await sums.of_span(self.connection, names, missing, by=(sums.PLACE, *by))
            # That there is a row, though all in it be nothing, is told by a one in front.
            return {group: np.array([1, *(row[name] for name in names)]) for group, row in part.items()}

        kind = (SUMS, names, tuple(by))
        found: Sums = {}
        for group, values in await self._closed(SUMS, kind, len(names) + 1, over, read):
            if _counts(group, bots):
                _add(found, group, dict(zip(names, values[1:].tolist(), strict=True)))
        for group, row in (await sums.of_span(self.connection, names, running, by=by, bots=bots)).items():
            _add(found, group, row)
        return found

    async def latencies(
        self, kind: str, span: Span, *, by: Sequence[str] = (), bots: Sequence[int] | None = None
    ) -> Histograms:
        """As `warehouse.latencies.of_span`; `bots` only together with `by` bots."""
        over, running = self._split(span)

        async def read(missing: Span) -> Mapping[Group, _Values]:
            return await latencies.of_span(self.connection, kind, missing, by=(sums.PLACE, *by))

        closed = await self._closed(LATENCIES, (LATENCIES, kind, tuple(by)), CELLS, over, read)
        now = await latencies.of_span(self.connection, kind, running, by=by, bots=bots)
        found: Histograms = {}
        for group, counts in chain(closed, now.items()):
            if _counts(group, bots):
                found[group] = found[group] + counts if group in found else counts
        return found

    def _split(self, span: Span) -> tuple[Span, Span]:
        over, running = split(span, self.calendar)
        if not self.ahead:
            opened = len(running.days) + len(running.hours) + len(running.edges)
            self.deps.answers.stats.bucket(OPEN, misses=opened)
        return over, running

    async def _closed(
        self, what: str, kind: Any, length: int, over: Span, read: _Read
    ) -> Iterable[tuple[Group, _Values]]:
        """Each group of closed buckets: from memory, and what is missing there read at once and kept."""
        buckets = self.deps.answers.buckets
        total = _Total(buckets.columns(kind, length, small=what == LATENCIES))
        places = by_place(over)
        missing: dict[tuple[Grain, int], Numbers] = {}
        for (grain, place), ranges in places.items():
            wanted = [(one.first, one.end) for one in ranges]
            blocks, lacking = buckets.look(kind, grain, place, wanted, None if self.ahead else what)
            total.add(ranges, blocks)
            if len(lacking):
                missing[grain, place] = lacking
        if missing:
            fresh = _rows(missing, await read(span_of(missing)), total.columns)
            for rows in fresh:
                total.add(places[rows.grain, rows.place], [rows])
            buckets.keep(kind, fresh, self.view)
        return () if self.ahead else total.groups()


@dataclass(slots=True)
class _Total:
    """Adds ranges up, column by column."""

    columns: Columns
    _whole: dict[int, list[tuple[int, _Values]]] = field(default_factory=dict)
    _own: dict[Grain, list[tuple[int, Numbers, _Values]]] = field(default_factory=dict)

    def add(self, ranges: Iterable[_Range], held: Iterable[Block | Rows]) -> None:
        """What is held of these ranges; it may change afterwards."""
        for one, rows in product(ranges, held):
            if one.first >= rows.end or one.end <= rows.first:
                continue
            numbers, values = rows.within(one.first, one.end)
            if one.tag == OWN:
                self._own.setdefault(one.grain, []).append((one.sign, numbers, values.copy()))
            else:
                self._whole.setdefault(one.tag, []).append((one.sign, values.sum(axis=0)))

    def groups(self) -> Iterator[tuple[Group, _Values]]:
        """Those of which there is anything, each with its values in all places."""
        whole = [(n, *part) for n, parts in enumerate(self._whole.values()) for part in parts]
        yield from self._of([*self._whole], whole)
        for grain, found in self._own.items():
            pieces = [piece for piece in found if len(piece[1])]
            if not pieces:
                continue
            first = min(int(numbers[0]) for _, numbers, _ in pieces)
            end = max(int(numbers[-1]) for _, numbers, _ in pieces) + 1
            tags = [_own_tag(grain, number) for number in range(first, end)]
            yield from self._of(tags, [(numbers - first, sign, values) for sign, numbers, values in pieces])

    def _of(
        self, tags: Sequence[int], parts: Iterable[tuple[int | Numbers, int, _Values]]
    ) -> Iterator[tuple[Group, _Values]]:
        """Of (which of `tags`, sign, values)."""
        summed = np.zeros((len(tags), self.columns.count), np.int64)
        there = np.zeros(summed.shape, bool)
        for rows, sign, values in parts:
            width = values.shape[-1]
            summed[rows, :width] += sign * values
            there[rows, :width] |= values != 0
        for group, columns in self.columns.of.items():
            places = np.flatnonzero(columns >= 0)
            mine = columns[places]
            for row in np.flatnonzero(there[:, mine].any(axis=1)).tolist():
                found = np.zeros(self.columns.length, np.int64)
                found[places] = summed[row, mine]
                yield (tags[row], *group), found


def by_place(over: Span) -> dict[tuple[Grain, int], list[_Range]]:
    """Its ranges by grain and place."""
    places: dict[tuple[Grain, int], list[_Range]] = {}
    for one in _ranges(over):
        places.setdefault((one.grain, one.place), []).append(one)
    return places


def _ranges(over: Span) -> Iterator[_Range]:
    for days in over.days:
        first, end = day_of(days.first).toordinal(), day_of(days.last).toordinal() + 1
        if first < end:
            yield _Range(DAY, days.place, first, end, days.tag, days.sign)
    for moments in over.hours:
        first, end = hour_number(moments.since), hour_number(moments.until)
        if first < end:
            yield _Range(HOUR, moments.place, first, end, moments.tag, moments.sign)


@lru_cache(maxsize=20_000)
def _own_tag(grain: Grain, number: int) -> int:
    return date_key(date.fromordinal(number)) if grain == DAY else number


@lru_cache(maxsize=20_000)
def _number(grain: Grain, tag: int) -> int:
    return day_of(tag).toordinal() if grain == DAY else tag


def span_of(missing: Mapping[tuple[Grain, int], Numbers]) -> Span:
    """Neighbours as one range, each bucket in a group of its own."""
    days: list[Days] = []
    hours: list[Moments] = []
    for (grain, place), numbers in missing.items():
        for run in np.split(numbers, np.flatnonzero(np.diff(numbers) > 1) + 1):
            first, last = int(run[0]), int(run[-1])
            if grain == DAY:
                days.append(Days(place=place, first=_own_tag(DAY, first), last=_own_tag(DAY, last)))
            else:
                hours.append(Moments(place=place, since=hour_of(first), until=hour_of(last + 1)))
    return Span(days=tuple(days), hours=tuple(hours))


def _rows(
    missing: Mapping[tuple[Grain, int], Numbers], found: Mapping[Group, _Values], columns: Columns
) -> list[Rows]:
    """What was read, as the places keep it; buckets without anything are rows too."""
    cut: dict[tuple[Grain, int], list[tuple[int, Numbers, _Values]]] = {key: [] for key in missing}
    for (tag, place, *group), values in found.items():
        grain: Grain = DAY if tag >= _LEAST_DATE_KEY else HOUR
        seen = np.flatnonzero(values)
        at = columns.at(tuple(group), seen)
        cut[grain, place].append((_number(grain, tag), at, values[seen]))
    made = []
    for (grain, place), numbers in missing.items():
        matrix = np.zeros((len(numbers), columns.count), np.int64)
        for number, at, values in cut[grain, place]:
            matrix[np.searchsorted(numbers, number), at] = values
        made.append(Rows(grain, place, numbers, matrix))
    return made


_LEAST_DATE_KEY = 10_000_000
"""Numbers of hours stay below it for another thousand years."""


def _counts(group: Group, bots: Sequence[int] | None) -> bool:
    return bots is None or group[1] in bots


def _add(found: Sums, group: Group, row: Mapping[str, int]) -> None:
    held = found.setdefault(group, dict.fromkeys(row, 0))
    for name, value in row.items():
        held[name] += value
