"""Closed buckets in this process's memory: what each day and hour that is over adds up to, as rows of numbers.

An answer reads most of what it needs from here, however often today is touched, and adds whole ranges up at once. What is
here is true, for three reasons: a value is only kept if nothing was heard of its bucket since before the snapshot that it was read
in was opened; what is heard of a bucket drops its values before anything else is looked up; and once the line to the news was cut,
nothing of before is used.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import lru_cache
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from backend.cache.stats import Stats
from backend.cache.versions import Versions
from backend.storage.warehouse.ranges import date_key, day_of, hour_name, hour_number, hour_of
from backend.stream import entries

MOST_BYTES = 128 * 2**20
ROWS = 128
"""Of a block: days or hours that lie together."""
_, _KEPT, _TOUCHED, _EVICTED = range(4)
CAUSES = ("first", "kept", "touched", "evicted")
"""What may be said of a bucket."""

DAY: Literal["d"] = "d"
HOUR: Literal["h"] = "h"
Grain: TypeAlias = Literal["d", "h"]
Numbers: TypeAlias = NDArray[np.int64]
Range: TypeAlias = tuple[int, int]
"""The first bucket, and the first that is no more in it: days by their ordinals, hours since 1970."""
Key: TypeAlias = tuple[Hashable, Grain, int, int]
"""Kind of value, grain, place, and which block of it."""


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

    @property
    def first(self) -> int:
        return int(self.numbers[0])

    @property
    def end(self) -> int:
        return int(self.numbers[-1]) + 1

    def within(self, first: int, end: int) -> tuple[Numbers, NDArray[np.int64]]:
        low, high = np.searchsorted(self.numbers, (first, end))
        return self.numbers[low:high], self.values[low:high]


@dataclass(slots=True)
class Columns:
    """Which column holds what: only what was ever seen has one. `length`: of a value before it is cut down to those."""

    length: int
    small: bool = False
    """Whether the values are counts, that fit into four bytes."""
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
class Block:
    """Neighbouring buckets of one place from `first` on, ROWS of them; a row that is not kept is zero."""

    first: int
    values: NDArray[Any]
    state: NDArray[np.uint8] = field(default_factory=lambda: np.zeros(ROWS, np.uint8))

    @property
    def end(self) -> int:
        return self.first + ROWS

    def within(self, first: int, end: int) -> tuple[Numbers, NDArray[Any]]:
        """Which buckets of that range lie in it, and their rows. Good until anybody else has his turn."""
        low, high = (min(max(number - self.first, 0), ROWS) for number in (first, end))
        return np.arange(self.first + low, self.first + high), self.values[low:high]

    def drop(self, number: int) -> None:
        place = number - self.first
        if self.state[place] == _KEPT:
            self.state[place] = _TOUCHED
            self.values[place] = 0

    def put(self, numbers: Numbers, values: NDArray[np.int64]) -> None:
        width, held = values.shape[1], self.values.shape[1]
        if width > held:
            self.values = np.pad(self.values, ((0, 0), (0, width - held)))
        places = numbers - self.first
        self.values[places] = 0
        self.values[places, :width] = values
        self.state[places] = _KEPT


@dataclass(slots=True)
class Buckets:
    """Kinds of values by whatever tells them apart; buckets by grain, place and number."""

    versions: Versions
    stats: Stats
    most_bytes: int = MOST_BYTES
    causes: Counter[str] = field(default_factory=Counter)
    """Why buckets were not there: `first` asked for since the line was there, `touched` by news, `evicted` for room."""
    _of: OrderedDict[Key, Block] = field(default_factory=OrderedDict)
    _kinds: set[Hashable] = field(default_factory=set)
    _columns: dict[Hashable, Columns] = field(default_factory=dict)
    _bytes: int = 0
    _line: int = 0
    _evicted: set[Key] = field(default_factory=set)

    def view(self) -> View:
        """To be taken before the transaction begins."""
        return View(self.versions.revision, self.versions.line)

    def columns(self, kind: Hashable, length: int, *, small: bool = False) -> Columns:
        return self._columns.setdefault(kind, Columns(length, small))

    def look(
        self, kind: Hashable, grain: Grain, place: int, ranges: Iterable[Range], what: str | None
    ) -> tuple[list[Block], Numbers]:
        """The blocks that hold anything of `ranges`, and which buckets they lack. `what`: as the statistics name it, if they count."""
        numbers = np.concatenate([np.arange(first, end) for first, end in _merged(ranges)])
        if not self.versions.known:
            return [], numbers
        self._hear()
        states = np.zeros(len(numbers), np.uint8)
        blocks = []
        for n in range(int(numbers[0]) // ROWS, int(numbers[-1]) // ROWS + 1):
            low, high = np.searchsorted(numbers, (n * ROWS, (n + 1) * ROWS))
            key = (kind, grain, place, n)
            block = self._of.get(key)
            if block is not None:
                self._of.move_to_end(key)
                states[low:high] = block.state[numbers[low:high] - block.first]
                blocks.append(block)
            elif key in self._evicted:
                states[low:high] = _EVICTED
        if what is not None:
            self._count(what, states)
        return blocks, numbers[states != _KEPT]

    def _count(self, what: str, states: NDArray[np.uint8]) -> None:
        times = np.bincount(states, minlength=len(CAUSES)).tolist()
        self.stats.bucket(what, hits=times[_KEPT], misses=len(states) - times[_KEPT])
        self.causes.update({CAUSES[state]: n for state, n in enumerate(times) if n and state != _KEPT})

    def keep(self, kind: Hashable, found: Iterable[Rows], view: View) -> None:
        """What was read in a snapshot that was opened after `view` was taken."""
        if not self.versions.known or self.versions.line != view.line:
            return
        self._hear()
        for rows in found:
            true = np.fromiter(self._untouched(rows, view), bool, len(rows.numbers))
            numbers, values = rows.numbers[true], rows.values[true]
            for n in np.unique(numbers // ROWS).tolist():
                low, high = np.searchsorted(numbers, (n * ROWS, (n + 1) * ROWS))
                self._put((kind, rows.grain, rows.place, n), numbers[low:high], values[low:high])
        while self._bytes > self.most_bytes and self._of:
            key, block = self._of.popitem(last=False)
            self._bytes -= block.values.nbytes
            self._evicted.add(key)

    def _put(self, key: Key, numbers: Numbers, values: NDArray[np.int64]) -> None:
        columns = self._columns.get(key[0])
        narrow = np.int32 if columns is not None and columns.small else np.int64
        if values.size and np.abs(values).max() > np.iinfo(narrow).max:
            return  # read anew each time, rather than wrong
        block = self._of.setdefault(key, Block(key[-1] * ROWS, np.zeros((ROWS, 0), narrow)))
        self._bytes -= block.values.nbytes
        block.put(numbers, values)
        self._bytes += block.values.nbytes
        self._kinds.add(key[0])
        self._of.move_to_end(key)
        self._evicted.discard(key)

    def _untouched(self, rows: Rows, view: View) -> Iterator[bool]:
        if self.versions.revision == view.revision:
            return (True for _ in rows.numbers)
        tags = (_tag(rows.grain, rows.place, number) for number in rows.numbers.tolist())
        return (not self.versions.touched_since(tag, view.revision) for tag in tags)

    def _hear(self) -> None:
        """Drop what news came of since the last time, and everything after a cut."""
        news = self.versions.news()
        if self.versions.line != self._line:
            self._line = self.versions.line
            self._of.clear()
            self._bytes = 0
            return
        for grain, place, number in filter(None, map(_bucket, news)):
            for kind in self._kinds:
                block = self._of.get((kind, grain, place, number // ROWS))
                if block is not None:
                    block.drop(number)


def _merged(ranges: Iterable[Range]) -> list[Range]:
    """In order, and none reaching into another."""
    found: list[Range] = []
    for first, end in sorted(ranges):
        if found and first <= found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((first, end))
    return found


@lru_cache(maxsize=50_000)
def _bucket(tag: str) -> tuple[Grain, int, int] | None:
    """Grain, place and number of a bucket by its tag; None for what is no day and no hour."""
    _, place, *rest = tag.split(":")
    try:
        match rest:
            case ["d", day]:
                return DAY, int(place), day_of(int(day)).toordinal()
            case ["h", hour]:
                moment = datetime.strptime(hour + "Z", "%Y%m%d%H%z")
                return HOUR, int(place), hour_number(moment)
    except ValueError:  # an administrator may forget a day that there never was
        return None
    return None


@lru_cache(maxsize=50_000)
def _tag(grain: Grain, place: int, number: int) -> str:
    if grain == DAY:
        return entries.day_tag(place, date_key(date.fromordinal(number)))
    return entries.hour_tag(place, hour_name(hour_of(number)))
