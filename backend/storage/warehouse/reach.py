"""Where in a long time the facts of a figure lie, hour by hour and office by office: rare ones are found without walking past all others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from backend.storage.warehouse import columns, tallies
from backend.storage.warehouse.ranges import ceil, hour_number, hour_of
from backend.storage.warehouse.where import Filters, Within

if TYPE_CHECKING:
    from backend.storage.pool import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """By place and hour, from the hour `first` on: how many facts there are, and whether any may be there that nobody counted."""

    places: Sequence[int]
    first: int
    counts: NDArray[np.int64]
    maybe: NDArray[np.bool_]

    def next(
        self, before: datetime, wanted: int
    ) -> tuple[list[tuple[int, datetime, datetime]], datetime | None]:
        """Ranges that hold all facts before that moment and from another on, which are as many as wanted; the other moment.

        None: there is nothing before them.
        """
        end = min(max(hour_number(before) + 1 - self.first, 0), self.counts.shape[1])
        upto = np.cumsum(self.counts[:, :end].sum(axis=0)[::-1])
        many = int(np.searchsorted(upto, wanted)) + 1
        begin = max(end - many, 0)
        there = (self.counts[:, begin:end] > 0) | self.maybe[:, begin:end]
        return self._ranges(there, begin), hour_of(self.first + begin) if begin > 0 else None

    def _ranges(self, there: NDArray[np.bool_], begin: int) -> list[tuple[int, datetime, datetime]]:
        """Hours that follow each other as one."""
        edges = np.diff(np.pad(there, ((0, 0), (1, 1))).astype(np.int8), axis=1)
        rows, starts = np.nonzero(edges == 1)
        _, ends = np.nonzero(edges == -1)
        hours = (self.first + begin + starts, self.first + begin + ends)
        return [
            (self.places[row], hour_of(start), hour_of(end))
            for row, start, end in zip(rows.tolist(), *(one.tolist() for one in hours), strict=True)
        ]


async def reach(
    connection: Connection, fact: str, measure: str, within: Within, filters: Filters
) -> Reach | None:
    """Of the facts that `measure` counts. None where no columns tell."""
    layout = columns.LAYOUTS.get(fact)
    if layout is None or not layout.knows([measure], columns.PART, filters):
        return None
    split = await columns.split(connection, layout, within, filters)
    if split is None or within.since is None or within.until is None:
        return None
    first, end = hour_number(within.since), hour_number(ceil(within.until))
    number = {place: n for n, place in enumerate(within.keys)}
    counts = np.zeros((len(number), end - first), np.int64)
    maybe = np.zeros(counts.shape, np.bool_)
    for days in split.packed:
        for place, hour, found in await tallies.by_hour(connection, layout, measure, days, filters):
            skipped, kept = max(first - hour, 0), max(min(end - hour, len(found)), 0)
            counts[number[place], hour + skipped - first : hour + kept - first] += found[skipped:kept]
    for part in split.rest:
        hours = [None if one is None else hour_number(ceil(one)) - first for one in (part.since, part.until)]
        rows = [number[place] for place in part.keys]
        maybe[rows, max((hours[0] or 0) - 1, 0) : hours[1]] = True
    return Reach(places=list(number), first=first, counts=counts, maybe=maybe)
