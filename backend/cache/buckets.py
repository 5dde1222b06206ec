"""Closed buckets in this process's memory: what each day and hour that is over adds up to, as rows of numbers.

An answer reads most of what it needs from here, however often today is touched, and adds whole ranges up at once. What is
here is true, for three reasons: a value is only kept if nothing was heard of its bucket since before the snapshot that it was read
in was opened; what is heard of a bucket drops its values before anything else is looked up; and once the line to the news was cut,
nothing of before is used.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from backend.cache.stats import Stats
from backend.cache.versions import Versions
from backend.stream import entries

MOST_BYTES = 128 * 2**20
MOST_ROWS = 1_600
"""Of a shelf: four years of days, two months of hours."""
_SLACK = 32
_HOUR = 3600
_NEVER, _KEPT, _TOUCHED = 0, 1, 2

DAY: Literal["d"] = "d"
HOUR: Literal["h"] = "h"
Grain: TypeAlias = Literal["d", "h"]
Numbers: TypeAlias = NDArray[np.int64]
Range: TypeAlias = tuple[int, int]
"""The first bucket, and the first that is no more in it: days by their ordinals, hours since 1970."""
Key: TypeAlias = tuple[Hashable, Grain, int]
"""Kind of value, grain, place."""


@dataclass(frozen=True, slots=True)
class View:
    """What was known when a snapshot was about to be opened."""

    revision: int
    line: int


@dataclass(frozen=True, slots=True)
class Rows:
    """What was read of buckets of one place: a row each, in the order of their numbers."""

    grain: Grain
    place: int
    numbers: Numbers
    values: NDArray[np.int64]

    def within(self, first: int, end: int) -> tuple[Numbers, NDArray[np.int64]]:
        low, high = np.searchsorted(self.numbers, (first, end))
        return self.numbers[low:high], self.values[low:high]


@dataclass(slots=True)
class Columns:
    """Which column holds what: only what was ever seen has one. `length`: of a value before it is cut down to those."""

    length: int
    count: int = 0
    of: dict[tuple[int, ...], Numbers] = field(default_factory=dict)
    """By group, for each of its places the column, or −1."""

    def at(self, group: tuple[int, ...], places: Numbers) -> Numbers:
        """The columns of these places, made where there are none."""
        held = self.of.get(group)
        if held is None:
            held = self.of[group] = np.full(self.length, -1, np.int64)
        new = places[held[places] < 0]
        if len(new):
            held[new] = np.arange(self.count, self.count + len(new))
            self.count += len(new)
        return np.asarray(held[places], np.int64)


@dataclass(slots=True)
class Shelf:
    """Neighbouring buckets of one place; a row that is not kept is zero."""

    first: int = 0
    values: NDArray[np.int64] = field(default_factory=lambda: np.zeros((0, 0), np.int64))
    state: NDArray[np.uint8] = field(default_factory=lambda: np.zeros(0, np.uint8))

    @property
    def end(self) -> int:
        return self.first + len(self.state)

    def within(self, first: int, end: int) -> tuple[int, NDArray[np.int64]]:
        """The number of the first of the rows that lie in it, and these. Good until anybody else has his turn."""
        low, high = self._clamped(first, end)
        return self.first + low, self.values[low:high]

    def lacking(self, ranges: Iterable[Range]) -> tuple[int, Numbers, Numbers]:
        """How many buckets these are, the numbers of those that are not kept, and why (a state)."""
        wanted = sorted(ranges)
        numbers = np.unique(np.concatenate([np.arange(first, end) for first, end in wanted]))
        states = np.full(len(numbers), _NEVER, np.uint8)
        here = (numbers >= self.first) & (numbers < self.end)
        states[here] = self.state[numbers[here] - self.first]
        lacking = states != _KEPT
        return len(numbers), numbers[lacking], states[lacking]

    def drop(self, number: int) -> None:
        place = number - self.first
        if 0 <= place < len(self.state) and self.state[place] == _KEPT:
            self.state[place] = _TOUCHED
            self.values[place] = 0

    def put(self, numbers: Numbers, values: NDArray[np.int64]) -> None:
        self._reach(int(numbers[0]), int(numbers[-1]) + 1, values.shape[1])
        here = (numbers >= self.first) & (numbers < self.end)
        places = numbers[here] - self.first
        self.values[places] = 0
        self.values[places, : values.shape[1]] = values[here]
        self.state[places] = _KEPT

    def _clamped(self, first: int, end: int) -> Range:
        size = len(self.state)
        return min(max(first - self.first, 0), size), min(max(end - self.first, 0), size)

    def _reach(self, first: int, end: int, columns: int) -> None:
        """Room for these rows and columns; beyond MOST_ROWS the oldest go."""
        if not len(self.state):
            self.first = first
        elif first >= self.first and end <= self.end and columns <= self.values.shape[1]:
            return
        last = end + _SLACK if end > self.end else self.end
        begin = max(min(first, self.first), last - MOST_ROWS)
        values = np.zeros((last - begin, max(columns, self.values.shape[1])), np.int64)
        state = np.zeros(last - begin, np.uint8)
        low, high = self._clamped(begin, last)
        to = self.first + low - begin
        values[to : to + high - low, : self.values.shape[1]] = self.values[low:high]
        state[to : to + high - low] = self.state[low:high]
        self.first, self.values, self.state = begin, values, state


@dataclass(slots=True)
class Buckets:
    """Kinds of values by whatever tells them apart; buckets by grain, place and number."""

    versions: Versions
    stats: Stats
    most_bytes: int = MOST_BYTES
    causes: Counter[str] = field(default_factory=Counter)
    """Why buckets were not there: `first` asked for here since the process began, `touched` by news, `evicted` for room."""
    _of: OrderedDict[Key, Shelf] = field(default_factory=OrderedDict)
    _columns: dict[Hashable, Columns] = field(default_factory=dict)
    _bytes: int = 0
    _line: int = 0
    _evicted: set[Key] = field(default_factory=set)

    def view(self) -> View:
        """To be taken before the transaction begins."""
        return View(self.versions.revision, self.versions.line)

    def columns(self, kind: Hashable, length: int) -> Columns:
        return self._columns.setdefault(kind, Columns(length))

    def look(
        self, what: str, kind: Hashable, grain: Grain, place: int, ranges: Sequence[Range]
    ) -> tuple[Shelf, Numbers]:
        """The shelf, and which buckets of `ranges` it lacks. `what`: as the statistics name it."""
        if not self.versions.known:
            return Shelf(), Shelf().lacking(ranges)[1]
        self._hear()
        key = (kind, grain, place)
        shelf = self._of.get(key)
        if shelf is not None:
            self._of.move_to_end(key)
        shelf = shelf or Shelf()
        asked, lacking, states = shelf.lacking(ranges)
        counted = self.stats.counted(what)
        counted.hits += asked - len(lacking)
        counted.misses += len(lacking)
        touched = int((states == _TOUCHED).sum())
        self.causes["touched"] += touched
        self.causes["evicted" if key in self._evicted else "first"] += len(lacking) - touched
        return shelf, lacking

    def keep(self, kind: Hashable, found: Iterable[Rows], view: View) -> None:
        """What was read in a snapshot that was opened after `view` was taken."""
        if not self.versions.known or self.versions.line != view.line:
            return
        self._hear()
        for rows in found:
            key = (kind, rows.grain, rows.place)
            true = np.fromiter(self._untouched(rows, view), bool, len(rows.numbers))
            if not true.any():
                continue
            shelf = self._of.setdefault(key, Shelf())
            before = shelf.values.nbytes
            shelf.put(rows.numbers[true], rows.values[true])
            self._bytes += shelf.values.nbytes - before
            self._of.move_to_end(key)
        while self._bytes > self.most_bytes and self._of:
            key, shelf = self._of.popitem(last=False)
            self._bytes -= shelf.values.nbytes
            self._evicted.add(key)

    def _untouched(self, rows: Rows, view: View) -> Iterator[bool]:
        if self.versions.revision == view.revision:
            return (True for _ in rows.numbers)
        tags = (_tag(rows.grain, rows.place, int(number)) for number in rows.numbers)
        return (not self.versions.touched_since(tag, view.revision) for tag in tags)

    def _hear(self) -> None:
        """Drop what news came of since the last time, and everything after a cut."""
        news = self.versions.news()
        if self.versions.line != self._line:
            self._line = self.versions.line
            self._of.clear()
            self._bytes = 0
            return
        touched: dict[tuple[str, int], list[int]] = {}
        for tag in news:
            bucket = _bucket(tag)
            if bucket is not None:
                touched.setdefault(bucket[:2], []).append(bucket[2])
        if touched:
            for (_, grain, place), shelf in self._of.items():
                for number in touched.get((grain, place), ()):
                    shelf.drop(number)


@lru_cache(maxsize=50_000)
def _bucket(tag: str) -> tuple[Grain, int, int] | None:
    """Grain, place and number of a bucket by its tag; None for what is no day and no hour."""
    _, place, *rest = tag.split(":")
    try:
        match rest:
            case ["d", day]:
                return DAY, int(place), datetime.strptime(day + "Z", "%Y%m%d%z").toordinal()
            case ["h", hour]:
                moment = datetime.strptime(hour + "Z", "%Y%m%d%H%z")
                return HOUR, int(place), int(moment.timestamp()) // _HOUR
    except ValueError:  # an administrator may forget a day that there never was
        return None
    return None


@lru_cache(maxsize=50_000)
def _tag(grain: Grain, place: int, number: int) -> str:
    if grain == DAY:
        return entries.day_tag(place, int(f"{date.fromordinal(number):%Y%m%d}"))
    return entries.hour_tag(place, f"{datetime.fromtimestamp(number * _HOUR, UTC):%Y%m%d%H}")
