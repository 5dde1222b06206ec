"""Interactions of closed days out of columns: a year divided by anything, filtered by anything, without reading its facts.

Exact: a day counts from here only where `bi_column_days` says that its columns are all its facts; the rest is read from the facts
(drills.py). Migration 017 tells how that stays true, packed.py writes the columns.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from backend.metrics import MEASURES, Dimension
from backend.metrics.measures import LEADS
from backend.storage.warehouse.ranges import date_key, day_of
from backend.storage.warehouse.where import Filters, Key, Within, beyond

if TYPE_CHECKING:
    from backend.storage.pool import Connection

NUMBERS = (Dimension.BOT, Dimension.HOUR)
"""Columns that hold the number itself: the bot's key; the hour, counted from midnight UTC of the day on."""
NAMED = (
    Dimension.AGENT,
    Dimension.STAGE,
    Dimension.TEMPERATURE,
    Dimension.SOURCE,
    Dimension.CHANNEL,
    Dimension.EVENT_TYPE,
)
"""Columns of codes, which `bi_column_codes` names office by office."""
COUNTS = "measures"
"""The column with a bit for each measure that counts the interaction."""
BITS = {name: n for n, name in enumerate(m.name for m in MEASURES.values() if m.fact == LEADS)}
LEAST_DAYS = 8
"""Of fewer days the facts are read as fast."""
_KNOWN = frozenset({Dimension.LOCATION, Dimension.DAY, *NUMBERS, *NAMED})
_DAYS_AT_ONCE = 64
"""Some ten megabytes of a large brokerage."""
CODE = np.dtype(">i2")
_HOURS_OF_DAY = 24
_COUNTED = re.compile(r"count\(\*\)(?: FILTER \(WHERE (.+)\))?")

Ints = NDArray[np.intp]
Bools = NDArray[np.bool_]


def condition(measure: str) -> str:
    """What interactions it counts. Raises: ValueError for one that does not count."""
    found = _COUNTED.fullmatch(MEASURES[measure].expression)
    if found is None:
        raise ValueError(MEASURES[measure].expression)
    return found[1] or "true"


MADE_OF = hashlib.sha256(
    repr([(name, condition(name)) for name in BITS] + [NUMBERS, NAMED]).encode()
).hexdigest()[:12]
"""Columns written by other measures than today's are not read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Days:
    """Days of some offices."""

    places: Sequence[int]
    keys: Sequence[int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """A time: what is read from columns, and what from facts."""

    packed: Sequence[Days]
    rest: Sequence[Within]


async def split(connection: Connection, within: Within, by: str, filters: Filters) -> Split | None:
    """None where all of it is read from the facts."""
    dates = [(keys, day_of(first), day_of(last)) for keys, first, last in within.days]
    if not dates or not {by, *filters} <= _KNOWN:
        return None
    if max((last - first).days for _, first, last in dates) < LEAST_DAYS:
        return None
    first, last = min(one for _, one, _ in dates), max(one for _, _, one in dates)
    rows = await connection.fetch(
        """SELECT date_key FROM bi_column_days WHERE complete AND made_of = $1 AND date_key BETWEEN $2 AND $3
              AND ($4::timestamptz IS NULL OR newest_at <= $4)""",
        MADE_OF,
        date_key(first),
        date_key(last),
        within.received_by,
    )
    complete = {row["date_key"] for row in rows}
    if not complete:
        return None
    packed, rest = [], []
    for places, one, other in dates:
        days = [one + timedelta(days=n) for n in range((other - one).days + 1)]
        packed.append(Days(places=places, keys=[date_key(day) for day in days if date_key(day) in complete]))
        rest += [
            _part(within, places, *run) for run in _runs([d for d in days if date_key(d) not in complete])
        ]
    return Split(packed=packed, rest=rest)


def _runs(days: Sequence[date]) -> list[tuple[date, date]]:
    """Days that follow each other, as first and last."""
    runs: list[tuple[date, date]] = []
    for day in days:
        if runs and day - runs[-1][1] == timedelta(days=1):
            runs[-1] = (runs[-1][0], day)
        else:
            runs.append((day, day))
    return runs


def _part(within: Within, places: tuple[int, ...], first: date, last: date) -> Within:
    days = (places, date_key(first), date_key(last))
    since, until = beyond(first, last)
    return replace(within, keys=places, days=(days,)).bounded(since, until)


async def counted(
    connection: Connection, measures: Sequence[str], days: Days, by: str, filters: Filters
) -> dict[Key, dict[str, int]]:
    """Each key's sum of each measure, on these days."""
    found: dict[Key, dict[str, int]] = {}
    wanted = filters.get(Dimension.DAY)
    keys = days.keys if wanted is None else [key for key in days.keys if key in set(wanted)]
    needed = [name for name in (*NUMBERS, *NAMED) if name in {by, *filters}]
    codes = await _codes(connection, days.places, needed)
    for start in range(0, len(keys), _DAYS_AT_ONCE):
        some = keys[start : start + _DAYS_AT_ONCE]
        columns = await _columns(connection, days.places, some, needed)
        part = await asyncio.to_thread(_summed, columns, codes, measures, by, filters)
        for key, sums in part.items():
            held = found.setdefault(key, dict.fromkeys(measures, 0))
            for name, value in sums.items():
                held[name] += value
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class _Codes:
    """What the codes of a dimension mean: `values[place][code]`; 0 is what is not known."""

    values: dict[int, list[str | None]]

    @property
    def width(self) -> int:
        return max(map(len, self.values.values()), default=1)

    def picks(self, places: Sequence[int], wanted: Collection[Key]) -> Bools:
        """place × code: whether it is one of `wanted`."""
        table = np.zeros((len(places), self.width), np.bool_)
        for n, place in enumerate(places):
            for code, value in enumerate(self.values[place]):
                table[n, code] = value in wanted
        return table


async def _codes(connection: Connection, places: Sequence[int], names: Sequence[str]) -> dict[str, _Codes]:
    codes = {name: _Codes(values={place: [None] for place in places}) for name in names if name in NAMED}
    rows = await connection.fetch(
        "SELECT location_key, name, value FROM bi_column_codes WHERE location_key = ANY($1::int[])"
        " AND name = ANY($2::text[]) ORDER BY location_key, name, code",  # from 1 on, without gaps
        list(places),
        list(codes),
    )
    for row in rows:
        codes[row["name"]].values[row["location_key"]].append(row["value"])
    return codes


@dataclass(frozen=True, slots=True, kw_only=True)
class _Columns:
    """`rows`: day and place of each part, and how many interactions it has; `values`: the columns, part after part."""

    places: Sequence[int]
    rows: Sequence[tuple[int, int, int]]
    values: dict[str, NDArray[np.int16]]

    def spread(self, numbers: Sequence[int]) -> Ints:
        """A number of each part, given to all its interactions."""
        return np.repeat(np.array(numbers, np.intp), [count for _, _, count in self.rows])

    def place(self) -> Ints:
        number = {place: n for n, place in enumerate(self.places)}
        return self.spread([number[place] for _, place, _ in self.rows])

    def hour(self) -> Ints:
        return self.spread([_first_hour(day) for day, _, _ in self.rows]) + self.values[Dimension.HOUR]


async def _columns(
    connection: Connection, places: Sequence[int], keys: Sequence[int], names: Sequence[str]
) -> _Columns:
    rows: list[tuple[int, int, int]] = []
    values = {}
    for name in (COUNTS, *names):
        found = await connection.fetch(
            "SELECT date_key, location_key, codes FROM agg_daily_columns WHERE name = $1"
            " AND location_key = ANY($2::int[]) AND date_key = ANY($3::int[]) ORDER BY date_key, location_key",
            name,
            list(places),
            list(keys),
        )
        values[name] = np.frombuffer(b"".join(row["codes"] for row in found), CODE).astype(np.int16)
        rows = rows or [
            (row["date_key"], row["location_key"], len(row["codes"]) // CODE.itemsize) for row in found
        ]
    return _Columns(places=places, rows=rows, values=values)


def _summed(
    columns: _Columns, codes: dict[str, _Codes], measures: Sequence[str], by: str, filters: Filters
) -> dict[Key, dict[str, int]]:
    if not columns.rows:
        return {}
    counts = columns.values[COUNTS]
    keep = np.ones(len(counts), np.bool_)
    for name, wanted in filters.items():
        if name in NAMED:
            keep &= codes[name].picks(columns.places, wanted)[columns.place(), columns.values[name]]
        elif name in NUMBERS:
            numbers = columns.hour() if name == Dimension.HOUR else columns.values[name]
            keep &= np.isin(numbers, [int(value) for value in wanted if value is not None])
    group, keys = _groups(columns, codes, by)
    sums = {}
    for name in measures:
        mine = keep & (counts >> BITS[name] & 1).astype(np.bool_)
        sums[name] = np.bincount(group[mine], minlength=len(keys))
    found: dict[Key, dict[str, int]] = {}
    for n in np.flatnonzero(sum(sums.values())).tolist():
        held = found.setdefault(keys[n], dict.fromkeys(measures, 0))
        for name in measures:
            held[name] += int(sums[name][n])
    return found


def _groups(columns: _Columns, codes: dict[str, _Codes], by: str) -> tuple[Ints, Sequence[Key]]:
    """The group of each interaction, and the key of each group; groups of several offices may have a key in common."""
    if by == Dimension.LOCATION:
        return columns.place(), columns.places
    if by == Dimension.DAY:
        days = sorted({day for day, _, _ in columns.rows})
        number = {day: n for n, day in enumerate(days)}
        return columns.spread([number[day] for day, _, _ in columns.rows]), days
    if by == Dimension.HOUR:
        hours = columns.hour()
        first = int(hours.min())
        return hours - first, range(first, int(hours.max()) + 1)
    if by == Dimension.BOT:
        bots = columns.values[by].astype(np.intp)
        return bots, range(int(bots.max()) + 1)
    named = codes[by]
    keys: list[Key] = [None] * (len(columns.places) * named.width)
    for n, place in enumerate(columns.places):
        keys[n * named.width : n * named.width + len(named.values[place])] = named.values[place]
    return columns.place() * named.width + columns.values[by], keys


def _first_hour(key: int) -> int:
    """The number of the hour at midnight UTC of that day."""
    return (day_of(key) - date(1970, 1, 1)).days * _HOURS_OF_DAY
