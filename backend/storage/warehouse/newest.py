"""How far the stored facts reach."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from backend.metrics.measures import BOTS, LEADS, MONEY
from backend.storage.warehouse.scope import Scope

if TYPE_CHECKING:
    from backend.storage.pool import Connection

_NEWEST = " UNION ALL ".join(
    f"SELECT max(occurred_at) AS occurred_at FROM {fact}"  # noqa: S608 - our own tables
    " WHERE location_key = ANY($2) AND occurred_at >= $1 AND occurred_at <= $3"
    for fact in (LEADS, BOTS, MONEY)
)


async def event(connection: Connection, scope: Scope, now: datetime) -> datetime | None:
    """When the newest event that is stored for this scope happened; None where there is none."""
    hour: datetime | None = await connection.fetchval(
        "SELECT max(hour) FROM unnest($1::int[]) AS place, LATERAL (SELECT hour FROM agg_hourly_metrics"
        " WHERE location_key = place AND hour <= $2 ORDER BY hour DESC LIMIT 1) newest",
        list(scope.places),
        now,
    )
    if hour is None:
        return None
    newest: datetime | None = await connection.fetchval(
        f"SELECT max(occurred_at) FROM ({_NEWEST}) newest",  # noqa: S608 - our own tables
        hour,
        list(scope.keys),
        now,
    )
    return newest or hour
