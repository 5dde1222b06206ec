"""What the alert rules look at, of every office and bot at once: sums of two hours and of days, and who fell silent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from backend.storage.warehouse import latencies, offices
from backend.storage.warehouse.offices import Office
from backend.storage.warehouse.ranges import HOUR, Moments, Span, floor
from backend.storage.warehouse.scope import Scope

if TYPE_CHECKING:
    from backend.storage.pool import Connection

WEEKS = 4
SCORED = "scored"


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """`events` and `errors` of the hour that runs and the one before; the others of the 24 hours before it, now and a week ago."""

    location_key: int
    bot_key: int
    events: int
    errors: int
    conversations: int
    qualified: int
    conversations_before: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Silence:
    """Since when a bot says nothing, what it said on average in those hours of the weeks before, and in how many of them."""

    location_key: int
    bot_key: int
    last_hour: datetime
    usual: float
    weeks: int


async def everything(connection: Connection) -> tuple[Scope, tuple[Office, ...]]:
    """Every office there is, for jobs that look at all of them."""
    rows = await connection.fetch("SELECT location_id FROM dim_location WHERE location_id IS NOT NULL")
    return await offices.seen(connection, [row["location_id"] for row in rows])


async def counts(connection: Connection, now: datetime) -> list[Counts]:
    this_hour = floor(now)
    rows = await connection.fetch(
        """SELECT location_key, bot_key,
                  coalesce(sum(bot_events) FILTER (WHERE hour >= $1::timestamptz - interval '1 hour'), 0)::bigint AS events,
                  coalesce(sum(bot_errors) FILTER (WHERE hour >= $1::timestamptz - interval '1 hour'), 0)::bigint AS errors,
                  coalesce(sum(conversations) FILTER (WHERE hour >= $1::timestamptz - interval '24 hours' AND hour < $1), 0)::bigint AS conversations,
                  coalesce(sum(qualified) FILTER (WHERE hour >= $1::timestamptz - interval '24 hours' AND hour < $1), 0)::bigint AS qualified,
                  coalesce(sum(conversations) FILTER (WHERE hour < $1::timestamptz - interval '7 days'), 0)::bigint AS conversations_before
             FROM agg_hourly_metrics
            WHERE location_key > 0 AND bot_key > 0
              AND (hour >= $1::timestamptz - interval '24 hours' AND hour <= $1
                   OR hour >= $1::timestamptz - interval '8 days' AND hour < $1::timestamptz - interval '7 days')
            GROUP BY 1, 2 ORDER BY 1, 2""",
        this_hour,
    )
    return [Counts(**dict(row)) for row in rows]


async def scored(connection: Connection, keys: Sequence[int], now: datetime) -> latencies.Histograms:
    """(tag, office, bot) → latencies of scorings in the hour that runs and the one before."""
    since = floor(now) - HOUR
    span = Span(hours=tuple(Moments(place=key, since=since, until=since + 2 * HOUR, tag=1) for key in keys))
    bots = [row["bot_key"] for row in await connection.fetch("SELECT bot_key FROM dim_bot WHERE bot_key > 0")]
    return await latencies.of_span(connection, SCORED, span, by=("location_key", "bot_key"), bots=bots)


async def silences(connection: Connection, now: datetime) -> list[Silence]:
    """Bots that said something within two weeks, and nothing in the hour that runs or the one before."""
    rows = await connection.fetch(
        """WITH last AS (
               SELECT location_key, bot_key, max(hour) AS last_hour FROM agg_hourly_metrics
                WHERE location_key > 0 AND bot_key > 0 AND bot_events > 0 AND hour > $1::timestamptz - interval '14 days'
                GROUP BY 1, 2)
           SELECT l.location_key, l.bot_key, l.last_hour,
                  coalesce(sum(a.bot_events), 0)::float8 / $2::int AS usual, count(DISTINCT w)::int AS weeks
             FROM last l CROSS JOIN generate_series(1, $2::int) AS w
             JOIN agg_hourly_metrics a
               ON a.location_key = l.location_key AND a.bot_key = l.bot_key AND a.bot_events > 0
              AND a.hour > l.last_hour - w * interval '7 days' AND a.hour < $1::timestamptz - w * interval '7 days'
            WHERE l.last_hour < $1::timestamptz - interval '1 hour' GROUP BY 1, 2, 3 ORDER BY 1, 2""",
        floor(now),
        WEEKS,
    )
    return [Silence(**dict(row)) for row in rows]
