"""What the sliding windows are rebuilt from when Valkey has lost them: the facts of the last day, by pane."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import TYPE_CHECKING

from backend.metrics import MEASURES, measures

if TYPE_CHECKING:
    import asyncpg

    from backend.storage.pool import Connection, Pool

LONGEST = "55s"
_AT_ONCE = 5_000
_EVENTS = (measures.LEADS, measures.BOTS, "deal_states")
_PANE = "floor(extract(epoch FROM {moment}) / {seconds})::bigint AS pane"


@asynccontextmanager
async def snapshot(pool: Pool) -> AsyncIterator[Connection]:
    """One picture of the whole warehouse, read-only."""
    async with (
        pool.acquire() as connection,
        connection.transaction(isolation="repeatable_read", readonly=True),
    ):
        await connection.execute(
            "SELECT set_config('role', 'jorge_etl', true), set_config('statement_timeout', $1, true)", LONGEST
        )
        yield connection


async def locations(connection: Connection) -> dict[str, int]:
    """Offices by id: their keys."""
    rows = await connection.fetch(
        "SELECT location_id, location_key FROM dim_location WHERE location_id IS NOT NULL"
    )
    return {str(row["location_id"]): row["location_key"] for row in rows}


async def newest(connection: Connection, until: datetime) -> dict[str, datetime]:
    """By stream: the moment of the newest event that is not later than `until`."""
    found = {}
    for stream, table in zip(
        ("lead_interactions", "bot_performance", "commission_events"), _EVENTS, strict=True
    ):
        moment = await connection.fetchval(
            f"SELECT max(occurred_at) FROM {table} WHERE occurred_at <= $1",  # noqa: S608 - names of ours
            until,
        )
        if moment is not None:
            found[stream] = moment
    return found


async def sums(
    connection: Connection, fact: str, seconds: int, since: datetime, until: datetime
) -> Sequence[asyncpg.Record]:
    """(pane, location_key, bot_id, measures …) of one fact over [since, until], by the registry's expressions."""
    moment = measures.MOMENT[fact]
    counted = ", ".join(
        f"coalesce({m.expression}, 0)::bigint AS {m.name}" for m in MEASURES.values() if m.fact == fact
    )
    pane = _PANE.format(moment=moment, seconds=seconds)
    return await connection.fetch(
        f"""SELECT {pane}, location_key, bot_id, {counted} FROM {fact} JOIN dim_bot USING (bot_key)
             WHERE {moment} >= $1 AND {moment} <= $2 GROUP BY 1, 2, 3""",  # noqa: S608 - names of the registry
        since,
        until,
    )


async def latencies(
    connection: Connection, seconds: int, since: datetime, until: datetime
) -> Sequence[asyncpg.Record]:
    """(pane, location_key, bot_id, kind, cell, n) of what was timed."""
    return await connection.fetch(
        f"""SELECT {_PANE.format(moment="occurred_at", seconds=seconds)}, location_key, bot_id, event_type AS kind,
                   bi_latency_cell(processing_us) AS cell, count(*) AS n
              FROM fact_bot_performance JOIN dim_bot USING (bot_key)
             WHERE occurred_at >= $1 AND occurred_at <= $2 AND processing_us IS NOT NULL
                   AND event_type IN ('scored', 'turn')
             GROUP BY 1, 2, 3, 4, 5""",  # noqa: S608 - a number
        since,
        until,
    )


async def leads(
    connection: Connection, seconds: int, since: datetime, until: datetime
) -> AsyncIterator[Sequence[asyncpg.Record]]:
    """(pane, location_key, lead_id) each once, some at a time."""
    query = f"""SELECT DISTINCT {_PANE.format(moment="occurred_at", seconds=seconds)}, location_key, lead_id
                  FROM fact_lead_interactions WHERE occurred_at >= $1 AND occurred_at <= $2"""  # noqa: S608 - a number
    async for some in _in_turn(connection, query, since, until):
        yield some


async def ids(
    connection: Connection, since: datetime, until: datetime, most: int
) -> AsyncIterator[Sequence[asyncpg.Record]]:
    """(event_id, occurred_at) of the newest `most` events of each kind, some at a time."""
    for table in _EVENTS:
        query = f"""SELECT event_id, occurred_at FROM {table} WHERE occurred_at >= $1 AND occurred_at <= $2
                     ORDER BY occurred_at DESC LIMIT $3"""  # noqa: S608 - names of ours
        async for some in _in_turn(connection, query, since, until, most):
            yield some


async def talks(connection: Connection, since: datetime, most: int) -> Sequence[asyncpg.Record]:
    """Conversations that went on since, the one that was silent longest first."""
    return await connection.fetch(
        """SELECT * FROM (
               SELECT conversation_id, location_key, bot_id, started_at, started_by, last_at, replied_at,
                      qualified_at IS NOT NULL AS qualified
                 FROM fact_bot_conversations JOIN dim_bot USING (bot_key)
                WHERE last_at >= $1 ORDER BY last_at DESC LIMIT $2) newest ORDER BY last_at""",
        since,
        most,
    )


async def deals(connection: Connection, since: datetime, most: int) -> Sequence[asyncpg.Record]:
    """Of the deals that were heard of last: their states since, and the one before that."""
    return await connection.fetch(
        """WITH told AS (
               SELECT deal_id FROM deal_states GROUP BY 1 ORDER BY max(occurred_at) DESC LIMIT $2),
           bases AS (
               SELECT DISTINCT ON (deal_id) * FROM deal_states JOIN told USING (deal_id)
                WHERE occurred_at < $1 ORDER BY deal_id, occurred_at DESC, event_id DESC)
           SELECT deal_id, occurred_at, event_id, location_key, stage, price_cents, gross_cents, company_cents FROM bases
           UNION ALL
           SELECT deal_id, occurred_at, event_id, location_key, stage, price_cents, gross_cents, company_cents
             FROM deal_states JOIN told USING (deal_id) WHERE occurred_at >= $1
           ORDER BY 2, 3""",
        since,
        most,
    )


async def last_day(connection: Connection, places: Sequence[int]) -> Sequence[asyncpg.Record]:
    """What the materialized view holds of these location keys, as of its last refresh."""
    return await connection.fetch(
        "SELECT * FROM real_time_dashboard WHERE location_key = ANY($1::int[])", list(places)
    )


async def _in_turn(
    connection: Connection, query: str, *args: object
) -> AsyncIterator[Sequence[asyncpg.Record]]:
    cursor = await connection.cursor(query, *args)
    while some := await cursor.fetch(_AT_ONCE):
        yield some
