"""Latencies as log-buckets: the cells of the SQL function `bi_latency_cell`, so that windows and aggregates add up.

Cell i counts values in (100 µs · g^(i-1), 100 µs · g^i], g = 1.01 ÷ 0.99: a quantile is right to 1 %, and cells can be taken away.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from backend.stream.windows.panes import Ints, grouped
from backend.stream.windows.spans import Span

Values: TypeAlias = NDArray[np.float64]

LAST = 760
CELLS = LAST + 1
LOWEST_US = 100
_GROWTH = 1.01 / 0.99
_MOST_CHUNKS = 16


def cell(us: int) -> int:
    """As the database counts it."""
    if us <= LOWEST_US:
        return 0
    return min(math.ceil(math.log(us / LOWEST_US) / math.log(_GROWTH)), LAST)


@functools.cache
def bounds() -> Ints:
    """The highest whole µs of each cell but the last, which has none."""
    found = []
    for number in range(LAST):
        bound = int(LOWEST_US * _GROWTH**number)
        while cell(bound) > number:
            bound -= 1
        while cell(bound + 1) <= number:
            bound += 1
        found.append(bound)
    return np.array(found, np.int64)


def cells(us: Ints) -> Ints:
    """The cell of each value."""
    return np.searchsorted(bounds(), us).astype(np.int64)


def quantiles(counts: Ints, wanted: Sequence[float], *, first: int = 0) -> list[Values]:
    """For rows of counts by cell, from cell `first` on: the value in µs at each wanted share of its row (0 where the row is empty)."""
    there = np.flatnonzero(counts.any(axis=0))
    if not len(there):
        return [np.zeros(len(counts)) for _ in wanted]
    low, high = int(there[0]), int(there[-1]) + 1  # most cells are never seen: a fifth of them is looked at
    running = counts[:, low:high].cumsum(axis=1)
    n = running[:, -1]
    found: list[Values] = []
    for share in wanted:
        rank = np.ceil(share * n).clip(1)
        at = (first + low + (running < rank[:, None]).sum(axis=1)).clip(0, LAST)
        found.append(np.where(n > 0, middles()[at], 0.0))
    return found


@functools.cache
def middles() -> Values:
    """The value that stands for a cell: no other is nearer to both its ends, relatively."""
    return np.array([LOWEST_US] + [LOWEST_US * _GROWTH**n * 2 / (_GROWTH + 1) for n in range(1, CELLS)])


class Histograms:
    """Counts by key and cell over one window: a bag of codes (key · CELLS + cell) for each pane, and the total."""

    def __init__(self, span: Span) -> None:
        self._span = span
        self._panes: dict[int, list[tuple[Ints, Ints]]] = {}
        self.totals: Ints = np.zeros((8, CELLS), np.int64)

    @property
    def nbytes(self) -> int:
        held = sum(c.nbytes + n.nbytes for bag in self._panes.values() for c, n in bag)
        return self.totals.nbytes + held

    def widen(self, keys: int) -> None:
        if more := max(0, keys - self.totals.shape[0]):
            self.totals = np.pad(self.totals, ((0, max(more, self.totals.shape[0] // 2)), (0, 0)))

    def add(self, panes: Ints, codes: Ints, counts: Ints) -> None:
        """The panes must be in the window; `codes` need not be distinct."""
        np.add.at(self.totals.reshape(-1), codes, counts)
        for pane in np.unique(panes).tolist():
            mine = panes == pane
            bag = self._panes.setdefault(pane, [])
            bag.append((codes[mine], counts[mine]))
            if len(bag) > _MOST_CHUNKS:
                self._panes[pane] = [_merged(bag)]

    def drop(self, panes: Sequence[int]) -> None:
        """These fell out of the window."""
        for pane in panes:
            for codes, counts in self._panes.pop(pane, ()):
                np.subtract.at(self.totals.reshape(-1), codes, counts)

    def of(self, pane: int) -> tuple[Ints, Ints]:
        """The codes of a pane, each once, and their counts."""
        if bag := self._panes.get(pane):
            merged = _merged(bag)
            self._panes[pane] = [merged]
            return merged
        return np.zeros(0, np.int64), np.zeros(0, np.int64)


def _merged(bag: Sequence[tuple[Ints, Ints]]) -> tuple[Ints, Ints]:
    return grouped(np.concatenate([codes for codes, _ in bag]), np.concatenate([n for _, n in bag]))
