"""Work to be done after a commit: lines in PostgreSQL, taken by one worker at a time, tried again when it fails."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from backend.storage.pool import Connection

LEASE = timedelta(minutes=15)
"""A worker that died gives its job back after so long."""

MOST_ATTEMPTS = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    id: str
    key: str
    payload: Mapping[str, Any]
    attempts: int


async def put(
    connection: Connection, kind: str, key: str, payload: Mapping[str, Any], *, after: timedelta = timedelta()
) -> None:
    """Ask for work; asked for again, it is done again."""
    await connection.execute(
        """INSERT INTO jobs (kind, key, payload, run_at) VALUES ($1, $2, $3, now() + $4)
           ON CONFLICT (kind, key) DO UPDATE
           SET payload = excluded.payload, run_at = excluded.run_at, attempts = 0, error = NULL, done_at = NULL""",
        kind,
        key,
        payload,
        after,
    )


async def take(connection: Connection, kind: str) -> Job | None:
    """The oldest job that is due, held for LEASE; None when there is nothing to do."""
    row = await connection.fetchrow(
        """UPDATE jobs SET attempts = attempts + 1, run_at = now() + $2 WHERE id = (
               SELECT id FROM jobs WHERE kind = $1 AND done_at IS NULL AND run_at <= now() AND attempts < $3
               ORDER BY run_at LIMIT 1 FOR UPDATE SKIP LOCKED)
           RETURNING id, key, payload, attempts""",
        kind,
        LEASE,
        MOST_ATTEMPTS,
    )
    if row is None:
        return None
    return Job(id=row["id"], key=row["key"], payload=row["payload"], attempts=row["attempts"])


async def done(connection: Connection, job: Job) -> None:
    await connection.execute("UPDATE jobs SET done_at = now(), error = NULL WHERE id = $1", job.id)


async def later(connection: Connection, job: Job, *, error: str, wait: timedelta) -> None:
    """Not now; `error` is a code, never contents."""
    await connection.execute(
        "UPDATE jobs SET run_at = now() + $2, error = $3 WHERE id = $1", job.id, wait, error[:200]
    )
