"""The database is brought to this release's tables, once and by one server at a time."""

from __future__ import annotations

import asyncio
import shutil
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlsplit, urlunsplit

import asyncpg
import pytest

from backend import embedded
from backend.storage import migrate
from domain import errors
from tests import engines as shared_engines

pytestmark = pytest.mark.anyio


@pytest.fixture
async def absent(engines: embedded.Engines) -> AsyncIterator[str]:
    """The address of a database that is not there yet."""
    name = f"test_{uuid.uuid4().hex}"
    yield engines.database_url(name)
    await shared_engines.drop(engines, name)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    own = tmp_path / "migrations"
    own.mkdir()
    shutil.copy(migrate.FOLDER / "001_users.sql", own)
    return own


async def test_absent_database_is_made_and_migrated(absent: str, folder: Path) -> None:
    assert await migrate.migrate(absent, folder=folder) == 1
    assert await migrate.migrate(absent, folder=folder) == 0


async def test_servers_that_start_together_migrate_once(absent: str, folder: Path) -> None:
    applied = await asyncio.gather(*(migrate.migrate(absent, folder=folder) for _ in range(4)))

    assert sorted(applied) == [0, 0, 0, 1]


async def test_broken_migration_is_rolled_back_and_named(absent: str, folder: Path) -> None:
    broken = "-- migrate:up\nCREATE TABLE half (a int);\nSELECT 1 / 0;\n-- migrate:down\n"
    (folder / "002_broken.sql").write_text(broken)

    with pytest.raises(errors.EngineError, match="division by zero"):
        await migrate.migrate(absent, folder=folder)

    connection = await asyncpg.connect(absent)
    assert await connection.fetchval("SELECT to_regclass('users')")
    assert not await connection.fetchval("SELECT to_regclass('half')")
    await connection.close()


async def test_database_of_a_newer_release_is_left_alone(absent: str, folder: Path) -> None:
    (folder / "900_later.sql").write_text("-- migrate:up\nSELECT 1;\n-- migrate:down\n")
    await migrate.migrate(absent, folder=folder)
    (folder / "900_later.sql").unlink()

    with pytest.raises(errors.EngineError, match="newer release"):
        await migrate.migrate(absent, folder=folder)


async def test_database_that_does_not_answer_is_told() -> None:
    with pytest.raises(errors.EngineError, match="does not answer"):
        await migrate.migrate("postgresql://jorge@127.0.0.1:1/jorge")


def test_every_migration_is_numbered_and_only_goes_forward() -> None:
    files = sorted(migrate.FOLDER.glob("*.sql"))

    assert [path.name[:3] for path in files] == [f"{n:03}" for n in range(1, len(files) + 1)]
    for path in files:
        up, _, down = path.read_text().partition("-- migrate:down")
        assert "-- migrate:up\n" in up, path.name
        assert not down.strip(), path.name


@asynccontextmanager
async def by_tcp(url: str) -> AsyncIterator[str]:
    """The embedded server behind a TCP port without encryption, as people's own servers have it."""
    folder = parse_qs(urlsplit(url).query)["host"][0]
    done: list[asyncio.Task[None]] = []

    async def flow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65_536):
            writer.write(data)
        writer.close()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inner, outer = await asyncio.open_unix_connection(f"{folder}/.s.PGSQL.5432")
        done.extend(asyncio.create_task(way) for way in (flow(reader, outer), flow(inner, writer)))

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    yield urlunsplit(urlsplit(url)._replace(netloc=f"jorge@127.0.0.1:{port}", query=""))
    server.close()
    await asyncio.gather(*done, return_exceptions=True)


@pytest.mark.parametrize("mode", ["", "?sslmode=prefer", "?application_name=x&sslmode=disable"])
async def test_a_server_without_encryption_is_migrated_too(absent: str, folder: Path, mode: str) -> None:
    async with by_tcp(absent) as url:
        assert await migrate.migrate(url + mode, folder=folder) == 1


async def test_encryption_that_was_asked_for_is_never_given_up(absent: str, folder: Path) -> None:
    async with by_tcp(absent) as url:
        with pytest.raises(errors.EngineError, match="SSL"):
            await migrate.migrate(url + "?sslmode=require", folder=folder)
