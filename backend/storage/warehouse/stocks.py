"""What stands at a moment: leads as the current rows of `dim_lead`, open deals as the ledger's sums, and hourly pictures of the past."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from backend.storage.warehouse.ranges import DAY_ROWS, FENCE, OWN, Days, Moments, day_columns

if TYPE_CHECKING:
    from backend.storage.pool import Connection

OPEN = "stage NOT IN ('closed', 'lost')"
ACTIVE = f"""valid_to = 'infinity' AND {OPEN} AND NOT opted_out
    AND (last_contact_at > $1::timestamptz - interval '30 days'
         OR next_touch_at <= $1::timestamptz + interval '30 days')"""
"""Rows of `dim_lead` with a contact or a planned touch within 30 days of $1, not closed, not opted out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Leads:
    """Active leads by temperature ("" = not scored yet), the hot ones past due; `known`: there are leads at all."""

    by_temperature: Mapping[str, int]
    late: int
    known: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Deals of one stage and side: how many, their commission, what the brokerage keeps of it. Signed, where it is a change."""

    tag: int
    stage: str
    sells: bool
    deals: int
    gross_cents: int
    company_cents: int


async def leads(connection: Connection, keys: Sequence[int], now: datetime) -> Leads:
    rows = await connection.fetch(
        f"""SELECT temperature, count(*) AS n,
                   count(*) FILTER (WHERE temperature = 'hot' AND answer_due_at < $1) AS late
              FROM dim_lead WHERE location_key = ANY($2::int[]) AND {ACTIVE} GROUP BY 1""",  # noqa: S608 - fixed words
        now,
        list(keys),
    )
    known = bool(rows) or await connection.fetchval(
        "SELECT EXISTS (SELECT FROM dim_lead WHERE location_key = ANY($1::int[]))", list(keys)
    )
    return Leads(
        by_temperature={row["temperature"]: row["n"] for row in rows},
        late=sum(row["late"] for row in rows),
        known=known,
    )


async def standing(connection: Connection, days: Sequence[Days]) -> list[Standing]:
    """Open deals that these days brought and took, by tag, stage and side."""
    rows = await connection.fetch(
        f"""SELECT CASE WHEN r.tag = {OWN} THEN a.date_key ELSE r.tag END AS tag, a.stage, a.sells,
                   sum(r.sign * a.deals)::bigint AS deals, sum(r.sign * a.gross_cents)::bigint AS gross_cents,
                   sum(r.sign * a.company_cents)::bigint AS company_cents
              FROM {DAY_ROWS},
                   LATERAL (SELECT date_key, stage, sells, deals, gross_cents, company_cents FROM agg_daily_pipeline
                             WHERE location_key = r.place AND date_key BETWEEN r.first AND r.last AND {OPEN} {FENCE}) a
             GROUP BY 1, 2, 3""",  # noqa: S608 - fixed words
        *day_columns(days),
    )
    return [Standing(**dict(row)) for row in rows]


async def standing_of_moments(connection: Connection, moments: Sequence[Moments]) -> list[Standing]:
    """The same of moments, from the ledger's lines; an `OWN` tag is the line's hour."""
    rows = await connection.fetch(
        f"""SELECT CASE WHEN r.tag = {OWN} THEN floor(extract(epoch FROM f.occurred_at) / 3600)::int
                        ELSE r.tag END AS tag, f.stage, f.sells,
                   sum(f.deals)::bigint AS deals, sum(f.gross_cents)::bigint AS gross_cents,
                   sum(f.company_cents)::bigint AS company_cents
              FROM unnest($1::int[], $2::int[], $3::timestamptz[], $4::timestamptz[], $5::int[])
                       AS r (tag, place, since, until, day),
                   LATERAL (SELECT occurred_at, stage, sells, deals, gross_cents, company_cents
                              FROM fact_commission_events
                             WHERE location_key = r.place AND occurred_at >= r.since AND occurred_at < r.until
                               AND (r.day IS NULL OR date_key = r.day) AND {OPEN} {FENCE}) f
             GROUP BY 1, 2, 3""",  # noqa: S608 - fixed words
        [moment.tag for moment in moments],
        [moment.place for moment in moments],
        [moment.since for moment in moments],
        [moment.until for moment in moments],
        [moment.day for moment in moments],
    )
    return [Standing(**dict(row)) for row in rows]


async def first_deal_day(connection: Connection, places: Sequence[int]) -> int | None:
    """The date key of the ledger's first line; before it nothing is known of deals."""
    first: int | None = await connection.fetchval(
        "SELECT min(date_key) FROM unnest($1::int[]) AS place, LATERAL (SELECT date_key FROM agg_daily_pipeline"
        " WHERE location_key = place ORDER BY date_key LIMIT 1) first",
        list(places),
    )
    return first


async def keep_pictures(connection: Connection, now: datetime, hour: datetime) -> None:
    """Active and hot leads of every location that ever had a lead, as the picture of `hour`; the first one stays."""
    await connection.execute(
        f"""INSERT INTO kpi_snapshots (location_id, name, at, value)
            SELECT l.location_id, kept.name, $2, kept.value
              FROM (SELECT location_key, count(*) FILTER (WHERE {ACTIVE}) AS active,
                           count(*) FILTER (WHERE {ACTIVE} AND temperature = 'hot') AS hot
                      FROM dim_lead GROUP BY 1) counted
              JOIN dim_location l USING (location_key),
                   LATERAL (VALUES ('active_leads', active), ('hot_leads', hot)) AS kept (name, value)
             WHERE l.location_id IS NOT NULL ON CONFLICT DO NOTHING""",  # noqa: S608 - fixed words
        now,
        hour,
    )


async def pictures_at(
    connection: Connection, at: Mapping[str, datetime], slack: float
) -> Mapping[str, float]:
    """Counts of leads as they stood at each location's moment: its last picture at most `slack` seconds older.

    All locations are pictured at once, so one that is not in the picture had no leads then.
    """
    rows = await connection.fetch(
        """SELECT k.name, sum(k.value) AS value
             FROM unnest($1::uuid[], $2::timestamptz[]) AS r (location_id, moment),
                  unnest(ARRAY['active_leads', 'hot_leads']) AS wanted,
                  LATERAL (SELECT name, value FROM kpi_snapshots
                            WHERE location_id = r.location_id AND name = wanted
                              AND at <= r.moment AND at > r.moment - make_interval(secs => $3)
                            ORDER BY at DESC LIMIT 1) k
            GROUP BY 1""",
        list(at),
        list(at.values()),
        slack,
    )
    return {row["name"]: row["value"] for row in rows}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """The last picture before `until`, counted into `tag`, of all locations of a group; one older than `since` is too old."""

    group: int
    tag: int
    since: datetime
    until: datetime


async def pictures(
    connection: Connection, group_of: Mapping[str, int], wanted: Sequence[Wanted]
) -> Mapping[tuple[str, int], float | None]:
    """Counts of leads by name and tag; `group_of` each location. None, where a location that ever was pictured has no picture that counts.

    A location without any older picture had no leads then, and is not looked for.
    """
    rows = await connection.fetch(
        """WITH known AS MATERIALIZED (
               SELECT location_id, grouped, name, (SELECT min(k.at) FROM kpi_snapshots k
                        WHERE k.location_id = l.location_id AND k.name = n.name) AS began
                 FROM unnest($1::uuid[], $2::int[]) AS l (location_id, grouped),
                      unnest(ARRAY['active_leads', 'hot_leads']) AS n (name))
           SELECT known.name, r.tag, CASE WHEN bool_and(last.at >= r.since) THEN sum(last.value) END AS value
             FROM unnest($3::int[], $4::int[], $5::timestamptz[], $6::timestamptz[])
                      AS r (grouped, tag, since, until)
             JOIN known ON known.grouped = r.grouped AND known.began < r.until,
                  LATERAL (SELECT at, value FROM kpi_snapshots k
                            WHERE k.location_id = known.location_id AND k.name = known.name AND k.at < r.until
                            ORDER BY k.at DESC LIMIT 1) last
            GROUP BY 1, 2""",
        list(group_of),
        list(group_of.values()),
        [one.group for one in wanted],
        [one.tag for one in wanted],
        [one.since for one in wanted],
        [one.until for one in wanted],
    )
    return {(row["name"], row["tag"]): row["value"] for row in rows}
