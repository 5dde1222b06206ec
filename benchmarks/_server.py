"""The server under test: `python -m backend serve` as a process of its own, filled with leads, and its CPU seconds.

CPU of PostgreSQL = the postmaster's own user and system time, that of its ended children (cutime, cstime) and of its
living ones (`/proc/<pid>/stat`): all backends, the background writer and autovacuum included. The clock ticks in 10 ms.
"""

from __future__ import annotations

import asyncio
import json
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from benchmarks import _leads
from benchmarks._machine import family_seconds, rss, seconds
from launch import processes
from launch import settings as launch_settings

PASSWORD = "bench-password"
EMAIL = "agent{}@bench.example"
LOCATION = "Rancho Cucamonga"
_AT_ONCE = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A running server. `database_url` reaches its PostgreSQL."""

    url: str
    port: int
    pid: int
    postgres_pid: int
    valkey_pid: int
    database_url: str

    def cpu(self) -> tuple[float, float, float]:
        """Seconds so far: our process, PostgreSQL with all its processes, Valkey."""
        return seconds(self.pid), family_seconds(self.postgres_pid), seconds(self.valkey_pid)

    def rss_mb(self) -> float:
        """Resident memory of our process now."""
        return rss(self.pid) / 1e6


@contextmanager
def serving(folder: Path) -> Iterator[Server]:
    """A server with one person of one location on a free port; all of it is stopped at the end."""
    settings = launch_settings.Settings(data=folder, app_port=free_port(), server_port=free_port())
    _prepare(settings)
    child = processes.start("server", ["-m", "backend", "serve"], settings)
    try:
        processes.wait_until_answers(child, f"{settings.server_url}/ready")
        _add_person(settings, EMAIL.format(0))
        note = json.loads((folder / "server" / "engines.json").read_text())
        yield Server(
            url=settings.server_url,
            port=settings.server_port,
            pid=child.process.pid,
            postgres_pid=note["postgres_pid"],
            valkey_pid=note["valkey_pid"],
            database_url=note["database_url"],
        )
    finally:
        processes.stop([child])


def _prepare(settings: launch_settings.Settings) -> None:
    """A migrated database that keeps the moment of each commit (for the feed's lag)."""
    _run(settings, "migrate")
    with (settings.data / "server" / "postgres" / "postgresql.auto.conf").open("a") as file:
        file.write("track_commit_timestamp = on\n")


def _run(settings: launch_settings.Settings, *words: str) -> None:
    """Raises: SystemExit with what the command said."""
    done = subprocess.run(
        [sys.executable, "-m", "backend", *words],
        env={**settings.environment, "JORGE_PASSWORD": PASSWORD},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(done.stderr)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _add_person(settings: launch_settings.Settings, email: str) -> None:
    words = ["--email", email, "--name", "Pat", "--role", "agent", "--location", LOCATION]
    _run(settings, "create-user", *words, "--zone", "America/Los_Angeles", "--state", "CA")


def fill(server: Server, rows: int, *, offices: int = 1) -> int:
    """`rows` leads in each of so many offices (each with a person), by a process of its own; their bytes as JSON.

    So nothing of them is in the client's memory.
    """
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks._server", server.database_url, str(rows), str(offices)],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(done.stderr)
    return int(done.stdout)


def main() -> None:
    """What `fill` starts."""
    print(asyncio.run(_fill(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))))


async def _fill(database_url: str, rows: int, offices: int) -> int:
    connection = await asyncpg.connect(database_url)
    first = str(await connection.fetchval("SELECT id FROM locations WHERE name = $1", LOCATION))
    places = [first, *[str(await connection.fetchval(_OFFICE, EMAIL.format(n))) for n in range(1, offices)]]
    size = 0
    for number, place in enumerate(places):
        size += await _fill_office(connection, rows, place, seed=7 + number)
    while await connection.fetchval(_UNSTAMPED):  # noqa: ASYNC110 - another process numbers them
        await asyncio.sleep(0.1)
    await connection.execute("VACUUM ANALYZE")
    await connection.execute("CHECKPOINT")
    await connection.close()
    return size


async def _fill_office(connection: asyncpg.Connection, rows: int, location_id: str, *, seed: int) -> int:
    size, some = 0, []
    for lead in _leads.invented(rows, location_id, seed=seed):
        size += _leads.json_bytes(lead)
        some.append(lead)
        if len(some) == _AT_ONCE:
            await _insert(connection, some)
            some = []
    if some:
        await _insert(connection, some)
    return size


# A further office like the first one, with a person who has the same password.
_OFFICE = """
WITH place AS (
    INSERT INTO locations (id, name, state, zone) VALUES (gen_random_uuid(), 'Office of ' || $1::text, 'CA', 'UTC') RETURNING id
), person AS (
    INSERT INTO users (id, email, name, role, password_hash)
    SELECT gen_random_uuid(), $1, 'Pat', 'agent', password_hash FROM users LIMIT 1 RETURNING id
), granted AS (
    INSERT INTO user_locations (user_id, location_id) SELECT person.id, place.id FROM person, place
)
SELECT id FROM place
"""
_UNSTAMPED = "SELECT count(*) FROM change_log WHERE seq IS NULL"


async def _insert(connection: asyncpg.Connection, some: Sequence[dict[str, object]]) -> None:
    columns = ", ".join(sorted({name for lead in some for name in lead}))
    await connection.execute(
        f"INSERT INTO leads ({columns}) SELECT {columns} FROM jsonb_populate_recordset(NULL::leads, $1::jsonb)",  # noqa: S608 - our fields' names
        json.dumps(some),
    )


if __name__ == "__main__":
    main()
