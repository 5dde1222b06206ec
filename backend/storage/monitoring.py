"""What PostgreSQL tells of itself: estimated sizes, and the statements that run now or cost most."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from backend.storage.pool import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """Rows, as the planner estimates them."""

    facts: float
    hours: float


async def sizes(connection: Connection) -> Sizes:
    row = await connection.fetchrow(
        "SELECT coalesce(sum(greatest(reltuples, 0)) FILTER (WHERE relname ~ '^fact_(lead_interactions|bot_performance)_'), 0)"
        "::float8 AS facts, coalesce(sum(greatest(reltuples, 0)) FILTER (WHERE relname = 'agg_hourly_metrics'), 0)::float8 AS hours "
        "FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
    )
    assert row is not None  # sums always answer
    return Sizes(facts=row["facts"], hours=row["hours"])


async def running(connection: Connection) -> list[dict[str, Any]]:
    """Our own connections that do something now, the longest first. Statements are ours and hold no values."""
    rows = await connection.fetch(
        "SELECT pid, application_name, state, wait_event_type, wait_event, "
        "extract(epoch FROM clock_timestamp() - query_start)::float8 AS seconds, left(query, 500) AS query "
        "FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'jorge%' "
        "AND state <> 'idle' AND pid <> pg_backend_pid() ORDER BY query_start"
    )
    return [dict(row) for row in rows]


async def slowest(connection: Connection, limit: int) -> list[dict[str, Any]] | None:
    """The statements that took most time; None where pg_stat_statements is not installed."""
    if not await connection.fetchval("SELECT to_regclass('pg_stat_statements') IS NOT NULL"):
        return None
    rows = await connection.fetch(
        "SELECT calls, round(total_exec_time::numeric, 1)::float8 AS total_ms, round(mean_exec_time::numeric, 2)::float8 AS mean_ms, "
        "round(max_exec_time::numeric, 1)::float8 AS max_ms, rows, left(query, 500) AS query FROM pg_stat_statements "
        "WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database()) ORDER BY total_exec_time DESC LIMIT $1",
        limit,
    )
    return [dict(row) for row in rows]


async def cancel(connection: Connection, pid: int) -> bool:
    """Ask one of our own statements to stop; False when there is none of that number."""
    return bool(
        await connection.fetchval(
            "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE pid = $1 AND datname = current_database() "
            "AND application_name LIKE 'jorge%' AND pid <> pg_backend_pid()",
            pid,
        )
    )
