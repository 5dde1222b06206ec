"""Figures divided by what only the facts know."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from backend.metrics import MEASURES
from backend.metrics.measures import BOTS, MONEY
from backend.storage.warehouse import columns, latencies, tallies
from backend.storage.warehouse.latencies import Table
from backend.storage.warehouse.stocks import ACTIVE, OPEN
from backend.storage.warehouse.where import COLUMNS, Filters, Key, Where, Within, source_of

if TYPE_CHECKING:
    from datetime import datetime

    from backend.storage.pool import Connection

MOST_ROWS = 10_000
"""Of a division; beyond it nobody reads on."""


async def measured(
    connection: Connection, measures: Sequence[str], within: Within, by: str, filters: Filters
) -> dict[Key, dict[str, int]]:
    """Measures of one fact, by the dimension `by` (or by lead): closed days out of columns, where there are any."""
    layout = columns.LAYOUTS.get(MEASURES[measures[0]].fact)
    if layout is None or not layout.knows(measures, by, filters):
        return await _of_facts(connection, measures, within, by, filters)
    split = await columns.split(connection, layout, within, filters)
    if split is None:
        return await _of_facts(connection, measures, within, by, filters)
    parts = [
        await tallies.counted(connection, layout, measures, days, by=by, filters=filters)
        for days in split.packed
    ]
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
        f"SELECT {COLUMNS[fact][by]} AS key, {summed} FROM {source_of(fact, [by], filters)}"  # noqa: S608 - registry names
        f" WHERE {where.text} GROUP BY 1 LIMIT {MOST_ROWS + 1}",
        *where.arguments,
    )
    return {row["key"]: {name: row[name] for name in measures} for row in rows}


async def timed(connection: Connection, kind: str, within: Within, by: str, filters: Filters) -> Table[Key]:
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
    return latencies.counted([row["key"] for row in rows], rows)


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """So many rows, the largest first, after the one of this value and key."""

    limit: int
    after: tuple[int, Key] | None = None

    def of(self, rows: str, value: str, where: Where) -> str:
        """That part of `rows`, a query whose column `key` is a lead."""
        if self.after is not None:
            last, key = self.after
            where.add(
                f"(-{value}, key IS NULL, coalesce(key, '{_NOBODY}')) > (?::bigint, ?::bool, ?::uuid)",
                -last,
                key is None,
                key or _NOBODY,
            )
        return (
            f"SELECT * FROM ({rows}) s WHERE {where.text} ORDER BY {value} DESC, key LIMIT {int(self.limit)}"  # noqa: S608 - fixed words
        )


_NOBODY = "00000000-0000-0000-0000-000000000000"


async def largest(
    connection: Connection, measures: Sequence[str], within: Within, filters: Filters, page: Page
) -> list[tuple[Key, dict[str, int]]]:
    """Leads by the first of these measures of the ledger, those without any of them left out."""
    where = Where()
    within.into(where, MONEY)
    where.filter(MONEY, filters)
    summed = ", ".join(f"coalesce({MEASURES[name].expression}, 0)::bigint AS {name}" for name in measures)
    rows = f"SELECT f.lead_id AS key, {summed} FROM {MONEY} f WHERE {where.text} GROUP BY 1"  # noqa: S608 - registry names
    any_of = Where(
        conditions=[f"({' OR '.join(f'{name} <> 0' for name in measures)})"], arguments=where.arguments
    )
    found = await connection.fetch(page.of(rows, measures[0], any_of), *where.arguments)
    return [(row["key"], {name: row[name] for name in measures}) for row in found]


@dataclass(frozen=True, slots=True, kw_only=True)
class Worth:
    """The open deals under a key: `value` is its share of the pipeline, in cents."""

    key: Key
    value: int
    deals: int
    gross_cents: int
    company_cents: int


Odds = Sequence[tuple[str, bool, int]]
"""Stage, whether it sells, and the chance to close in millionths."""
_MILLION = 1_000_000
_SHARED = f"""
    WITH held AS (
        SELECT {{key}} AS key, sum(f.deals)::bigint AS deals, sum(f.gross_cents)::bigint AS gross_cents,
               sum(f.company_cents)::bigint AS company_cents, coalesce(sum(o.parts * f.company_cents), 0) AS weight
          FROM {MONEY} f
          LEFT JOIN unnest($1::text[], $2::bool[], $3::bigint[]) AS o (stage, sells, parts) USING (stage, sells)
         WHERE {{where}} GROUP BY 1),
    kept AS (SELECT *, greatest(weight, 0) AS share FROM held
              WHERE deals <> 0 OR gross_cents <> 0 OR company_cents <> 0 OR weight <> 0),
    summed AS (SELECT sum(weight) AS weight, sum(share) AS shares, mod(mod(sum(weight), {_MILLION}) + {_MILLION}, {_MILLION}) AS rest
                 FROM kept),
    whole AS (SELECT shares, floored + (2 * rest > {_MILLION} OR 2 * rest = {_MILLION} AND mod(floored, 2) <> 0)::int AS cents
                FROM (SELECT *, div(weight - rest, {_MILLION}) AS floored FROM summed) s),
    quotas AS (SELECT kept.*, cents, shares, div(abs(cents) * share, nullif(shares, 0)) AS quota,
                      mod(abs(cents) * share, nullif(shares, 0)) AS left_over FROM kept, whole),
    ranked AS (SELECT *, row_number() OVER (ORDER BY left_over DESC, key) AS place, abs(cents) - sum(quota) OVER () AS missing
                 FROM quotas)
    SELECT key, deals, gross_cents, company_cents,
           (CASE WHEN shares = 0 THEN cents * (place = 1)::int ELSE sign(cents) * (quota + (place <= missing)::int) END)::bigint AS value
      FROM ranked"""  # noqa: S608 - fixed words
"""`domain.shares.split` of the weighted pipeline, rounded half to even: whole cents that sum to it, the same on every page."""


async def standing(
    connection: Connection, odds: Odds, within: Within, by: str, filters: Filters, *, page: Page | None = None
) -> list[Worth]:
    """The pipeline by the dimension `by`, or a page of it by lead."""
    where = Where(arguments=[list(column) for column in zip(*odds, strict=True)])
    within.into(where, MONEY)
    where.filter(MONEY, filters)
    where.add(f"f.{OPEN}")
    rows = _SHARED.format(key=COLUMNS[MONEY][by], where=where.text)
    if page is not None:
        rows = page.of(rows, "value", Where(arguments=where.arguments))
    return [Worth(**dict(row)) for row in await connection.fetch(rows, *where.arguments)]


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
    """Active leads of these places; $1 is `now`."""
    where = Where(arguments=[now])
    where.add(ACTIVE)
    where.add("f.location_key = ANY(?::int[])", list(keys))
    where.filter("dim_lead", filters)
    return where
