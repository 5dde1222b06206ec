"""Measures over time, out of the aggregates: days at the office, hours in UTC, and what they consist of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from backend.metrics import MEASURES

if TYPE_CHECKING:
    from backend.storage.pool import Connection

Sums = Mapping[str, int]


def _summed(names: Sequence[str]) -> str:
    """Raises: KeyError for a name that the registry does not know."""
    return ", ".join(f"sum({MEASURES[name].name})::bigint AS {name}" for name in names)


async def daily(
    connection: Connection, places: Sequence[int], names: Sequence[str], first: int, last: int
) -> dict[int, Sums]:
    """Date key → sums, of the days that have any."""
    rows = await connection.fetch(
        f"""SELECT date_key, {_summed(names)} FROM agg_daily_metrics
             WHERE location_key = ANY($1::int[]) AND date_key BETWEEN $2 AND $3 GROUP BY 1""",  # noqa: S608 - names of the registry
        list(places),
        first,
        last,
    )
    return {row["date_key"]: {name: row[name] for name in names} for row in rows}


async def hourly(
    connection: Connection, places: Sequence[int], names: Sequence[str], since: datetime, until: datetime
) -> dict[datetime, Sums]:
    """Hour → sums, of the hours in [since, until) that have any."""
    rows = await connection.fetch(
        f"""SELECT hour, {_summed(names)} FROM agg_hourly_metrics
             WHERE location_key = ANY($1::int[]) AND hour >= $2 AND hour < $3 GROUP BY 1""",  # noqa: S608 - names of the registry
        list(places),
        since,
        until,
    )
    return {row["hour"]: {name: row[name] for name in names} for row in rows}


async def by_part(
    connection: Connection, keys: Sequence[int], name: str, slots: Sequence[datetime | int]
) -> list[tuple[Any, int, int, int]]:
    """(slot, office, bot, sum of the measure) of these hours, or of these days by their keys, office by office."""
    of_days = all(isinstance(slot, int) for slot in slots)
    bucket, kind = ("date_key", "int") if of_days else ("hour", "timestamptz")
    table = "agg_daily_metrics" if of_days else "agg_hourly_metrics"
    rows = await connection.fetch(
        f"""SELECT {bucket}, location_key, bot_key, {MEASURES[name].name} FROM {table}
             WHERE location_key = ANY($1::int[]) AND {bucket} = ANY($2::{kind}[]) AND {MEASURES[name].name} <> 0""",  # noqa: S608 - names of the registry
        list(keys),
        list(slots),
    )
    return [(row[0], row[1], row[2], row[3]) for row in rows]
