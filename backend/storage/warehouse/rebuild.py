"""Proves that the aggregates are what the facts sum to, and that what is made of facts (`derived`) is what they tell; week by week, and
writes what is not. Traffic goes on meanwhile.

The look needs no lock: one snapshot shows facts and aggregates of the same commits. Only where something differs is the week
counted again with the lock that every writer takes before it counts, so that nothing can come between count and correction.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import TypeAlias

from backend.storage.pool import Connection
from backend.storage.warehouse import aggregates, derived, packed

logger = logging.getLogger(__name__)

WEEK = timedelta(days=7)
Mended: TypeAlias = Callable[[date, date], Awaitable[None]]
_WRITER = "SELECT set_config('role', 'jorge_etl', true)"
_EXTENT = """
SELECT least((SELECT min(hour) FROM agg_hourly_metrics), (SELECT min(occurred_at) FROM fact_lead_interactions),
             (SELECT min(occurred_at) FROM fact_bot_performance), (SELECT min(occurred_at) FROM fact_commission_events),
             (SELECT min(started_at) FROM fact_bot_conversations), (SELECT min(occurred_at) FROM deal_states),
             (SELECT to_date(min(date_key)::text, 'YYYYMMDD') FROM agg_daily_metrics)),
       greatest((SELECT max(hour) FROM agg_hourly_metrics), (SELECT max(occurred_at) FROM fact_lead_interactions),
                (SELECT max(occurred_at) FROM fact_bot_performance), (SELECT max(occurred_at) FROM fact_commission_events),
                (SELECT max(started_at) FROM fact_bot_conversations), (SELECT max(occurred_at) FROM deal_states),
                (SELECT to_date(max(date_key)::text, 'YYYYMMDD') FROM agg_daily_metrics))
"""


@dataclass(slots=True)
class Found:
    """Rows that there must be, and rows that differed, by table."""

    rows: dict[str, int] = field(default_factory=dict)
    differed: dict[str, int] = field(default_factory=dict)

    def add(self, other: Found) -> None:
        for table, rows in other.rows.items():
            self.rows[table] = self.rows.get(table, 0) + rows
            self.differed[table] = self.differed.get(table, 0) + other.differed[table]

    @property
    def all_differed(self) -> int:
        return sum(self.differed.values())

    def lines(self) -> Iterator[str]:
        for table, rows in self.rows.items():
            yield f"{table}: {rows:,} rows, {self.differed[table]:,} differed"


async def rebuild(
    connection: Connection,
    *,
    first: date | None = None,
    last: date | None = None,
    check: bool = False,
    about_to: Mended | None = None,
) -> Found:
    """From `first` to `last`, both included; without them all days whose facts are kept. `check`: write nothing.

    `about_to` hears of each mend before it is committed, with the first day and the day after the last.
    """
    found = Found()
    begin, end = await _days(connection, first, last)
    while begin < end:
        after = min(begin + WEEK, end)
        looked = await _look(connection, begin, after)
        if looked.all_differed and not check:
            looked = await _mend(connection, begin, after, about_to)
        found.add(looked)
        begin = after
    return found


async def _mend(connection: Connection, begin: date, after: date, about_to: Mended | None) -> Found:
    async with connection.transaction():
        await connection.execute(_WRITER)
        await connection.execute("SELECT bi_alone()")
        found = await _each(connection, begin, after, mend=True)
        if about_to is not None:
            await about_to(begin, after)
    logger.warning("aggregates.mended", extra={"from": str(begin), "differed": dict(found.differed)})
    return found


async def _look(connection: Connection, begin: date, after: date) -> Found:
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        await connection.execute(_WRITER)
        return await _each(connection, begin, after, mend=False)


async def _each(connection: Connection, begin: date, after: date, *, mend: bool) -> Found:
    found = Found()
    for made in derived.TABLES:  # first: mended, they are counted otherwise
        found.rows[made.name], found.differed[made.name] = await made.differing(
            connection, begin, after, mend=mend
        )
    statements = {table.name: table.differing(mend=mend) for table in aggregates.TABLES}
    for name, statement in (statements | {"agg_latency_hist": aggregates.latencies(mend=mend)}).items():
        (counts,) = await connection.fetch(statement, begin, after)
        found.rows[name], found.differed[name] = counts
    found.rows["agg_daily_columns"], found.differed["agg_daily_columns"] = await packed.differing(
        connection, begin, after, mend=mend
    )
    return found


async def _days(connection: Connection, first: date | None, last: date | None) -> tuple[date, date]:
    """The first day and the day after the last. Days whose facts were dropped are out of the question."""
    async with connection.transaction(readonly=True):
        await connection.execute(_WRITER)
        (extent,) = await connection.fetch(_EXTENT)
        kept_from: datetime = await connection.fetchval(
            "SELECT kept_from FROM bi_retention WHERE isfinite(kept_from)"
        )
    today = datetime.now(UTC)
    begin = first or (extent[0] or today).date() - timedelta(days=1)
    if kept_from is not None:
        begin = max(
            begin, kept_from.date() + timedelta(days=1)
        )  # the day before may reach into that month at an office
    return begin, (last or (extent[1] or today).date() + timedelta(days=1)) + timedelta(days=1)
