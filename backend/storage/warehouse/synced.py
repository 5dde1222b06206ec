"""The synced rows that become facts, as they stand now, and taking facts away again."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from uuid import UUID, uuid5

from backend.storage.warehouse.ranges import hour_name
from backend.storage.warehouse.touched import tags

if TYPE_CHECKING:
    import asyncpg

    from backend.storage.pool import Connection

_IDS = UUID("7d6f6d0e-6f2b-5c1e-9a51-3d5a0c0b7e15")
SOURCE = 0
"""The source key of facts that were made from synced rows; other sources' keys begin at 1."""

# A row's stage or temperature is the interaction's too where it stood like that already, or came of it.
_STOOD = "coalesce(to_timestamp((l._fver -> '{0}' ->> 1)::float8 / 1000), l.created_at) <= i.occurred_at + interval '5 minutes'"
_INTERACTIONS = f"""
    SELECT i.id, i.location_id, i.lead_id, i.agent_id, i.bot_id, i.kind, i.direction, i.channel, i.occurred_at,
           CASE WHEN {_STOOD.format("stage")} THEN l.stage END AS stage,
           CASE WHEN {_STOOD.format("temperature")} THEN l.temperature END AS temperature
      FROM interactions i LEFT JOIN leads l ON l.id = i.lead_id
     WHERE i.id = ANY($1::uuid[]) AND i._deleted_at IS NULL"""  # noqa: S608 - fixed words
_STAGES = """
    SELECT l.id, l.location_id, l.agent_id, l.stage, (l._fver -> 'stage' ->> 0)::bigint AS ver,
           to_timestamp((l._fver -> 'stage' ->> 1)::float8 / 1000) AS occurred_at,
           CASE WHEN coalesce((l._fver -> 'temperature' ->> 1)::float8, 0) <= (l._fver -> 'stage' ->> 1)::float8
                THEN l.temperature END AS temperature
      FROM unnest($1::uuid[], $2::bigint[]) AS g (id, since) JOIN leads l ON l.id = g.id
     WHERE l._deleted_at IS NULL AND (l._fver -> 'stage' ->> 0)::bigint >= g.since"""
# The moment of a deal's last edit: the times of its fields may lie in any order. One that was closed after it (a row that
# came whole, with no edit to its fields) closed when that day began at its office.
_DEALS = """
    SELECT d.id, d._ver AS ver, d.location_id, d.lead_id, d.agent_id, d.source, d.stage, d.side_held, d.price_cents,
           d.listing_rate_bp, d.buyer_rate_bp, d.gross_cents, d.net_cents, d.closed_on,
           greatest(
               coalesce((SELECT to_timestamp(max((e.value ->> 1)::float8) / 1000) FROM jsonb_each(d._fver) e
                          WHERE jsonb_typeof(e.value) = 'array'), least(d.created_at, now())),
               (SELECT closing FROM (SELECT d.closed_on::timestamp AT TIME ZONE o.zone AS closing) c
                 WHERE d.stage = 'closed' AND closing <= now())) AS edited_at,
           (SELECT max(s.occurred_at) FROM deal_states s WHERE s.deal_id = d.id) AS known_until
      FROM deals d JOIN locations o ON o.id = d.location_id WHERE d.id = ANY($1::uuid[]) AND d._deleted_at IS NULL"""

# What an interaction's fact says, and its row does not any more. When it happened is never changed (domain/tables.py: fixed).
_STALE = """
    DELETE FROM fact_lead_interactions f
     USING interactions i LEFT JOIN dim_location p ON p.location_id = i.location_id
     WHERE i.id = ANY($1::uuid[]) AND f.occurred_at = i.occurred_at AND f.event_id = i.id
       AND (i._deleted_at IS NOT NULL OR f.location_key IS DISTINCT FROM p.location_key OR f.lead_id IS DISTINCT FROM i.lead_id
            OR i._fver ?| '{agent_id,bot_id,kind,direction,channel}')
    RETURNING f.location_key, f.lead_id, f.occurred_at, f.date_key"""
_UNKNOWN = """
    DELETE FROM fact_lead_interactions f
     WHERE f.source_key = $1 AND f.event_type <> 'stage_changed' AND f.occurred_at >= $2 AND f.occurred_at < $3
       AND NOT EXISTS (SELECT FROM interactions i
                        WHERE i.id = f.event_id AND i.occurred_at = f.occurred_at AND i._deleted_at IS NULL)
    RETURNING f.location_key, f.lead_id, f.occurred_at, f.date_key"""
_FORGET_DEALS = """
    DELETE FROM deal_states s
     WHERE s.deal_id = ANY($1::uuid[]) AND NOT EXISTS (SELECT FROM deals d WHERE d.id = s.deal_id AND d._deleted_at IS NULL)
    RETURNING s.deal_id"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Removed:
    """What stood behind the facts that were taken away."""

    leads: frozenset[UUID] = frozenset()
    tags: frozenset[str] = frozenset()


def state_id(deal_id: UUID | str, ver: int) -> UUID:
    """The event that tells what a deal is in this version of its row."""
    return uuid5(_IDS, f"deal {deal_id} {ver}")


def stage_id(lead_id: UUID, ver: int) -> UUID:
    """The event that tells of the change of stage that made this version of a lead."""
    return uuid5(_IDS, f"stage {lead_id} {ver}")


async def interactions(connection: Connection, ids: Collection[UUID]) -> Sequence[asyncpg.Record]:
    return await connection.fetch(_INTERACTIONS, list(ids))


async def leads_of(connection: Connection, interactions: Collection[UUID]) -> set[UUID]:
    """Whom these interactions were with."""
    rows = await connection.fetch(
        "SELECT DISTINCT lead_id FROM interactions WHERE id = ANY($1::uuid[]) AND _deleted_at IS NULL",
        list(interactions),
    )
    return {row["lead_id"] for row in rows}


async def stage_changes(connection: Connection, since: dict[UUID, int]) -> Sequence[asyncpg.Record]:
    """The last change of stage of these leads, where it is not older than the version of the lead given with it."""
    return await connection.fetch(_STAGES, list(since), list(since.values()))


async def deals(connection: Connection, ids: Collection[UUID]) -> Sequence[asyncpg.Record]:
    return await connection.fetch(_DEALS, list(ids))


async def known_states(connection: Connection, event_ids: Collection[UUID]) -> set[UUID]:
    rows = await connection.fetch(
        "SELECT event_id FROM deal_states WHERE event_id = ANY($1::uuid[])", list(event_ids)
    )
    return {row["event_id"] for row in rows}


async def stored_interactions(connection: Connection, before: datetime, *, limit: int) -> list[UUID]:
    """The newest that are facts and happened before that moment; where none did, the newest of all."""
    sql = """SELECT event_id FROM fact_lead_interactions
              WHERE occurred_at < $1 AND source_key = $2 AND event_type <> 'stage_changed' ORDER BY occurred_at DESC LIMIT $3"""
    return await _ids(connection, sql, before, limit)


async def stored_deals(connection: Connection, before: datetime, *, limit: int) -> list[UUID]:
    """Deals that have states, the newest before that moment; where none has one, the newest of all."""
    sql = """SELECT deal_id FROM deal_states WHERE occurred_at < $1 AND source_key = $2
              GROUP BY 1 ORDER BY max(occurred_at) DESC LIMIT $3"""
    return await _ids(connection, sql, before, limit)


async def _ids(connection: Connection, sql: str, before: datetime, limit: int) -> list[UUID]:
    for end in (before, datetime.max.replace(tzinfo=UTC)):
        if rows := await connection.fetch(sql, end, SOURCE, limit):
            return [row[0] for row in rows]
    return []


async def there(connection: Connection, moments: Mapping[UUID, datetime]) -> set[UUID]:
    """Which of these events, with their moments, are stored as interactions or as states of deals."""
    rows = await connection.fetch(
        """SELECT event_id FROM fact_lead_interactions
             JOIN unnest($1::timestamptz[], $2::uuid[]) AS told (occurred_at, event_id) USING (occurred_at, event_id)
           UNION ALL SELECT event_id FROM deal_states WHERE event_id = ANY($2::uuid[])""",
        list(moments.values()),
        list(moments),
    )
    return {row["event_id"] for row in rows}


async def take_turn(connection: Connection) -> None:
    """Before facts are taken away: as `facts.store` before it writes, so that none waits for the other in a ring."""
    await connection.execute("SELECT pg_advisory_xact_lock(hashtext('bi_facts'))")


async def remove_stale(connection: Connection, ids: Collection[UUID]) -> Removed:
    """Facts of these interactions that are deleted, or not what they were."""
    return _removed(await connection.fetch(_STALE, list(ids)))


async def remove_unknown(connection: Connection, start: datetime, end: datetime) -> Removed:
    """Facts of interactions between two moments that no row stands behind."""
    return _removed(await connection.fetch(_UNKNOWN, SOURCE, start, end))


async def deals_known(connection: Connection) -> list[UUID]:
    """Deals of synced rows that the warehouse has states of."""
    rows = await connection.fetch("SELECT DISTINCT deal_id FROM deal_states WHERE source_key = $1", SOURCE)
    return [row["deal_id"] for row in rows]


async def remove_deals(connection: Connection, ids: Collection[UUID]) -> Removed:
    """Those of `ids` that are deleted, or never were. Whoever deletes a deal says that it never was: its states go, and its lines of the ledger."""
    gone = [row["deal_id"] for row in await connection.fetch(_FORGET_DEALS, list(ids))]
    if not gone:
        return Removed()
    rows = await connection.fetch(
        """DELETE FROM fact_commission_events WHERE deal_id = ANY($1::uuid[])
           RETURNING location_key, lead_id, occurred_at, date_key""",
        gone,
    )
    return _removed(rows)


async def span(connection: Connection) -> tuple[datetime, datetime] | None:
    """The moments of the first and the last fact that was made from an interaction."""
    row = await connection.fetchrow(
        "SELECT min(occurred_at) AS first, max(occurred_at) AS last FROM fact_lead_interactions WHERE source_key = $1",
        SOURCE,
    )
    return None if row is None or row["first"] is None else (row["first"], row["last"])


def _removed(rows: Sequence[asyncpg.Record]) -> Removed:
    touched = ((row["location_key"], hour_name(row["occurred_at"]), row["date_key"]) for row in rows)
    return Removed(
        leads=frozenset(row["lead_id"] for row in rows if row["lead_id"]), tags=frozenset(tags(touched))
    )
