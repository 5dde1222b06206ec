"""When each periodic job last ran, in whatever process, and the lock that lets only one process run it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any

import asyncpg

from backend.storage.pool import Connection

RETRY = timedelta(seconds=60)
_EARLY = 0.9
"""A look that comes a moment early counts, or a job of a minute would run every second one."""
_WRONG_CLOCK = timedelta(minutes=5)
"""What began so far ahead of now was begun by a clock that has been put back since: it says nothing."""


@asynccontextmanager
async def alone(database_url: str, name: str) -> AsyncIterator[Connection | None]:
    """A connection that holds the job's lock until the block ends; None when another process has it."""
    connection = await asyncpg.connect(database_url, server_settings={"application_name": "jorge-jobs"})
    try:
        held = await connection.fetchval(
            "SELECT pg_try_advisory_lock(hashtext('periodic'), hashtext($1))", name
        )
        yield connection if held else None
    finally:
        await connection.close()


async def due(connection: Connection, name: str, *, every: timedelta, now: datetime) -> bool:
    """Is it time? A job that failed is tried again after a minute, or after its period if that is shorter."""
    row = await connection.fetchrow(
        "SELECT started_at, ended_at, failed_at FROM periodic_jobs WHERE name = $1", name
    )
    if row is None:
        return True
    failed = row["failed_at"] is not None and (row["ended_at"] is None or row["failed_at"] > row["ended_at"])
    pause = min(every, RETRY) if failed or row["ended_at"] is None else every
    return bool(row["started_at"] + pause * _EARLY <= now or row["started_at"] > now + _WRONG_CLOCK)


async def began(connection: Connection, name: str, process: str, now: datetime) -> None:
    await connection.execute(
        "INSERT INTO periodic_jobs (name, process, started_at) VALUES ($1, $2, $3) "
        "ON CONFLICT (name) DO UPDATE SET process = excluded.process, started_at = excluded.started_at",
        name,
        process,
        now,
    )


async def ended(connection: Connection, name: str, now: datetime, *, took_ms: float) -> None:
    await connection.execute(
        "UPDATE periodic_jobs SET ended_at = $2, took_ms = $3, runs = runs + 1 WHERE name = $1",
        name,
        now,
        took_ms,
    )


async def failed(connection: Connection, name: str, now: datetime, *, fault: str) -> None:
    await connection.execute(
        "UPDATE periodic_jobs SET failed_at = $2, fault = $3, failures = failures + 1 WHERE name = $1",
        name,
        now,
        fault,
    )


async def runs(connection: Connection) -> list[dict[str, Any]]:
    return [dict(row) for row in await connection.fetch("SELECT * FROM periodic_jobs ORDER BY name")]
