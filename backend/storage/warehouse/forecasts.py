"""Forecasts as they were made, what came of them, and the deals they are made from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from backend.storage.warehouse.ranges import date_key

if TYPE_CHECKING:
    from backend.storage.pool import Connection

REVENUE = "won_gross_cents"


@dataclass(frozen=True, slots=True, kw_only=True)
class Issued:
    """Of the `days` after `data_until`; bands None where too few errors were known to state them."""

    location_key: int
    measure: str
    data_until: date
    days: int
    model: str
    issued_at: datetime
    value_cents: int
    low_80: int | None
    high_80: int | None
    low_95: int | None
    high_95: int | None
    backtest: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """A forecast whose days are over, and what they brought."""

    location_key: int
    days: int
    model: str
    value_cents: int
    low_80: int | None
    high_80: int | None
    low_95: int | None
    high_95: int | None
    actual_cents: int


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """A deal stood in `stage` from this day at the office on."""

    deal_id: str
    day: date
    stage: str
    sells: bool
    gross_cents: int
    source: str


async def keep(connection: Connection, issued: Sequence[Issued]) -> None:
    """What was said stays said: a second forecast of the same days from the same data changes nothing."""
    await connection.executemany(
        """INSERT INTO bi_forecasts (location_key, measure, data_until, days, model, issued_at, value_cents, low_80, high_80,
                                     low_95, high_95, backtest)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) ON CONFLICT DO NOTHING""",
        [
            (
                one.location_key,
                one.measure,
                one.data_until,
                one.days,
                one.model,
                one.issued_at,
                one.value_cents,
                one.low_80,
                one.high_80,
                one.low_95,
                one.high_95,
                one.backtest,
            )
            for one in issued
        ],
    )


async def issued_for(connection: Connection, location_key: int, measure: str, data_until: date) -> list[int]:
    """For how many days ahead something was said from the data until then."""
    rows = await connection.fetch(
        "SELECT days FROM bi_forecasts WHERE location_key = $1 AND measure = $2 AND data_until = $3 ORDER BY days",
        location_key,
        measure,
        data_until,
    )
    return [row["days"] for row in rows]


async def scored(connection: Connection, places: Sequence[int], until: date) -> list[Scored]:
    """The revenue forecasts of these places whose last day is `until` or earlier, beside what came."""
    rows = await connection.fetch(
        f"""SELECT f.location_key, f.days, f.model, f.value_cents, f.low_80, f.high_80, f.low_95, f.high_95, came.actual_cents
              FROM bi_forecasts f CROSS JOIN LATERAL (
                   SELECT coalesce(sum({REVENUE}), 0)::bigint AS actual_cents FROM agg_daily_metrics a
                    WHERE a.location_key = f.location_key AND a.date_key > to_char(f.data_until, 'YYYYMMDD')::int
                      AND a.date_key <= to_char(f.data_until + f.days, 'YYYYMMDD')::int) came
             WHERE f.location_key = ANY($1::int[]) AND f.measure = '{REVENUE}' AND f.data_until + f.days <= $2
             ORDER BY f.data_until, f.location_key, f.days""",  # noqa: S608 - a name of the registry
        list(places),
        until,
    )
    return [Scored(**dict(row)) for row in rows]


async def next_due(connection: Connection, places: Sequence[int], until: date) -> tuple[int, date | None]:
    """How many forecasts have days still to come, and when the first of them can be scored."""
    row = await connection.fetchrow(
        """SELECT count(*) AS n, min(data_until + days) AS first FROM bi_forecasts
            WHERE location_key = ANY($1::int[]) AND data_until + days > $2""",
        list(places),
        until,
    )
    assert row is not None  # an aggregate without GROUP BY always has its row
    return row["n"], row["first"]


async def states(connection: Connection, keys: Sequence[int], until: date) -> list[State]:
    """What every deal was, in the order it was so."""
    rows = await connection.fetch(
        """SELECT deal_id, to_date(date_key::text, 'YYYYMMDD') AS day, stage, sells, gross_cents, source FROM deal_states
            WHERE location_key = ANY($1::int[]) AND date_key <= $2
            ORDER BY deal_id, occurred_at, event_id""",
        list(keys),
        date_key(until),
    )
    return [State(**dict(row)) for row in rows]
