"""Writes the columns of closed days (columns.py reads them) and proves that they are what the facts say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import cache
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING

import numpy as np

from backend.metrics import Dimension
from backend.storage.warehouse.columns import CODE, COUNTS, LAYOUTS, Layout, condition
from backend.storage.warehouse.ranges import date_key
from backend.storage.warehouse.where import COLUMNS, beyond, source_of

if TYPE_CHECKING:
    import asyncpg

    from backend.storage.pool import Connection

_MIDNIGHT = "to_date(f.date_key::text, 'YYYYMMDD')::timestamp AT TIME ZONE 'UTC'"
_NUMBERS = {
    Dimension.BOT: "f.bot_key",
    Dimension.HOUR: f"floor(extract(epoch FROM f.occurred_at - {_MIDNIGHT}) / 3600)::int",
}
_NEVER = datetime.min.replace(tzinfo=UTC)


def _numbers(layout: Layout) -> dict[str, str]:
    """Columns that hold numbers, and what of a fact they hold."""
    bits = " + ".join(
        f"coalesce({condition(name)}, false)::int * {1 << bit}" for name, bit in layout.bits.items()
    )
    values = {name: f"coalesce({name}, 0)" for name in layout.values}
    return {**{name: _NUMBERS[Dimension(name)] for name in layout.numbers}, COUNTS: bits, **values}


@cache
def _facts(layout: Layout) -> str:
    numbers = "".join(f", {sql} AS {name}" for name, sql in _numbers(layout).items())
    named = "".join(f", ({COLUMNS[layout.fact][name]})::text AS {name}" for name in layout.named)
    return f"""
        SELECT f.location_key, f.received_at{numbers}{named} FROM {source_of(layout.fact, layout.named, {})}
         WHERE f.date_key = $1 AND f.occurred_at >= $2 AND f.occurred_at < $3
         ORDER BY f.location_key, f.occurred_at, f.event_id"""  # noqa: S608 - registry names


CLOSED_AFTER = timedelta(days=2)
"""A day is over everywhere by then, and what comes late has mostly come."""


async def due(connection: Connection, now: datetime) -> list[tuple[str, date]]:
    """Facts and their closed days without columns, the last ones first."""
    found: list[tuple[str, date]] = []
    for layout in LAYOUTS.values():
        rows = await connection.fetch(
            f"""SELECT d.day FROM dim_date d LEFT JOIN bi_column_days c ON c.date_key = d.date_key AND c.fact = $2, bi_retention r
                 WHERE d.date_key >= (SELECT min(date_key) FROM agg_daily_metrics
                                       WHERE location_key = -1 AND {next(iter(layout.bits))} > 0)
                   AND d.day < $1 AND d.day > r.kept_from AND (c.complete AND c.made_of = $3) IS NOT TRUE
                 ORDER BY d.day DESC""",  # noqa: S608 - registry names
            (now - CLOSED_AFTER).date(),
            layout.fact,
            layout.made_of,
        )
        found += [(layout.fact, row["day"]) for row in rows]
    return sorted(found, key=itemgetter(1), reverse=True)


async def pack(connection: Connection, fact: str, day: date) -> None:
    """As jorge_etl. Writers wait meanwhile: a fact that came between reading and saying so would never be in a column.

    Raises: OverflowError for a dimension of more than 32,767 values, and for a number beyond them.
    """
    layout, key = LAYOUTS[fact], date_key(day)
    async with connection.transaction():
        await connection.execute("SELECT bi_alone()")
        packed = await _packed(connection, layout, day)
        await connection.execute("DELETE FROM agg_daily_columns WHERE fact = $1 AND date_key = $2", fact, key)
        await connection.executemany("INSERT INTO bi_column_codes VALUES ($1, $2, $3, $4)", packed.codes.new)
        await connection.executemany(
            "INSERT INTO agg_daily_columns (fact, name, date_key, location_key, codes) VALUES ($1, $2, $3, $4, $5)",
            [(fact, name, key, place, codes) for (name, place), codes in sorted(packed.parts.items())],
        )
        await connection.execute(
            """INSERT INTO bi_column_days (fact, date_key, complete, made_of, newest_at) VALUES ($1, $2, true, $3, $4)
               ON CONFLICT (fact, date_key) DO UPDATE
                  SET complete = true, made_of = excluded.made_of, newest_at = excluded.newest_at""",
            fact,
            key,
            layout.made_of,
            packed.newest_at,
        )


async def differing(connection: Connection, first: date, after: date, *, mend: bool) -> tuple[int, int]:
    """Parts that there must be from `first` to before `after`, and those that differ. `mend`: their days are read from the facts
    until they are packed again."""
    there, differed = 0, 0
    for layout in LAYOUTS.values():
        parts, wrong = await _differing(connection, layout, first, after)
        there, differed = there + parts, differed + sum(wrong.values())
        if mend:
            await connection.execute(
                "UPDATE bi_column_days SET complete = false WHERE fact = $1 AND date_key = ANY($2::int[])",
                layout.fact,
                list(wrong),
            )
    return there, differed


async def _differing(
    connection: Connection, layout: Layout, first: date, after: date
) -> tuple[int, dict[int, int]]:
    """Parts that there must be, and how many of a day differ, of those days that have any."""
    rows = await connection.fetch(
        """SELECT d.day FROM bi_column_days c JOIN dim_date d USING (date_key)
            WHERE c.fact = $1 AND c.complete AND c.made_of = $2 AND d.day >= $3 AND d.day < $4""",
        layout.fact,
        layout.made_of,
        first,
        after,
    )
    there, wrong = 0, {}
    for day in (row["day"] for row in rows):
        parts = (await _packed(connection, layout, day)).parts
        held = await connection.fetch(
            "SELECT name, location_key, codes FROM agg_daily_columns WHERE fact = $1 AND date_key = $2",
            layout.fact,
            date_key(day),
        )
        stored = {(row["name"], row["location_key"]): bytes(row["codes"]) for row in held}
        there += len(parts)
        if others := sum(parts.get(one) != stored.get(one) for one in parts.keys() | stored.keys()):
            wrong[date_key(day)] = others
    return there, wrong


@dataclass(slots=True)
class _Codes:
    """`held`: place and dimension → value → code; a value that has none gets the next one, and is `new`."""

    held: dict[tuple[int, str], dict[str, int]] = field(default_factory=dict)
    new: list[tuple[int, str, str, int]] = field(default_factory=list)

    def of(self, place: int, name: str, values: Sequence[str | None]) -> list[int]:
        held = self.held.setdefault((place, name), {})
        for value in dict.fromkeys(values):
            if value is not None and value not in held:
                held[value] = len(held) + 1
                self.new.append((place, name, value, held[value]))
        return [0 if value is None else held[value] for value in values]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Packed:
    """A day: the columns of each office, by name and place."""

    parts: dict[tuple[str, int], bytes]
    codes: _Codes
    newest_at: datetime


async def _packed(connection: Connection, layout: Layout, day: date) -> _Packed:
    codes = _Codes()
    for row in await connection.fetch("SELECT location_key, name, value, code FROM bi_column_codes"):
        codes.held.setdefault((row["location_key"], row["name"]), {})[row["value"]] = row["code"]
    facts = await connection.fetch(_facts(layout), date_key(day), *beyond(day, day))
    parts: dict[tuple[str, int], bytes] = {}
    for place, rows in groupby(facts, itemgetter("location_key")):
        parts |= {(name, place): one for name, one in _columns(layout, codes, place, list(rows)).items()}
    return _Packed(
        parts=parts, codes=codes, newest_at=max((row["received_at"] for row in facts), default=_NEVER)
    )


def _columns(layout: Layout, codes: _Codes, place: int, rows: Sequence[asyncpg.Record]) -> dict[str, bytes]:
    numbers = {name: [row[name] for row in rows] for name in _numbers(layout)}
    named = {name: codes.of(place, name, [row[name] for row in rows]) for name in layout.named}
    return {name: np.array(column, CODE).tobytes() for name, column in (numbers | named).items()}
