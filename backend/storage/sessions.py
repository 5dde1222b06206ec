"""Sign-ins and their tokens, in PostgreSQL; a token itself is never stored, only its SHA-256."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from backend.actor import Actor, Role

if TYPE_CHECKING:
    import asyncpg

    from backend.storage.pool import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One sign-in on one device: the family of its refresh tokens."""

    id: str
    user_id: str
    device_id: str
    created_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Refresh:
    """A refresh token as stored, with its session."""

    hash: bytes
    session: Session
    expires_at: datetime
    used: bool
    dropped: bool
    revoked: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """An access token as stored: whose it is and whether it still counts."""

    actor: Actor
    expires_at: datetime
    ended: bool


async def add(connection: Connection, session: Session) -> None:
    await connection.execute(
        "INSERT INTO sessions (id, user_id, device_id, created_at, expires_at) VALUES ($1, $2, $3, $4, $5)",
        session.id,
        session.user_id,
        session.device_id,
        session.created_at,
        session.expires_at,
    )


async def revoke(connection: Connection, session_id: str, *, why: str, now: datetime) -> None:
    """End one sign-in: its tokens stop to count at once."""
    await connection.execute(
        "UPDATE sessions SET revoked_at = $2, revoked_why = $3 WHERE id = $1 AND revoked_at IS NULL",
        session_id,
        now,
        why,
    )


async def revoke_user(
    connection: Connection, user_id: str, *, why: str, now: datetime, device_id: str | None = None
) -> None:
    """End every sign-in of a user, or those of one device."""
    await connection.execute(
        """UPDATE sessions SET revoked_at = $2, revoked_why = $3
           WHERE user_id = $1 AND revoked_at IS NULL AND ($4::text IS NULL OR device_id = $4)""",
        user_id,
        now,
        why,
        device_id,
    )


async def add_refresh(
    connection: Connection,
    token_hash: bytes,
    session: Session,
    *,
    parent: bytes | None,
    now: datetime,
    expires_at: datetime,
) -> None:
    await connection.execute(
        "INSERT INTO refresh_tokens (hash, session_id, parent, issued_at, expires_at) VALUES ($1, $2, $3, $4, $5)",
        token_hash,
        session.id,
        parent,
        now,
        expires_at,
    )


async def add_access(
    connection: Connection, token_hash: bytes, *, refresh_hash: bytes, session_id: str, expires_at: datetime
) -> None:
    await connection.execute(
        "INSERT INTO access_tokens (hash, session_id, refresh_hash, expires_at) VALUES ($1, $2, $3, $4)",
        token_hash,
        session_id,
        refresh_hash,
        expires_at,
    )


async def locked_refresh(connection: Connection, token_hash: bytes) -> Refresh | None:
    """The refresh token, its family locked until the transaction ends."""
    # First the lock, then the reading: a reader that waited must see what the one before it wrote.
    await connection.fetchrow(
        """SELECT 1 FROM sessions WHERE id = (SELECT session_id FROM refresh_tokens WHERE hash = $1)
           FOR UPDATE""",
        token_hash,
    )
    row = await connection.fetchrow(
        """SELECT t.hash, t.expires_at, t.used_at, t.dropped_at, s.id, s.user_id, s.device_id, s.created_at,
                  s.expires_at AS session_expires_at, s.revoked_at
           FROM refresh_tokens t JOIN sessions s ON s.id = t.session_id WHERE t.hash = $1""",
        token_hash,
    )
    if row is None:
        return None
    return Refresh(
        hash=row["hash"],
        session=Session(
            id=row["id"],
            user_id=row["user_id"],
            device_id=row["device_id"],
            created_at=row["created_at"],
            expires_at=row["session_expires_at"],
        ),
        expires_at=row["expires_at"],
        used=row["used_at"] is not None,
        dropped=row["dropped_at"] is not None,
        revoked=row["revoked_at"] is not None,
    )


async def mark_used(connection: Connection, token_hash: bytes, now: datetime) -> None:
    await connection.execute(
        "UPDATE refresh_tokens SET used_at = coalesce(used_at, $2) WHERE hash = $1", token_hash, now
    )


async def drop_unused_child(connection: Connection, parent: bytes, now: datetime) -> bool:
    """Take back a child that nobody has used yet, and its access tokens; False when it was used."""
    child = await connection.fetchval(
        """UPDATE refresh_tokens SET dropped_at = $2
           WHERE parent = $1 AND dropped_at IS NULL AND used_at IS NULL RETURNING hash""",
        parent,
        now,
    )
    if child is None:
        return False
    await connection.execute("DELETE FROM access_tokens WHERE refresh_hash = $1", child)
    return True


async def find_accesses(connection: Connection, token_hashes: Collection[bytes]) -> dict[bytes, Access]:
    """Who holds each of these access tokens; one round trip, since every request asks."""
    rows = await connection.fetch(
        """SELECT a.hash, a.expires_at, s.id AS session_id, s.device_id, u.id, u.email, u.name, u.role, u.demo,
                  (s.revoked_at IS NOT NULL OR u.disabled_at IS NOT NULL) AS ended,
                  ARRAY(SELECT l.id FROM locations l WHERE l.demo = u.demo AND (u.role = 'admin' OR EXISTS (
                      SELECT 1 FROM user_locations g WHERE g.user_id = u.id AND g.location_id = l.id)))
                      AS locations
           FROM access_tokens a JOIN sessions s ON s.id = a.session_id JOIN users u ON u.id = s.user_id
           WHERE a.hash = ANY($1)""",
        list(token_hashes),
    )
    return {row["hash"]: _access(row) for row in rows}


def _access(row: asyncpg.Record) -> Access:
    actor = Actor(
        id=row["id"],
        role=Role(row["role"]),
        locations=frozenset(row["locations"]),
        device_id=row["device_id"],
        session_id=row["session_id"],
        token=row["hash"].hex()[:8],
        email=row["email"],
        name=row["name"],
        demo=row["demo"],
    )
    return Access(actor=actor, expires_at=row["expires_at"], ended=row["ended"])


async def purge(connection: Connection, now: datetime) -> None:
    """Forget tokens and sign-ins whose time is over (housekeeping; nothing depends on it)."""
    await connection.execute("DELETE FROM access_tokens WHERE expires_at < $1", now)
    await connection.execute("DELETE FROM sessions WHERE expires_at < $1", now)
