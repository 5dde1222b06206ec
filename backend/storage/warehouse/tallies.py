"""Columns of closed days (columns.py) added up: office by office, each column as one array."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from backend.metrics import Dimension
from backend.storage.warehouse import columns
from backend.storage.warehouse.columns import CODE, COUNTS, Days, Layout, condition
from backend.storage.warehouse.ranges import day_of
from backend.storage.warehouse.where import Filters

if TYPE_CHECKING:
    from backend.storage.pool import Connection

_DAYS_AT_ONCE = 128
"""Some ten megabytes of a large brokerage."""
_HOURS_OF_DAY = 24
_FIRST_DAY = day_of(19700101)

Ints = NDArray[np.intp]
Bools = NDArray[np.bool_]
Named = dict[str, list[str | None]]
"""Dimension → what its codes mean in an office; code 0 is what is not known."""
Sums = dict[Any, dict[str, int]]
"""Key → measure → its sum."""


async def counted(
    connection: Connection, layout: Layout, measures: Sequence[str], days: Days, *, by: str, filters: Filters
) -> Sums:
    """Each key's sum of each measure, on these days."""
    tally = _Tally(layout=layout, measures=measures, by=by, filters=filters, days=days)
    await _read(connection, tally)
    return tally.sums()


async def by_hour(
    connection: Connection, layout: Layout, measure: str, days: Days, filters: Filters
) -> list[tuple[int, int, NDArray[np.int64]]]:
    """(place, number of an hour, how many in it and in those that follow), in pieces."""
    tally = _Tally(layout=layout, measures=[measure], by=columns.PART, filters=filters, days=days)
    await _read(connection, tally)
    return [(keys.place, keys.first, sums[measure]) for keys, sums in tally.groups]


async def _read(connection: Connection, tally: _Tally) -> None:
    needed, places, keys = tally.needed, tally.days.places, tally.days.keys
    named = await _named(connection, places, [name for name in needed if name in tally.layout.named])
    for start in range(0, len(keys), _DAYS_AT_ONCE):
        some = keys[start : start + _DAYS_AT_ONCE]
        parts = await _parts(connection, tally.layout, places, some, needed)
        await asyncio.to_thread(tally.add, parts, named)


async def _named(connection: Connection, places: Sequence[int], names: Sequence[str]) -> dict[int, Named]:
    found: dict[int, Named] = {place: {name: [None] for name in names} for place in places}
    rows = await connection.fetch(
        "SELECT location_key, name, value FROM bi_column_codes WHERE location_key = ANY($1::int[])"
        " AND name = ANY($2::text[]) ORDER BY location_key, name, code",  # from 1 on, without gaps
        list(places),
        list(names),
    )
    for row in rows:
        found[row["location_key"]][row["name"]].append(row["value"])
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """Days of one office, how many facts each has, and its columns, day after day."""

    place: int
    days: Sequence[int]
    counts: Sequence[int]
    columns: dict[str, bytes]

    def column(self, name: str) -> NDArray[np.int16]:
        return np.frombuffer(self.columns[name], CODE).astype(np.int16)

    def spread(self, numbers: Sequence[int]) -> Ints:
        """A number of each day, given to all its facts."""
        return np.repeat(np.array(numbers, np.intp), self.counts)

    def hours(self) -> Ints:
        firsts = [(day_of(key) - _FIRST_DAY).days * _HOURS_OF_DAY for key in self.days]
        return self.spread(firsts) + self.column(Dimension.HOUR)


async def _parts(
    connection: Connection, layout: Layout, places: Sequence[int], keys: Sequence[int], names: Sequence[str]
) -> list[_Part]:
    rows = await connection.fetch(
        """SELECT place, n.name, c.* FROM unnest($3::int[]) AS p (place), unnest($2::text[]) AS n (name), LATERAL (
               SELECT array_agg(date_key ORDER BY date_key) AS days, string_agg(codes, ''::bytea ORDER BY date_key) AS codes,
                      array_agg(length(codes) / 2 ORDER BY date_key) AS counts
                 FROM agg_daily_columns a
                WHERE fact = $1 AND a.name = n.name AND location_key = place AND date_key = ANY($4::int[])) c
            WHERE c.days IS NOT NULL""",
        layout.fact,
        list(names),
        list(places),
        list(keys),
    )
    found: dict[int, _Part] = {}
    for row in rows:
        part = found.setdefault(
            row["place"], _Part(place=row["place"], days=row["days"], counts=row["counts"], columns={})
        )
        part.columns[row["name"]] = row["codes"]
    return list(found.values())


class _Hours(NamedTuple):
    """Keys of one office's hours, which nobody needs one by one."""

    place: int
    first: int
    width: int


@dataclass(slots=True, kw_only=True)
class _Tally:
    """`groups`: keys of the same meaning for several offices, and each measure's sums in their order."""

    layout: Layout
    measures: Sequence[str]
    by: str
    filters: Filters
    days: Days
    groups: list[tuple[Any, dict[str, NDArray[np.int64]]]] = field(default_factory=list)

    @property
    def needed(self) -> list[str]:
        """The columns to read."""
        used = {self.by, *self.filters, *([Dimension.HOUR] if self.by == columns.PART else [])}
        needed = [name for name in (*self.layout.numbers, *self.layout.named) if name in used]
        if (
            any(name in self.layout.bits and condition(name) != "true" for name in self.measures)
            or not needed
        ):
            needed.append(COUNTS)
        return [*needed, *(name for name in self.layout.values if name in self.measures)]

    def add(self, parts: Sequence[_Part], named: dict[int, Named]) -> None:
        shared = self._shared(parts)
        for part in parts:
            keep = self._kept(part, named[part.place])
            if keep is None or keep.any():
                group, keys = self._grouped(part, named[part.place], shared)
                self._sum(part, group, keys, keep)

    def _shared(self, parts: Sequence[_Part]) -> Sequence[int]:
        """Keys that all offices have in common: days, hours."""
        days = sorted({day for part in parts for day in part.days})
        if self.by not in (Dimension.HOUR, columns.PART) or not days:
            return days
        first, last = ((day_of(day) - _FIRST_DAY).days * _HOURS_OF_DAY for day in (days[0], days[-1]))
        return range(first - _HOURS_OF_DAY, last + 3 * _HOURS_OF_DAY)  # a day of an office is not that of UTC

    def _kept(self, part: _Part, named: Named) -> Bools | None:
        """Which facts count; None: all."""
        keep: list[Bools] = []
        for name, wanted in self.filters.items():
            if name in self.layout.named:
                keep.append(np.array([value in wanted for value in named[name]])[part.column(name)])
            elif name in self.layout.numbers:
                numbers = part.hours() if name == Dimension.HOUR else part.column(name)
                low = int(numbers.min())
                there = range(low, int(numbers.max()) + 1)
                keep.append(np.array([number in wanted for number in there])[numbers - low])
        if self.by == Dimension.HOUR and self.days.since is not None and self.days.until is not None:
            hours = part.hours()
            keep.append((hours >= self.days.since) & (hours < self.days.until))
        return np.logical_and.reduce(keep) if len(keep) > 1 else keep[0] if keep else None

    def _grouped(
        self, part: _Part, named: Named, shared: Sequence[int]
    ) -> tuple[NDArray[Any], Sequence[Any] | _Hours]:
        """The group of each fact, and the key of each group."""
        match self.by:
            case Dimension.LOCATION:
                return part.spread([0] * len(part.days)), [part.place]
            case columns.PART:
                return part.hours() - shared[0], _Hours(part.place, shared[0], len(shared))
            case Dimension.DAY:
                number = {day: n for n, day in enumerate(shared)}
                return part.spread([number[day] for day in part.days]), shared
            case Dimension.HOUR:
                return part.hours() - shared[0], shared
            case Dimension.BOT:
                bots = part.column(Dimension.BOT)
                return bots, range(int(bots.max()) + 1)
        return part.column(self.by), named[self.by]

    def _sum(
        self, part: _Part, group: NDArray[Any], keys: Sequence[Any] | _Hours, keep: Bools | None
    ) -> None:
        width = keys.width if isinstance(keys, _Hours) else len(keys)

        def some(of: NDArray[Any], keep: Bools | None) -> NDArray[Any]:
            return of if keep is None else of[keep]

        mine = some(group, keep)
        bits = some(part.column(COUNTS), keep) if COUNTS in part.columns else None
        sums: dict[str, NDArray[np.int64]] = {}
        for name in self.measures:
            if name in self.layout.values:
                summed = np.bincount(mine, some(part.column(name), keep), width).astype(np.int64)
            elif bits is None or condition(name) == "true":
                summed = np.bincount(mine, minlength=width)
            else:
                counts = (bits >> self.layout.bits[name] & 1).astype(np.bool_)
                summed = np.bincount(mine[counts], minlength=width)
            sums[name] = summed
        if self.groups and self.groups[-1][0] is keys:
            for name, held in self.groups[-1][1].items():
                held += sums[name]
        else:
            self.groups.append((keys, sums))

    def sums(self) -> Sums:
        """Those of all offices; keys without any are left out."""
        found: Sums = {}
        for keys, counted in self.groups:
            for n in np.flatnonzero(np.logical_or.reduce([one != 0 for one in counted.values()])).tolist():
                held = found.setdefault(keys[n], dict.fromkeys(self.measures, 0))
                for name in self.measures:
                    held[name] += int(counted[name][n])
        return found
