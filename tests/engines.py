"""One PostgreSQL and one Valkey for all test processes of this checkout; gone when the last one is.

Every worker holds a share (a kernel lock, `backend.embedded`); a keeper process waits until nobody holds one,
however they ended, stops what still runs and removes the folder. So a run that is killed leaks nothing. Tests with engines of
their own have them kept as well (`watched`).
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import asyncpg

from backend import embedded
from backend.storage import migrate

ROOT = Path(__file__).parent.parent


def folder() -> Path:
    """Where the shared engines live: one place per user and checkout."""
    name = hashlib.sha256(str(ROOT).encode()).hexdigest()[:10]
    return Path(tempfile.gettempdir()) / f"jorge-tests-{os.geteuid()}-{name}"


@contextmanager
def shared() -> Iterator[embedded.Engines]:
    """This process's share in the engines; starts them when it is the first."""
    with _door():
        engines = embedded.start(folder(), durable=False)
        watched(folder())
    try:
        yield engines
    finally:
        embedded.release(engines)


async def template(engines: embedded.Engines) -> str:
    """A migrated, empty database to copy from; made once for each set of migrations."""
    name = "template_" + _fingerprint(migrate.FOLDER)
    maintenance = await asyncpg.connect(engines.database_url("postgres"))
    try:
        await maintenance.execute("SELECT pg_advisory_lock(hashtext($1))", name)
        if not await maintenance.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", name):
            await migrate.migrate(engines.database_url(name + "_new"))
            await maintenance.execute(f'ALTER DATABASE "{name}_new" RENAME TO "{name}"')
    finally:
        await maintenance.close()
    return name


def _fingerprint(migrations: Path) -> str:
    content = b"".join(path.name.encode() + path.read_bytes() for path in sorted(migrations.glob("*.sql")))
    return hashlib.sha256(content).hexdigest()[:16]


@contextmanager
def _door() -> Iterator[None]:
    """Coming in and clearing away exclude each other."""
    lock = os.open(folder().with_suffix(".lock"), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def watched(place: Path) -> None:
    """From now on engines under `place` end when the last process that shares them does, however it ends."""
    command = [sys.executable, "-m", "tests.engines", str(place)]
    quiet = [(os.POSIX_SPAWN_OPEN, number, os.devnull, os.O_RDWR, 0) for number in (0, 1, 2)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    os.posix_spawn(sys.executable, command, environment, file_actions=quiet, setsid=True)


def keep(place: Path) -> None:
    """Wait until no test process is left, then clear away. A second keeper leaves at once."""
    post = os.open(place / "keeper.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(post, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return
    while not _cleared(place):
        pass


def _cleared(place: Path) -> bool:
    share = os.open(place / "engines.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(share, fcntl.LOCK_EX)  # sleeps here for the whole run
    finally:
        os.close(share)
    with _door():
        note = place / "engines.json"
        if note.exists() and not embedded.release(_adopted(place, json.loads(note.read_text()))):
            return False  # somebody came in meanwhile
        shutil.rmtree(place)
    return True


def _adopted(place: Path, note: Mapping[str, Any]) -> embedded.Engines:
    return embedded.start(
        place,
        with_postgres=note["postgres_pid"] is not None,
        with_valkey=note["valkey_pid"] is not None,
        durable=False,
    )


async def drop(engines: embedded.Engines, database: str) -> None:
    maintenance = await asyncpg.connect(engines.database_url("postgres"))
    try:
        await maintenance.execute(f'DROP DATABASE IF EXISTS "{database}" WITH (FORCE)')
    finally:
        await maintenance.close()


async def copy(engines: embedded.Engines, template_name: str, database: str) -> None:
    maintenance = await asyncpg.connect(engines.database_url("postgres"))
    try:
        await maintenance.execute(
            f'CREATE DATABASE "{database}" TEMPLATE "{template_name}" STRATEGY FILE_COPY'
        )
    finally:
        await maintenance.close()


if __name__ == "__main__":
    try:
        keep(Path(sys.argv[1]))
    except FileNotFoundError:
        sys.exit(0)  # an earlier keeper has cleared away already
