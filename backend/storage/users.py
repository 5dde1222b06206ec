"""Users, locations and who may see which location, in PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from backend.actor import Role

if TYPE_CHECKING:
    import asyncpg

    from backend.storage.pool import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    id: str
    email: str
    name: str
    role: Role
    password_hash: str
    disabled: bool
    demo: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Location:
    id: str
    name: str
    state: str
    zone: str
    demo: bool


async def by_email(connection: Connection, email: str) -> User | None:
    row = await connection.fetchrow("SELECT * FROM users WHERE lower(email) = lower($1)", email)
    return _user(row) if row else None


async def by_id(connection: Connection, user_id: str) -> User | None:
    row = await connection.fetchrow("SELECT * FROM users WHERE id = $1", user_id)
    return _user(row) if row else None


async def still_fits(connection: Connection, user: User) -> bool:
    """Has this user the same password, and is not disabled? Until the transaction ends that stays so."""
    row = await connection.fetchrow(
        "SELECT FROM users WHERE id = $1 AND password_hash = $2 AND disabled_at IS NULL FOR SHARE",
        user.id,
        user.password_hash,
    )
    return row is not None


async def add(connection: Connection, user: User) -> None:
    """Raises: asyncpg.UniqueViolationError when the e-mail is taken."""
    await connection.execute(
        "INSERT INTO users (id, email, name, role, password_hash, demo) VALUES ($1, $2, $3, $4, $5, $6)",
        user.id,
        user.email,
        user.name,
        user.role.value,
        user.password_hash,
        user.demo,
    )


async def to_change(connection: Connection, email: str) -> User | None:
    """As `by_email`; until the transaction ends nobody else changes any user."""
    await connection.execute("SELECT pg_advisory_xact_lock(hashtext('users_change'))")
    return await by_email(connection, email)


async def disable(connection: Connection, user_id: str) -> None:
    await connection.execute(
        "UPDATE users SET disabled_at = now() WHERE id = $1 AND disabled_at IS NULL", user_id
    )


async def enable(connection: Connection, user_id: str) -> None:
    await connection.execute("UPDATE users SET disabled_at = NULL WHERE id = $1", user_id)


async def set_password(connection: Connection, user_id: str, password_hash: str) -> None:
    await connection.execute("UPDATE users SET password_hash = $2 WHERE id = $1", user_id, password_hash)


async def set_role(connection: Connection, user_id: str, role: Role) -> None:
    await connection.execute("UPDATE users SET role = $2 WHERE id = $1", user_id, role.value)


async def has_other_admins(connection: Connection, user: User) -> bool:
    """Somebody else of their kind who may sign in and administer."""
    found: bool = await connection.fetchval(
        """SELECT EXISTS (SELECT FROM users
                           WHERE role = 'admin' AND disabled_at IS NULL AND demo = $2 AND id <> $1)""",
        user.id,
        user.demo,
    )
    return found


async def grant(connection: Connection, user_id: str, location_ids: Iterable[str]) -> None:
    """Let a user see locations; granting twice changes nothing."""
    await connection.execute(
        "INSERT INTO user_locations SELECT $1, unnest($2::uuid[]) ON CONFLICT DO NOTHING",
        user_id,
        list(location_ids),
    )


async def revoke(connection: Connection, user_id: str, location_ids: Iterable[str]) -> None:
    """Take locations away; triggers keep until when they were granted."""
    await connection.execute(
        "DELETE FROM user_locations WHERE user_id = $1 AND location_id = ANY($2::uuid[])",
        user_id,
        list(location_ids),
    )


async def remember_admin(connection: Connection, user_id: str) -> None:
    """Their role, which is about to end, let them see what was never granted: keep it as grants that end now."""
    await connection.execute(
        """INSERT INTO scope_grants (user_id, location_id, granted_at, revoked_at)
           SELECT u.id, l.id, greatest(u.created_at, l.created_at), clock_timestamp()
             FROM users u JOIN locations l ON l.demo = u.demo
            WHERE u.id = $1 AND NOT EXISTS (
                SELECT FROM user_locations g WHERE g.user_id = u.id AND g.location_id = l.id)""",
        user_id,
    )


async def granted_to(connection: Connection, user_id: str) -> list[Location]:
    """What was granted by name, whatever the role lets them see."""
    rows = await connection.fetch(
        """SELECT l.* FROM locations l JOIN user_locations g ON g.location_id = l.id
           WHERE g.user_id = $1 ORDER BY l.name""",
        user_id,
    )
    return [_location(row) for row in rows]


async def locations_of(connection: Connection, user: User) -> list[Location]:
    """What was granted; an admin sees every location of their kind (demo and real never mix)."""
    rows = await connection.fetch(
        """SELECT l.* FROM locations l
           WHERE l.demo = $3 AND ($2 OR EXISTS (
               SELECT 1 FROM user_locations g WHERE g.user_id = $1 AND g.location_id = l.id))
           ORDER BY l.name""",
        user.id,
        user.role is Role.ADMIN,
        user.demo,
    )
    return [_location(row) for row in rows]


async def all_locations(connection: Connection) -> list[Location]:
    return [_location(row) for row in await connection.fetch("SELECT * FROM locations ORDER BY name")]


async def location_named(connection: Connection, name_or_id: str) -> Location | None:
    row = await connection.fetchrow(
        "SELECT * FROM locations WHERE lower(name) = lower($1) OR id::text = lower($1)", name_or_id
    )
    return _location(row) if row else None


async def add_location(connection: Connection, location: Location) -> None:
    await connection.execute(
        "INSERT INTO locations (id, name, state, zone, demo) VALUES ($1, $2, $3, $4, $5)",
        location.id,
        location.name,
        location.state,
        location.zone,
        location.demo,
    )


def _user(row: asyncpg.Record) -> User:
    return User(
        id=row["id"],
        email=row["email"],
        name=row["name"],
        role=Role(row["role"]),
        password_hash=row["password_hash"],
        disabled=row["disabled_at"] is not None,
        demo=row["demo"],
    )


def _location(row: asyncpg.Record) -> Location:
    return Location(id=row["id"], name=row["name"], state=row["state"], zone=row["zone"], demo=row["demo"])
