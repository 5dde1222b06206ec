"""PostgreSQL and Valkey out of the wheels: started, shared, killed, recovered; nothing acknowledged is lost."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from threading import Timer

import asyncpg
import pytest
from redis import asyncio as redis

from backend import embedded
from backend.embedded import process
from domain import errors

pytestmark = pytest.mark.anyio


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A data folder under pytest's private one, which the engines' own account can't even list."""
    place = tmp_path / "server"
    yield place
    if place.is_dir():
        leave_nothing_running(place)
    shutil.rmtree(place, ignore_errors=True)


def leave_nothing_running(place: Path) -> None:
    """A test that failed half-way leaves its engines: join and stop them."""
    if (place / "engines.json").exists():
        embedded.release(embedded.start(place))


def pids(engines: embedded.Engines) -> tuple[int, int]:
    assert engines.postgres is not None
    assert engines.valkey is not None
    return engines.postgres.pid, engines.valkey.pid


def crash(engines: embedded.Engines, *victims: int) -> None:
    """This process dies without a word (its lock goes with it), and so do `victims`."""
    for victim in victims:
        os.kill(victim, signal.SIGKILL)
    os.close(engines.share)


async def sql(engines: embedded.Engines, statement: str) -> object:
    connection = await asyncpg.connect(engines.database_url("postgres"))
    try:
        return await connection.fetchval(statement)
    finally:
        await connection.close()


async def test_start_stop_start_keeps_the_data(folder: Path) -> None:
    first = embedded.start(folder)
    await sql(first, "CREATE TABLE kept AS SELECT 42 AS n")
    assert embedded.release(first)
    assert not any(process.alive(pid) for pid in pids(first))

    second = embedded.start(folder)

    assert await sql(second, "SELECT n FROM kept") == 42
    assert embedded.release(second)


async def test_engines_keep_what_they_acknowledge_and_open_no_port(folder: Path) -> None:
    engines = embedded.start(folder)

    assert str(await sql(engines, "SHOW server_version")).startswith("18.")
    for setting in ("fsync", "synchronous_commit", "full_page_writes", "data_checksums"):
        assert await sql(engines, f"SHOW {setting}") == "on"
    assert await sql(engines, "SHOW listen_addresses") == ""
    valkey = redis.Redis.from_url(engines.redis_url())
    assert await valkey.config_get("append*") | {"appendonly": "yes", "appendfsync": "everysec"} == (
        await valkey.config_get("append*")
    )
    assert (await valkey.config_get("port"))["port"] == "0"
    await valkey.aclose()
    sockets = os.stat(str(await sql(engines, "SHOW unix_socket_directories")))
    assert stat.S_IMODE(sockets.st_mode) == 0o700
    embedded.release(engines)


async def test_second_user_joins_and_the_last_one_stops(folder: Path) -> None:
    server = embedded.start(folder)
    command = embedded.start(folder)

    assert pids(command) == pids(server)
    assert not embedded.release(server)
    assert await sql(command, "SELECT 1") == 1
    assert embedded.release(command)
    assert not process.alive(pids(command)[0])


async def test_engines_json_tells_where_they_are(folder: Path) -> None:
    engines = embedded.start(folder)
    note = json.loads((folder / "engines.json").read_text())

    assert note["database_url"] == engines.database_url()
    assert (note["postgres_pid"], note["valkey_pid"]) == pids(engines)
    embedded.release(engines)
    assert not (folder / "engines.json").exists()


async def test_after_our_kill_9_the_next_start_adopts_the_orphans(folder: Path) -> None:
    first = embedded.start(folder)
    crash(first)

    second = embedded.start(folder)

    assert pids(second) == pids(first)
    assert embedded.release(second)
    assert not any(process.alive(pid) for pid in pids(first))


async def test_after_kill_9_of_everything_nothing_acknowledged_is_lost(folder: Path) -> None:
    first = embedded.start(folder)
    await sql(first, "CREATE TABLE kept (n int)")
    for _ in range(20):
        await sql(first, "INSERT INTO kept VALUES (1)")
    crash(first, *pids(first))

    second = embedded.start(folder)

    assert await sql(second, "SELECT count(*) FROM kept") == 20
    assert set(pids(second)).isdisjoint(pids(first))
    embedded.release(second)


async def test_kill_9_of_postgres_under_an_open_query_recovers(folder: Path) -> None:
    first = embedded.start(folder)
    busy = asyncio.create_task(sql(first, "SELECT pg_sleep(30)"))
    await asyncio.sleep(0.1)
    crash(first, pids(first)[0])
    with pytest.raises((OSError, asyncpg.PostgresError, asyncpg.InterfaceError)):
        await busy

    second = embedded.start(folder)

    assert await sql(second, "SELECT 1") == 1
    embedded.release(second)


async def test_valkey_comes_back_with_what_it_had(folder: Path) -> None:
    first = embedded.start(folder, with_postgres=False)
    client = redis.Redis.from_url(first.redis_url())
    await client.xadd("bi:stream:lead_interactions", {"a": "1"})
    await asyncio.sleep(1.2)  # the append-only file is written each second
    await client.aclose()
    assert first.valkey is not None
    crash(first, first.valkey.pid)

    second = embedded.start(folder, with_postgres=False)

    client = redis.Redis.from_url(second.redis_url())
    assert await client.xlen("bi:stream:lead_interactions") == 1
    await client.aclose()
    embedded.release(second)


async def test_engine_that_dies_under_a_server_is_revived_at_the_same_address(folder: Path) -> None:
    engines = embedded.start(folder)
    before = pids(engines)
    os.kill(before[0], signal.SIGKILL)
    os.kill(before[1], signal.SIGKILL)
    process.wait_until(lambda: not any(process.alive(pid) for pid in before), 5)

    assert embedded.revive(engines)

    assert await sql(engines, "SELECT 1") == 1
    assert set(pids(engines)).isdisjoint(before)
    assert not embedded.revive(engines)
    embedded.release(engines)
    assert not embedded.revive(engines), "what was given back stays down"


async def test_whoever_leaves_last_stops_what_another_process_revived(folder: Path) -> None:
    first, other = embedded.start(folder), embedded.start(folder)
    before = pids(first)
    for pid in before:
        os.kill(pid, signal.SIGKILL)
    process.wait_until(lambda: not any(process.alive(pid) for pid in before), 5)
    embedded.revive(other)
    revived = pids(other)
    embedded.release(other)

    assert embedded.release(first)

    assert not any(process.alive(pid) for pid in revived)


async def test_pid_file_that_names_a_stranger_does_not_stop_the_start(folder: Path) -> None:
    first = embedded.start(folder)
    crash(first, *pids(first))
    pid_file = folder / "postgres" / "postmaster.pid"
    lines = pid_file.read_text().splitlines()
    pid_file.write_text("\n".join([str(os.getpid()), *lines[1:]]) + "\n")
    (folder / "valkey" / "valkey.pid").write_text(str(os.getpid()))

    second = embedded.start(folder)

    assert await sql(second, "SELECT 1") == 1
    embedded.release(second)


def like_postgres(folder: Path) -> subprocess.Popen[bytes]:
    """A process that can't be told from this folder's PostgreSQL."""
    command = [sys.executable, "-c", "import sys; sys.stdin.read()", "postgres", str(folder / "postgres")]
    return subprocess.Popen(process.as_engine(command), stdin=subprocess.PIPE)


async def test_server_that_dies_while_the_next_one_starts_does_not_stop_it(folder: Path) -> None:
    """It still looks alive when the lock files are read, and is a zombie, which PostgreSQL takes for alive, afterwards."""
    first = embedded.start(folder)
    assert first.postgres is not None
    crash(first, *pids(first))
    dying = like_postgres(folder)
    (first.postgres.sockets / ".s.PGSQL.5432.lock").write_text(f"{dying.pid}\n")
    Timer(0.5, dying.kill).start()

    second = embedded.start(folder)

    assert await sql(second, "SELECT 1") == 1
    embedded.release(second)
    dying.communicate()


async def test_start_that_was_cut_off_in_initdb_begins_anew(folder: Path) -> None:
    half = folder / "postgres.unfinished"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18\n")

    engines = embedded.start(folder)

    assert await sql(engines, "SELECT 1") == 1
    assert not half.exists()
    embedded.release(engines)


async def test_long_path_still_gets_its_sockets(folder: Path) -> None:
    engines = embedded.start(folder / ("deep" * 30))

    assert await sql(engines, "SELECT 1") == 1
    assert len(engines.database_url("postgres").partition("host=")[2]) < 90
    embedded.release(engines)


@pytest.mark.parametrize(
    ("content", "message"),
    [({"notes.txt": "mine"}, "no PostgreSQL database"), ({"PG_VERSION": "17\n"}, "PostgreSQL 17")],
)
async def test_folder_of_something_else_is_told_and_left_alone(
    folder: Path, content: dict[str, str], message: str
) -> None:
    (folder / "postgres").mkdir(parents=True)
    for name, text in content.items():
        (folder / "postgres" / name).write_text(text)

    with pytest.raises(errors.EngineError, match=message) as caught:
        embedded.start(folder)

    assert caught.value.hint
    assert {path.name: path.read_text() for path in (folder / "postgres").iterdir()} == content


async def test_data_folder_that_is_a_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "server").write_text("mine")

    with pytest.raises(errors.EngineError, match="data folder"):
        embedded.start(tmp_path / "server")

    assert (tmp_path / "server").read_text() == "mine"


async def test_damaged_cluster_is_told_and_left_alone(folder: Path) -> None:
    first = embedded.start(folder)
    embedded.release(first)
    control = folder / "postgres" / "global" / "pg_control"
    control.rename(control.with_name("elsewhere"))

    with pytest.raises(errors.EngineError, match="did not start"):
        embedded.start(folder)

    assert (folder / "postgres" / "PG_VERSION").exists()


async def test_second_server_on_a_folder_is_refused_and_harms_nothing(folder: Path) -> None:
    with embedded.sole_server(folder):
        with pytest.raises(errors.EngineError, match=f"process {os.getpid()}"), embedded.sole_server(folder):
            pass
    with embedded.sole_server(folder):
        pass


@pytest.mark.parametrize("name", ["server.lock", "engines.starting", "engines.lock"])
async def test_lock_that_cannot_be_opened_is_told(folder: Path, name: str) -> None:
    (folder / name).mkdir(parents=True)

    with pytest.raises(errors.EngineError, match="can't be written") as told, embedded.sole_server(folder):
        embedded.start(folder)

    assert told.value.where == str(folder / name)


async def test_when_one_engine_does_not_start_the_other_is_not_left_behind(folder: Path) -> None:
    embedded.release(embedded.start(folder))
    [manifest] = (folder / "valkey").rglob("*.manifest")
    kept = manifest.read_bytes()
    manifest.write_text("junk")

    with pytest.raises(errors.EngineError, match="Valkey did not start"):
        embedded.start(folder)

    assert not (folder / "postgres" / "postmaster.pid").exists()
    manifest.write_bytes(kept)
    embedded.release(embedded.start(folder))
