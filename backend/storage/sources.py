"""Event sources in PostgreSQL: programs that send events with a key of their own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import asyncpg

    from backend.storage.pool import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """`locations` none: every one. `config`: how another system's words map to ours."""

    key: int
    id: str
    name: str
    locations: tuple[str, ...]
    streams: tuple[str, ...]
    webhook_secret: str = field(repr=False)
    config: Mapping[str, Any]
    created_at: datetime
    revoked_at: datetime | None = None
    last_used_at: datetime | None = None


async def add(
    connection: Connection,
    *,
    id: str,
    name: str,
    key_hash: bytes,
    locations: Sequence[str],
    streams: Sequence[str],
    webhook_secret: str,
    config: Mapping[str, Any],
    now: datetime,
    by: str | None,
) -> Source:
    """Raises: asyncpg.UniqueViolationError when the name is taken."""
    row = await connection.fetchrow(
        """INSERT INTO event_sources (id, name, key_hash, locations, streams, webhook_secret, config, created_at, created_by)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) RETURNING *""",
        id,
        name,
        key_hash,
        list(locations),
        list(streams),
        webhook_secret,
        dict(config),
        now,
        by,
    )
    assert row is not None
    return _source(row)


async def by_hash(connection: Connection, key_hash: bytes) -> Source | None:
    """One that is not revoked."""
    row = await connection.fetchrow(
        "SELECT * FROM event_sources WHERE key_hash = $1 AND revoked_at IS NULL", key_hash
    )
    return _source(row) if row else None


async def by_id(connection: Connection, id: str) -> Source | None:
    row = await connection.fetchrow("SELECT * FROM event_sources WHERE id = $1", id)
    return _source(row) if row else None


async def by_key(connection: Connection, key: int) -> Source | None:
    row = await connection.fetchrow("SELECT * FROM event_sources WHERE key = $1", key)
    return _source(row) if row else None


async def all_of_them(connection: Connection) -> Sequence[Source]:
    return [_source(row) for row in await connection.fetch("SELECT * FROM event_sources ORDER BY key")]


async def revoke(connection: Connection, id: str, now: datetime) -> Source | None:
    """Revoking twice changes nothing."""
    row = await connection.fetchrow(
        "UPDATE event_sources SET revoked_at = coalesce(revoked_at, $2) WHERE id = $1 RETURNING *", id, now
    )
    return _source(row) if row else None


async def configure(connection: Connection, id: str, config: Mapping[str, Any]) -> Source | None:
    row = await connection.fetchrow(
        "UPDATE event_sources SET config = $2 WHERE id = $1 RETURNING *", id, dict(config)
    )
    return _source(row) if row else None


async def used(connection: Connection, key: int, now: datetime) -> None:
    """To the minute: one write a minute, however much it sends."""
    await connection.execute(
        """UPDATE event_sources SET last_used_at = $2
            WHERE key = $1 AND (last_used_at IS NULL OR last_used_at < $2::timestamptz - interval '1 minute')""",
        key,
        now,
    )


async def location_ids(connection: Connection) -> Sequence[str]:
    return [row["id"] for row in await connection.fetch("SELECT id FROM locations")]


async def lead_by_external_id(connection: Connection, location_id: str, external_id: str) -> str | None:
    """The lead that another system knows by this id."""
    found: str | None = await connection.fetchval(
        "SELECT id FROM leads WHERE location_id = $1 AND external_id = $2 AND _deleted_at IS NULL",
        location_id,
        external_id,
    )
    return found


def _source(row: asyncpg.Record) -> Source:
    return Source(
        key=row["key"],
        id=row["id"],
        name=row["name"],
        locations=tuple(row["locations"]),
        streams=tuple(row["streams"]),
        webhook_secret=row["webhook_secret"],
        config=row["config"],
        created_at=row["created_at"],
        revoked_at=row["revoked_at"],
        last_used_at=row["last_used_at"],
    )
