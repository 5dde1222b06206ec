"""Facts of closed days in columns: a year divided by anything, filtered by anything, without reading its facts.

Exact: a day counts from here only where `bi_column_days` says that its columns are all its facts; the rest is read from the facts
(drills.py). Migrations 017 and 018 tell how that stays true, packed.py writes the columns, tallies.py adds them up.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from backend.metrics import MEASURES, Dimension
from backend.metrics.measures import BOTS, LEADS
from backend.storage.warehouse.ranges import ceil, date_key, day_of, hour_number
from backend.storage.warehouse.where import Filters, Within, beyond

if TYPE_CHECKING:
    from backend.storage.pool import Connection

COUNTS = "measures"
"""The column with a bit for each measure that counts the fact."""
PART = "part"
"""An hour at an office; no dimension of the registry."""
LEAST_DAYS = 8
"""Of fewer days the facts are read as fast."""
CODE = np.dtype(">i2")
_FORM = re.compile(r"(count|sum)\((\*|\w+)\)(?: FILTER \(WHERE (.+)\))?")


def condition(measure: str) -> str:
    """Which facts it counts. Raises: ValueError for a measure of another form."""
    found = _FORM.fullmatch(MEASURES[measure].expression)
    if found is None:
        raise ValueError(MEASURES[measure].expression)
    _, column, only = found.groups()
    parts = [*([] if column == "*" else [f"{column} IS NOT NULL"]), *([only] if only else [])]
    return " AND ".join(parts) or "true"


@dataclass(frozen=True, kw_only=True)
class Layout:
    """The columns of a fact.

    `numbers` hold the number itself: the bot's key; the hour, counted from midnight UTC of the day on. `named` hold codes, which
    `bi_column_codes` names office by office. `values` are measures that sum up a column of the fact; theirs hold its numbers.
    """

    fact: str
    numbers: tuple[str, ...]
    named: tuple[str, ...]
    values: tuple[str, ...] = ()

    @cached_property
    def bits(self) -> Mapping[str, int]:
        """Measures that count, and their bits in the column `COUNTS`."""
        own = (measure for measure in MEASURES.values() if measure.fact == self.fact)
        return {m.name: n for n, m in enumerate(m for m in own if m.expression.startswith("count"))}

    @cached_property
    def made_of(self) -> str:
        """Columns written by other measures than today's are not read."""
        said = [*((name, condition(name)) for name in self.bits), self.numbers, self.named, *self.values]
        return hashlib.sha256(repr(said).encode()).hexdigest()[:12]

    def knows(self, measures: Sequence[str], by: str, filters: Filters) -> bool:
        dimensions = {Dimension.LOCATION, Dimension.DAY, PART, *self.numbers, *self.named}
        return {by, *filters} <= dimensions and {*measures} <= {*self.bits, *self.values}


LAYOUTS: Mapping[str, Layout] = {
    LEADS: Layout(
        fact=LEADS,
        numbers=(Dimension.BOT, Dimension.HOUR),
        named=(
            Dimension.AGENT,
            Dimension.STAGE,
            Dimension.TEMPERATURE,
            Dimension.SOURCE,
            Dimension.CHANNEL,
            Dimension.EVENT_TYPE,
        ),
    ),
    BOTS: Layout(
        fact=BOTS,
        numbers=(Dimension.BOT, Dimension.HOUR),
        named=(Dimension.EVENT_TYPE,),
        values=("confidence_bp", "quality_bp"),
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Days:
    """Days of some offices, and of them only the hours from `since` on, before `until` (numbers of hours), where an hour matters."""

    places: Sequence[int]
    keys: Sequence[int]
    since: int | None = None
    until: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """A time: what is read from columns, and what from facts."""

    packed: Sequence[Days]
    rest: Sequence[Within]


async def split(connection: Connection, layout: Layout, within: Within, filters: Filters) -> Split | None:
    """None where all of it is read from the facts."""
    dates = [(keys, day_of(first), day_of(last)) for keys, first, last in within.days]
    if not dates or max((last - first).days for _, first, last in dates) < LEAST_DAYS:
        return None
    rows = await connection.fetch(
        """SELECT date_key FROM bi_column_days WHERE fact = $1 AND complete AND made_of = $2
              AND date_key BETWEEN $3 AND $4 AND ($5::timestamptz IS NULL OR newest_at <= $5)""",
        layout.fact,
        layout.made_of,
        date_key(min(first for _, first, _ in dates)),
        date_key(max(last for _, _, last in dates)),
        within.received_by,
    )
    complete = {row["date_key"] for row in rows}
    if not complete:
        return None
    packed, rest = [], []
    for places, first, last in dates:
        days = [day for day in _days(first, last) if _reaches(within, day, filters)]
        there = [date_key(day) for day in days if date_key(day) in complete]
        packed.append(_packed(within, places, there))
        rest += [
            _part(within, places, *run) for run in _runs([d for d in days if date_key(d) not in complete])
        ]
    return Split(packed=packed, rest=rest)


def _days(first: date, last: date) -> list[date]:
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


def _reaches(within: Within, day: date, filters: Filters) -> bool:
    """Whether anything of this day may count."""
    begin, end = beyond(day, day)
    picked = filters.get(Dimension.DAY)
    return (
        (within.since is None or end > within.since)
        and (within.until is None or begin < within.until)
        and (picked is None or date_key(day) in picked)
    )


def _packed(within: Within, places: Sequence[int], keys: Sequence[int]) -> Days:
    return Days(
        places=places,
        keys=keys,
        since=None if within.since is None else hour_number(within.since),
        until=None if within.until is None else hour_number(ceil(within.until)),
    )


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
