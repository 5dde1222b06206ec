"""Which events were counted before: 61 bits of their ids by the base pane of their moment, so that a repeat is found in one look.

Bounded: beyond `most` ids the oldest panes are forgotten, and a repeat of theirs would count again (`forgotten` says how many).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np

from backend.stream.windows.panes import Ints

MOST_IDS = 4_000_000
"""32 MB packed; an hour of 1,100 events a second, or a day of 46."""


class _Pane:
    """What came lately as a set, the rest as a sorted array: an eighth of the memory."""

    __slots__ = ("fresh", "packed")

    def __init__(self) -> None:
        self.fresh: set[int] = set()
        self.packed: Ints = np.zeros(0, np.int64)

    def __len__(self) -> int:
        return len(self.fresh) + len(self.packed)

    def add(self, wanted: int) -> bool:
        if wanted in self.fresh:
            return False
        if len(self.packed):
            at = int(self.packed.searchsorted(wanted))
            if at < len(self.packed) and self.packed[at] == wanted:
                return False
        self.fresh.add(wanted)
        return True

    def repeats(self, places: Sequence[int], wanted: Sequence[int]) -> list[int]:
        """Remember these; the places of those that were known. Nearly always none is, which is seen for all of them at once."""
        new = set(wanted)
        if len(new) == len(wanted) and self.fresh.isdisjoint(new) and not self._packed_one_of(wanted):
            self.fresh |= new
            return []
        return [place for place, one in zip(places, wanted, strict=True) if not self.add(one)]

    def _packed_one_of(self, wanted: Sequence[int]) -> bool:
        if not len(self.packed):
            return False
        sought = np.array(wanted, np.int64)
        at = self.packed.searchsorted(sought).clip(max=len(self.packed) - 1)
        return bool((self.packed[at] == sought).any())

    def all(self) -> Ints:
        fresh = np.fromiter(self.fresh, np.int64, len(self.fresh))
        return np.sort(np.concatenate((self.packed, fresh)))

    def pack(self) -> None:
        if self.fresh:
            self.packed = self.all()
            self.fresh = set()


class Seen:
    """The ids of the events that were counted."""

    def __init__(self, most: int = MOST_IDS) -> None:
        self._most = most
        self._panes: dict[int, _Pane] = {}
        self.count = 0
        self.forgotten = 0
        self.dirty: set[int] = set()
        self.gone: set[int] = set()
        """Panes that changed, and that are no more, since the last snapshot."""

    def repeats(self, panes: Sequence[int] | Ints, ids: Sequence[int]) -> list[int]:
        """Remember these; the places of those that were known already, ascending."""
        known: list[int] = []
        panes = np.asarray(panes)
        for pane in sorted(set(panes.tolist())):
            places = np.flatnonzero(panes == pane).tolist()
            known += self._open(pane).repeats(places, [ids[place] for place in places])
        self.count += len(ids) - len(known)
        self._keep_bounds()
        return sorted(known)

    def forget_until(self, pane: int) -> None:
        """Panes up to this one are older than any window."""
        for known in [known for known in self._panes if known <= pane]:
            self._drop(known)

    def pack_until(self, pane: int) -> None:
        """Panes up to this one hardly grow any more."""
        for known in self.dirty:
            if known <= pane:
                self._panes[known].pack()

    def of(self, pane: int) -> bytes:
        held = self._panes.get(pane)
        return held.all().tobytes() if held else b""

    def panes(self) -> Collection[int]:
        return self._panes.keys()

    def put_back(self, pane: int, packed: bytes) -> None:
        held = self._panes[pane] = _Pane()
        held.packed = np.frombuffer(packed, np.int64)
        self.count += len(held)

    def _open(self, pane: int) -> _Pane:
        self.dirty.add(pane)
        held = self._panes.get(pane)
        if held is None:
            held = self._panes[pane] = _Pane()
            self.gone.discard(pane)
        return held

    def _keep_bounds(self) -> None:
        while self.count > self._most and len(self._panes) > 1:
            self.forgotten += self._drop(min(self._panes))

    def _drop(self, pane: int) -> int:
        lost = len(self._panes.pop(pane))
        self.count -= lost
        self.dirty.discard(pane)
        self.gone.add(pane)
        return lost
