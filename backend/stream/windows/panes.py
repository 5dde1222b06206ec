"""A ring of panes: sums of whole numbers by pane and key, and their running total."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from backend.stream.windows.spans import Span

Ints: TypeAlias = NDArray[np.int64]
_FIRST_KEYS = 8


class Ring:
    """Adding and taking away whole numbers, the total is at all times exactly the sum of the panes it covers.

    `head` is the watermark's pane: the total covers the `keep` panes that end there, and the newer ones.
    """

    def __init__(self, span: Span, width: int) -> None:
        self.span = span
        self.head: int | None = None
        self.cells: Ints = np.zeros((span.slots, _FIRST_KEYS, width), np.int64)
        self.totals: Ints = np.zeros((_FIRST_KEYS, width), np.int64)
        self.changed = np.zeros(_FIRST_KEYS, bool)
        self.dirty: set[int] = set()
        """Panes that changed since the last snapshot."""

    @property
    def nbytes(self) -> int:
        return self.cells.nbytes + self.totals.nbytes

    def widen(self, keys: int) -> None:
        """Make room for `keys` keys."""
        more = keys - self.totals.shape[0]
        if more <= 0:
            return
        more = max(more, self.totals.shape[0] // 2)
        self.cells = np.pad(self.cells, ((0, 0), (0, more), (0, 0)))
        self.totals = np.pad(self.totals, ((0, more), (0, 0)))
        self.changed = np.pad(self.changed, (0, more))

    def holds(self, panes: Ints) -> NDArray[np.bool_]:
        """Which of the panes are in the ring."""
        assert self.head is not None
        held: NDArray[np.bool_] = (panes > self.head - self.span.keep) & (
            panes <= self.head + self.span.ahead
        )
        return held

    def add(self, panes: Ints, keys: Ints, rows: Ints) -> None:
        """Add row i to key i of pane i; panes that are not in the ring are passed over."""
        held = self.holds(panes)
        if not held.all():
            panes, keys, rows = panes[held], keys[held], rows[held]
        if not len(panes):
            return
        capacity = self.totals.shape[0]
        codes, sums = grouped(panes * capacity + keys, rows)
        panes, keys = codes // capacity, codes % capacity
        self.cells[panes % self.span.slots, keys] += sums
        np.add.at(self.totals, keys, sums)
        self.changed[keys] = True
        self.dirty.update(panes.tolist())

    def advance(self, head: int) -> list[int]:
        """Move on to the pane `head` and take away what fell out; the panes that did."""
        if self.head is None or head <= self.head:
            self.head = head if self.head is None else self.head
            return []
        oldest = self.head - self.span.keep + 1
        gone = list(range(oldest, min(head - self.span.keep + 1, oldest + self.span.slots)))
        self.head = head
        slots = [pane % self.span.slots for pane in gone]
        lost = self.cells[slots].sum(axis=0)
        self.totals -= lost
        self.changed |= lost.any(axis=1)
        self.cells[slots] = 0
        self.dirty.difference_update(gone)
        return gone

    def of(self, pane: int) -> tuple[Ints, Ints]:
        """The keys with something in the pane, and their sums."""
        cells = self.cells[pane % self.span.slots]
        keys = np.flatnonzero(cells.any(axis=1))
        return keys, cells[keys]

    def panes(self) -> Iterator[int]:
        """Those that hold something, oldest first."""
        if self.head is None:
            return
        for pane in range(self.head - self.span.keep + 1, self.head + self.span.ahead + 1):
            if self.cells[pane % self.span.slots].any():
                yield pane


def grouped(codes: Ints, rows: Ints) -> tuple[Ints, Ints]:
    """Each code once, ascending, with the sum of its rows."""
    order = np.argsort(codes, kind="stable")
    ordered = codes[order]
    starts = np.flatnonzero(np.concatenate(([True], ordered[1:] != ordered[:-1])))
    return ordered[starts], np.add.reduceat(rows[order], starts, axis=0)
