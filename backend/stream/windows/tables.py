"""The three rings of one family of measures, whose keys get a place each as they come."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Generic, TypeVar

import numpy as np

from backend.stream.windows.panes import Ints, Ring, grouped
from backend.stream.windows.spans import BASE, SPANS

Key = TypeVar("Key", bound=Hashable)


class Table(Generic[Key]):
    def __init__(self, width: int) -> None:
        self.rings = tuple(Ring(span, width) for span in SPANS)
        self.keys: list[Key] = []
        self._places: dict[Key, int] = {}

    def place(self, key: Key) -> int:
        """Its place in every ring; a new key gets one."""
        found = self._places.get(key)
        if found is None:
            found = self._places[key] = len(self.keys)
            self.keys.append(key)
            for ring in self.rings:
                ring.widen(len(self.keys))
        return found

    def places(self, keys: Sequence[Key]) -> Ints:
        known = self._places
        return np.array([known[key] if key in known else self.place(key) for key in keys], np.int64)

    def add(self, moments: Ints, places: Ints, rows: Ints) -> None:
        """Add row i to the panes of moment i; first to base panes, then those to the others: most events share one."""
        if not len(moments):
            return
        many = len(self.keys)
        codes, sums = grouped(moments // BASE * many + places, rows)
        bases, places = codes // many, codes % many
        for ring in self.rings:
            ring.add(bases // ring.span.bases, places, sums)
