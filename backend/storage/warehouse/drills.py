"""Figures divided by what only the facts know."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from backend.metrics import MEASURES
from backend.metrics.measures import BOTS, LEADS, MONEY
from backend.storage.warehouse import columns
from backend.storage.warehouse.latencies import CELLS, Counts
from backend.storage.warehouse.stocks import OPEN
from backend.storage.warehouse.where import COLUMNS, LEAD, Filters, Key, Where, Within, source_of

if TYPE_CHECKING:
    from datetime import datetime

    from backend.storage.pool import Connection

MOST_ROWS, MOST_LEADS = 10_000, 100_000
"""Of a division; beyond it nobody reads on. Leads with money are put in order before they are paged."""


def most(by: str) -> int:
    """Rows of a division by this, at most."""
    return MOST_LEADS if by == LEAD else MOST_ROWS


async def measured(
    connection: Connection, measures: Sequence[str], within: Within, by: str, filters: Filters
) -> dict[Key, dict[str, int]]:
    """Measures of one fact, by the dimension `by` (or by lead): closed days out of columns, where there are any."""
    fact = MEASURES[measures[0]].fact
    split = await columns.split(connection, within, by, filters) if fact == LEADS else None
    if split is None:
        return await _of_facts(connection, measures, within, by, filters)
    parts = [await columns.counted(connection, measures, days, by, filters) for days in split.packed]
    parts += [await _of_facts(connection, measures, one, by, filters) for one in split.rest]
    found: dict[Key, dict[str, int]] = {}
    for key, counted in (item for part in parts for item in part.items()):
        held = found.setdefault(key, dict.fromkeys(measures, 0))
        for name, value in counted.items():
            held[name] += value
    return found


async def _of_facts(
    connection: Connection, measures: Sequence[str], within: Within, by: str, filters: Filters
) -> dict[Key, dict[str, int]]:
    fact = MEASURES[measures[0]].fact
    where = Where()
    within.into(where, fact)
    where.filter(fact, filters)
    summed = ", ".join(f"coalesce({MEASURES[name].expression}, 0)::bigint AS {name}" for name in measures)
    rows = await connection.fetch(
        f"SELECT {COLUMNS[fact][by]} AS key, {summed} FROM {source_of(fact, [by, *filters])}"  # noqa: S608 - registry names
        f" WHERE {where.text} GROUP BY 1 LIMIT {most(by) + 1}",
        *where.arguments,
    )
    return {row["key"]: {name: row[name] for name in measures} for row in rows}


async def timed(
    connection: Connection, kind: str, within: Within, by: str, filters: Filters
) -> dict[Key, Counts]:
    """Latencies of events of `kind`, by the dimension `by`."""
    where = Where()
    within.into(where, BOTS)
    where.filter(BOTS, filters)
    where.add("f.event_type = ?", kind)
    where.add("f.processing_us IS NOT NULL")
    rows = await connection.fetch(
        f"SELECT {COLUMNS[BOTS][by]} AS key, bi_latency_cell(f.processing_us) AS cell, count(*) AS n"  # noqa: S608 - fixed words
        f" FROM {BOTS} f WHERE {where.text} GROUP BY 1, 2",
        *where.arguments,
    )
    found: dict[Key, Counts] = {}
    for row in rows:
        found.setdefault(row["key"], np.zeros(CELLS, np.int64))[row["cell"]] += row["n"]
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Open:
    """Open deals under one key that have stage and side in common."""

    key: Key
    stage: str
    sells: bool
    deals: int
    gross_cents: int
    company_cents: int


async def standing(connection: Connection, within: Within, by: str, filters: Filters) -> list[Open]:
    """The pipeline, by the dimension `by` (or by lead)."""
    where = Where()
    within.into(where, MONEY)
    where.filter(MONEY, filters)
    where.add(f"f.{OPEN}")
    rows = await connection.fetch(
        f"SELECT {COLUMNS[MONEY][by]} AS key, f.stage, f.sells, sum(f.deals)::bigint AS deals,"  # noqa: S608 - fixed words
        " sum(f.gross_cents)::bigint AS gross_cents, sum(f.company_cents)::bigint AS company_cents"
        f" FROM {MONEY} f WHERE {where.text} GROUP BY 1, 2, 3"
        " HAVING sum(f.deals) <> 0 OR sum(f.gross_cents) <> 0 OR sum(f.company_cents) <> 0",
        *where.arguments,
    )
    return [Open(**dict(row)) for row in rows]


async def active(
    connection: Connection, now: datetime, keys: Sequence[int], by: str, filters: Filters
) -> dict[Key, tuple[int, int]]:
    """Active leads by the dimension `by`: how many, and how many of them are hot and late."""
    where = active_where(now, keys, filters)
    rows = await connection.fetch(
        f"SELECT {COLUMNS['dim_lead'][by]} AS key, count(*) AS n,"  # noqa: S608 - registry names
        " count(*) FILTER (WHERE f.temperature = 'hot' AND f.answer_due_at < $1) AS late"
        f" FROM dim_lead f WHERE {where.text} GROUP BY 1",
        *where.arguments,
    )
    return {row["key"]: (row["n"], row["late"]) for row in rows}


def active_where(now: datetime, keys: Sequence[int], filters: Filters) -> Where:
    """A contact or a planned touch within 30 days, not closed, not opted out; $1 is `now`."""
    where = Where(arguments=[now])
    where.add(f"f.valid_to = 'infinity' AND f.{OPEN} AND NOT f.opted_out")
    where.add(
        "(f.last_contact_at > $1::timestamptz - interval '30 days'"
        " OR f.next_touch_at <= $1::timestamptz + interval '30 days')"
    )
    where.add("f.location_key = ANY(?::int[])", list(keys))
    where.filter("dim_lead", filters)
    return where
