"""Refreshes the materialized views while they are read, and says how much smaller the aggregates are than the facts."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

from backend.storage.pool import Connection
from backend.storage.warehouse.scope import ALL

VIEWS: Sequence[str] = ("mv_real_time_dashboard", "mv_weekly_trends")


async def refresh(connection: Connection, views: Sequence[str] = VIEWS) -> Mapping[str, float]:
    """Milliseconds by view; one that somebody else refreshes right now is left out.

    Each in a transaction of its own, so that its lock is short and the writer's role ends with it.
    """
    took = {}
    for view in views:
        async with connection.transaction():
            await connection.execute("SELECT set_config('role', 'jorge_etl', true)")
            if not await connection.fetchval("SELECT pg_try_advisory_xact_lock(hashtext($1))", view):
                continue
            begun = time.perf_counter()
            await connection.execute(f'REFRESH MATERIALIZED VIEW CONCURRENTLY "{view}"')
            took[view] = round(1000 * (time.perf_counter() - begun), 1)
    return took


_ROLLUP = """
SELECT (SELECT coalesce(sum(interactions + bot_events + conversations), 0) FROM agg_daily_metrics
         WHERE location_key = $1 AND date_key >= $2)::float8
       / nullif((SELECT count(*) FROM agg_hourly_metrics WHERE hour >= to_date($2::text, 'YYYYMMDD')::timestamp AT TIME ZONE 'UTC'), 0)
"""


async def rollup_ratio(connection: Connection, since: int) -> float | None:
    """Facts for each hourly row, of the days from `since` (a date key) on; the design wants ten or more. None: no rows.

    As jorge_etl. The facts are counted by the aggregates, which costs nothing.
    """
    ratio: float | None = await connection.fetchval(_ROLLUP, ALL, since)
    return ratio
