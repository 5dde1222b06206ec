"""What the command centre's figures are counted from: one read-only query each, always for given locations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from backend.storage.pool import Connection

# A contact within 30 days, or an open task due within 30 days; not closed, lost or opted out.
_BUSY = """
    busy AS MATERIALIZED (
        SELECT lead_id FROM interactions
        WHERE location_id = ANY($1::uuid[]) AND _deleted_at IS NULL
          AND occurred_at > $2::timestamptz - interval '30 days' AND occurred_at <= $2
        UNION
        SELECT lead_id FROM tasks
        WHERE location_id = ANY($1::uuid[]) AND _deleted_at IS NULL AND done_at IS NULL AND lead_id IS NOT NULL
          AND due_at <= $2::timestamptz + interval '30 days')"""
_ACTIVE = """
    l.location_id = ANY($1::uuid[]) AND l._deleted_at IS NULL AND l.opted_out IS NOT TRUE
    AND l.stage NOT IN ('closed', 'lost')
    AND (greatest(l.last_touch_at, l.last_inbound_at) > $2::timestamptz - interval '30 days'
         OR l.id IN (SELECT lead_id FROM busy))"""


@dataclass(frozen=True, slots=True, kw_only=True)
class DealGroup:
    """Open deals of one stage and side, added up."""

    stage: str
    sells: bool
    n: int
    gross_cents: int
    company_cents: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Leads:
    """Active leads by temperature (with "" = not scored yet), the hot ones that wait too long; `known` of all."""

    by_temperature: Mapping[str, int]
    hot_past_due: int
    known: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Latency:
    p50_ms: float | None
    p95_ms: float | None
    n: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Talks:
    """Bot conversations with at least one reply, and how many of them ended qualified."""

    conversations: int
    qualified: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Earned:
    """Deals that closed in a period."""

    n: int
    gross_cents: int
    company_cents: int


async def open_deals(connection: Connection, locations: Sequence[str]) -> list[DealGroup]:
    rows = await connection.fetch(
        """SELECT stage, side_held <> 'buyer' AS sells, count(*) AS n,
                  coalesce(sum(gross_cents), 0)::bigint AS gross_cents,
                  coalesce(sum(net_cents), 0)::bigint AS company_cents
           FROM deals WHERE location_id = ANY($1::uuid[]) AND _deleted_at IS NULL
             AND stage NOT IN ('closed', 'lost') GROUP BY 1, 2 ORDER BY 1, 2""",
        list(locations),
    )
    return [DealGroup(**dict(row)) for row in rows]


async def active_leads(connection: Connection, locations: Sequence[str], now: datetime) -> Leads:
    rows = await connection.fetch(
        f"""WITH {_BUSY}
            SELECT coalesce(l.temperature, '') AS temperature, count(*) AS n,
                   count(*) FILTER (WHERE l.temperature = 'hot' AND l.answer_due_at < $2) AS past_due
            FROM leads l WHERE {_ACTIVE} GROUP BY 1""",  # noqa: S608 - fixed words
        list(locations),
        now,
    )
    known = await connection.fetchval(
        "SELECT count(*) FROM leads WHERE location_id = ANY($1::uuid[]) AND _deleted_at IS NULL",
        list(locations),
    )
    return Leads(
        by_temperature={row["temperature"]: row["n"] for row in rows},
        hot_past_due=sum(row["past_due"] for row in rows),
        known=known,
    )


async def scoring_latency(
    connection: Connection, locations: Sequence[str], start: datetime, end: datetime
) -> Latency:
    """How long scorings took (events `scored`)."""
    row = await connection.fetchrow(
        """SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY processing_ms) AS p50_ms,
                  percentile_cont(0.95) WITHIN GROUP (ORDER BY processing_ms) AS p95_ms, count(*) AS n
           FROM bot_events WHERE location_id = ANY($1::uuid[]) AND event_type = 'scored'
             AND processing_ms IS NOT NULL AND occurred_at >= $2 AND occurred_at < $3""",
        list(locations),
        start,
        end,
    )
    assert row is not None  # an aggregate without GROUP BY always has its row
    return Latency(**dict(row))


async def latency_trend(
    connection: Connection, locations: Sequence[str], edges: Sequence[datetime]
) -> list[tuple[int, float]]:
    """(bucket from 0, p95) of the buckets between `edges` that have events."""
    rows = await connection.fetch(
        """SELECT width_bucket(occurred_at, $2::timestamptz[]) - 1 AS bucket,
                  percentile_cont(0.95) WITHIN GROUP (ORDER BY processing_ms) AS value
           FROM bot_events WHERE location_id = ANY($1::uuid[]) AND event_type = 'scored'
             AND processing_ms IS NOT NULL AND occurred_at >= $3 AND occurred_at < $4 GROUP BY 1 ORDER BY 1""",
        list(locations),
        list(edges),
        edges[0],
        edges[-1],
    )
    return [(row["bucket"], row["value"]) for row in rows]


_TALKS = """
    SELECT e.conversation_id, min(e.occurred_at) FILTER (WHERE e.replied) AS replied_at,
           bool_or(e.event_type = 'qualified' AND e.success) AS qualified
    FROM bot_events e WHERE e.location_id = ANY($1::uuid[]) AND e.conversation_id IS NOT NULL
      AND e.occurred_at >= $2 AND e.occurred_at < $3
    GROUP BY 1 HAVING bool_or(e.replied)"""


async def talks(connection: Connection, locations: Sequence[str], start: datetime, end: datetime) -> Talks:
    row = await connection.fetchrow(
        f"SELECT count(*) AS conversations, count(*) FILTER (WHERE qualified) AS qualified FROM ({_TALKS}) t",  # noqa: S608
        list(locations),
        start,
        end,
    )
    assert row is not None  # an aggregate without GROUP BY always has its row
    return Talks(**dict(row))


async def talks_trend(
    connection: Connection, locations: Sequence[str], edges: Sequence[datetime]
) -> list[tuple[int, float]]:
    """(bucket from 0, share qualified) of the buckets between `edges` that have conversations."""
    rows = await connection.fetch(
        f"""SELECT width_bucket(replied_at, $4::timestamptz[]) - 1 AS bucket,
                   avg(qualified::int)::float8 AS value FROM ({_TALKS}) t GROUP BY 1 ORDER BY 1""",  # noqa: S608
        list(locations),
        edges[0],
        edges[-1],
        list(edges),
    )
    return [(row["bucket"], row["value"]) for row in rows]


async def earned(connection: Connection, locations: Sequence[str], start: datetime, end: datetime) -> Earned:
    row = await connection.fetchrow(
        """SELECT count(*) AS n, coalesce(sum(gross_cents), 0)::bigint AS gross_cents,
                  coalesce(sum(net_cents), 0)::bigint AS company_cents
           FROM deals WHERE location_id = ANY($1::uuid[]) AND _deleted_at IS NULL AND stage = 'closed'
             AND closed_on > ($2::timestamptz AT TIME ZONE 'UTC')::date
             AND closed_on <= ($3::timestamptz AT TIME ZONE 'UTC')::date""",
        list(locations),
        start,
        end,
    )
    assert row is not None  # an aggregate without GROUP BY always has its row
    return Earned(**dict(row))


async def snapshots_at(
    connection: Connection, locations: Sequence[str], at: datetime, slack: float
) -> Mapping[str, float]:
    """Stocks as they stood at `at` (the last snapshot at most `slack` seconds older), where every location has one."""
    rows = await connection.fetch(
        """SELECT name, sum(value) AS value FROM (
               SELECT DISTINCT ON (location_id, name) location_id, name, value FROM kpi_snapshots
               WHERE location_id = ANY($1::uuid[]) AND at <= $2 AND at > $2 - make_interval(secs => $3)
               ORDER BY location_id, name, at DESC) s
           GROUP BY name HAVING count(*) = cardinality($1::uuid[])""",
        list(locations),
        at,
        slack,
    )
    return {row["name"]: row["value"] for row in rows}


async def snapshot_trend(
    connection: Connection, locations: Sequence[str], edges: Sequence[datetime]
) -> list[tuple[str, int, float]]:
    """(name, bucket from 0, the bucket's last value) where every location has one."""
    rows = await connection.fetch(
        """SELECT name, bucket, sum(value) AS value FROM (
               SELECT DISTINCT ON (location_id, name, bucket) location_id, name, value, bucket FROM (
                   SELECT *, width_bucket(at, $2::timestamptz[]) - 1 AS bucket FROM kpi_snapshots
                   WHERE location_id = ANY($1::uuid[]) AND at >= $3 AND at < $4) k
               ORDER BY location_id, name, bucket, at DESC) s
           GROUP BY 1, 2 HAVING count(*) = cardinality($1::uuid[]) ORDER BY 1, 2""",
        list(locations),
        list(edges),
        edges[0],
        edges[-1],
    )
    return [(row["name"], row["bucket"], row["value"]) for row in rows]


async def keep_snapshot(
    connection: Connection, location_id: str, at: datetime, stocks: Mapping[str, float]
) -> None:
    """One hour's picture; the first of the hour stays."""
    await connection.executemany(
        """INSERT INTO kpi_snapshots (location_id, name, at, value) VALUES ($1, $2, $3, $4)
           ON CONFLICT DO NOTHING""",
        [(location_id, name, at, float(value)) for name, value in stocks.items()],
    )
