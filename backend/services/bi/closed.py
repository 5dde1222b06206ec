"""Sums over a span, its closed buckets out of memory: days and hours that are over change only by late news, whose versions tell.

So that an answer that was touched a moment ago is mostly there already, and only today is counted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from backend.cache.buckets import View
from backend.services.bi.spans import ONE_DAY, Calendar, date_key, day_of
from backend.storage.warehouse import latencies, sums
from backend.storage.warehouse.latencies import CELLS, Histograms
from backend.storage.warehouse.ranges import (
    FIRST_DAY,
    HOUR,
    OWN,
    Days,
    Group,
    Moments,
    Span,
    Sums,
    floor,
    hour_number,
    hour_of,
)
from backend.stream import entries

if TYPE_CHECKING:
    from backend.deps import Deps
    from backend.storage.pool import Connection

SUMS, LATENCIES = "closed-sums", "closed-latencies"
"""As the cache's statistics name them."""

_Sparse = tuple[NDArray[np.int64], NDArray[np.int64]]
"""Cells that hold something, and how much."""


@dataclass(frozen=True, slots=True)
class _Bucket:
    """A closed day or hour of a place: its tag, its own group, and how it is counted into the question's."""

    tag: str
    place: int
    own: int
    group: int
    sign: int
    hour: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """Reads for one question, in its snapshot of the warehouse; `view` was taken before that was opened."""

    deps: Deps
    connection: Connection
    calendar: Calendar
    view: View

    async def sums(self, measures: Sequence[str], span: Span) -> Sums:
        """As `warehouse.sums.of_span`."""
        over, running = split(span, self.calendar)
        found: Sums = {}
        names = tuple(measures)

        async def read(missing: Span) -> dict[Group, Any]:
            part = await sums.of_span(self.connection, names, missing, by=(sums.PLACE,))
            return {group: tuple(values[name] for name in names) for group, values in part.items()}

        for bucket, values in await self._closed(SUMS, names, over, read):
            if values is not None:
                held = found.setdefault((bucket.group,), dict.fromkeys(names, 0))
                for name, value in zip(names, values, strict=True):
                    held[name] += bucket.sign * value
        for group, running_values in (await sums.of_span(self.connection, names, running)).items():
            held = found.setdefault(group, dict.fromkeys(names, 0))
            for name, value in running_values.items():
                held[name] += value
        return found

    async def latencies(self, kind: str, span: Span) -> Histograms:
        """As `warehouse.latencies.of_span`."""
        over, running = split(span, self.calendar)

        async def read(missing: Span) -> dict[Group, Any]:
            part = await latencies.of_span(self.connection, kind, missing, by=(sums.PLACE,))
            return {group: _sparse(counts) for group, counts in part.items()}

        found: Histograms = {}
        for bucket, sparse in await self._closed(LATENCIES, kind, over, read):
            if sparse is not None:
                cells, counts = sparse
                held = found.setdefault((bucket.group,), np.zeros(CELLS, np.int64))
                held[cells] += bucket.sign * counts
        for group, whole in (await latencies.of_span(self.connection, kind, running)).items():
            found[group] = found[group] + whole if group in found else whole
        return found

    async def _closed(
        self, what: str, kind: Any, over: Span, read: Callable[[Span], Any]
    ) -> Iterable[tuple[_Bucket, Any]]:
        """Each closed bucket with its value: from memory, or read together with all that are missing."""
        wanted = list(_buckets(over))
        if not wanted:
            return ()
        kept, missing = self.deps.answers.buckets.get(
            what, (what, kind), {bucket.tag: None for bucket in wanted}
        )
        if missing:
            fresh = await self._read([*{b.tag: b for b in wanted if b.tag not in kept}.values()], read)
            self.deps.answers.buckets.put((what, kind), list(fresh.items()), self.view)
            kept |= fresh
        return [(bucket, kept[bucket.tag]) for bucket in wanted]

    async def _read(self, missing: Sequence[_Bucket], read: Callable[[Span], Any]) -> dict[str, Any]:
        found: Mapping[Group, Any] = await read(
            Span(
                days=tuple(_day_ranges(bucket for bucket in missing if not bucket.hour)),
                hours=tuple(_hour_ranges(bucket for bucket in missing if bucket.hour)),
            )
        )
        return {bucket.tag: found.get((bucket.own, bucket.place)) for bucket in missing}


def split(span: Span, calendar: Calendar) -> tuple[Span, Span]:
    """What is over in every office, and what runs: today, this hour, what is read from the facts, and what has no beginning."""
    if not calendar.offices:
        return Span(), span
    today = min(calendar.today(office) for office in calendar.offices)
    first_open = date_key(today)
    over_days, running_days = _halved(
        span.days,
        lambda day: day.last < first_open and day.first != FIRST_DAY,
        lambda day: day.first >= first_open or day.first == FIRST_DAY,
        lambda day: (replace(day, last=date_key(today - ONE_DAY)), replace(day, first=first_open)),
    )
    hour = floor(calendar.now)
    over_hours, running_hours = _halved(
        span.hours,
        lambda moments: moments.until <= hour,
        lambda moments: moments.since >= hour,
        lambda moments: (replace(moments, until=hour), replace(moments, since=hour)),
    )
    return (
        Span(days=over_days, hours=over_hours),
        Span(days=running_days, hours=running_hours, edges=span.edges),
    )


def _halved(
    ranges: Sequence[Any],
    is_over: Callable[[Any], bool],
    is_running: Callable[[Any], bool],
    cut: Callable[[Any], tuple[Any, Any]],
) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    over, running = [], []
    for one in ranges:
        if is_over(one):
            over.append(one)
        elif is_running(one):
            running.append(one)
        else:
            first, second = cut(one)
            over.append(first)
            running.append(second)
    return tuple(over), tuple(running)


def _buckets(over: Span) -> Iterator[_Bucket]:
    for days in over.days:
        for key in _date_keys(days.first, days.last):
            group = key if days.tag == OWN else days.tag
            yield _Bucket(entries.day_tag(days.place, key), days.place, key, group, days.sign, False)
    for moments in over.hours:
        for number in range(hour_number(moments.since), hour_number(moments.until)):
            group = number if moments.tag == OWN else moments.tag
            tag = entries.hour_tag(moments.place, _hour_name(number))
            yield _Bucket(tag, moments.place, number, group, moments.sign, True)


@lru_cache(maxsize=4_000)
def _date_keys(first: int, last: int) -> tuple[int, ...]:
    begin, end = day_of(first), day_of(last)
    return tuple(date_key(begin + timedelta(days=n)) for n in range((end - begin).days + 1))


@lru_cache(maxsize=20_000)
def _hour_name(number: int) -> str:
    return f"{hour_of(number):%Y%m%d%H}"


def _day_ranges(missing: Iterable[_Bucket]) -> Iterator[Days]:
    """Neighbouring days as one range, each in a group of its own."""
    last: Days | None = None
    for bucket in sorted(missing, key=lambda one: (one.place, one.own)):
        if last and last.place == bucket.place and _next_day(last.last) == bucket.own:
            last = replace(last, last=bucket.own)
            continue
        if last:
            yield last
        last = Days(place=bucket.place, first=bucket.own, last=bucket.own)
    if last:
        yield last


@lru_cache(maxsize=20_000)
def _next_day(key: int) -> int:
    return date_key(day_of(key) + ONE_DAY)


def _hour_ranges(missing: Iterable[_Bucket]) -> Iterator[Moments]:
    last: Moments | None = None
    for bucket in sorted(missing, key=lambda one: (one.place, one.own)):
        since = hour_of(bucket.own)
        if last and last.place == bucket.place and last.until == since:
            last = replace(last, until=since + HOUR)
            continue
        if last:
            yield last
        last = Moments(place=bucket.place, since=since, until=since + HOUR)
    if last:
        yield last


def _sparse(counts: latencies.Counts) -> _Sparse:
    cells = np.flatnonzero(counts)
    return cells, counts[cells]
