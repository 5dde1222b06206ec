"""Sink, PostgreSQL or Valkey killed with -9 in the middle of a load: every event is in the facts once, and the aggregates say so."""

from __future__ import annotations

import asyncio
import os
import random
import shutil
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import asyncpg
import msgspec
import pytest
from redis import asyncio as redis
from redis import exceptions as redis_errors

from backend import embedded
from backend.events import STREAMS, Event
from backend.storage import migrate
from backend.storage.warehouse.rebuild import rebuild
from backend.stream import entries
from tests import engines as shared_engines
from tests.backend.storage.warehouse import events
from tests.backend.storage.warehouse.test_rebuild import invented
from tests.waiting import until

pytestmark = pytest.mark.anyio

EVENTS, AN_ENTRY = 8_000, 20
LONGEST = 120.0
STORED = """SELECT (SELECT count(*) FROM fact_lead_interactions) + (SELECT count(*) FROM fact_bot_performance)
                   + (SELECT count(*) FROM deal_states)"""
Start = Callable[[], Awaitable[asyncio.subprocess.Process]]


@pytest.fixture
async def engines(tmp_path: Path) -> AsyncIterator[embedded.Engines]:
    """PostgreSQL and Valkey of the test's own, as they are shipped, with tables and offices."""
    running = await asyncio.to_thread(embedded.start, tmp_path / "server")
    shared_engines.watched(running.folder)
    await migrate.migrate(running.database_url())
    owner = await asyncpg.connect(running.database_url())
    await events.offices(owner)
    await owner.close()
    yield running
    await asyncio.to_thread(embedded.revive, running)
    await asyncio.to_thread(embedded.release, running)


@pytest.fixture
async def start(engines: embedded.Engines, tmp_path: Path) -> AsyncIterator[Start]:
    """Starts a sink; whatever still runs at the end is killed."""
    started = []
    env = {
        **os.environ,
        "DATABASE_URL": engines.database_url(),
        "REDIS_URL": engines.redis_url(),
        "JORGE_DATA_DIR": str(tmp_path / "data"),
        "LOG_LEVEL": "ERROR",
    }

    async def run() -> asyncio.subprocess.Process:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.backend.stream.sink_process", env=env, stdin=asyncio.subprocess.PIPE
        )
        started.append(process)
        return process

    yield run
    for process in started:
        if process.returncode is None:
            process.kill()
        await process.wait()


def told() -> list[Event]:
    moved = events.now() - events.NOW
    return [
        msgspec.structs.replace(e, occurred_at=e.occurred_at + moved)
        for e in invented(random.Random(2), EVENTS)
    ]


async def send(engines: embedded.Engines, some: list[Event]) -> None:
    """Entries of `AN_ENTRY` events into their streams; what was sent before a cut comes again."""
    names = {kind: entries.PREFIX + name for name, kind in STREAMS.items()}
    valkey = redis.Redis.from_url(engines.redis_url())
    for kind, name in names.items():
        mine = [e for e in some if type(e) is kind]
        for first in range(0, len(mine), AN_ENTRY):
            packed = entries.packed(msgspec.json.encode(mine[first : first + AN_ENTRY]), 1)
            await valkey.xadd(name, packed)  # type: ignore[arg-type]
    await valkey.aclose()


async def killed(engines: embedded.Engines, pid: int) -> None:
    """With -9; and started again, as the server's job does."""
    os.kill(pid, signal.SIGKILL)
    await until(lambda: asyncio.to_thread(embedded.revive, engines), LONGEST)


async def stored(engines: embedded.Engines) -> int:
    try:
        connection = await asyncpg.connect(engines.database_url(), timeout=5)
        count = await connection.fetchval(STORED)
        await connection.close()
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
        return -1
    return int(count)


async def until_stored(engines: embedded.Engines, wanted: int) -> None:
    async def all_there() -> bool:
        return await stored(engines) >= wanted

    await until(all_there, LONGEST)


async def prove(engines: embedded.Engines) -> None:
    """Each once, and the aggregates are their sum."""
    await until_stored(engines, EVENTS)
    connection = await asyncpg.connect(engines.database_url())
    assert await connection.fetchval(STORED) == EVENTS
    assert (await rebuild(connection, check=True)).all_differed == 0
    sums = "SELECT sum(interactions + bot_events) FROM agg_daily_metrics WHERE location_key = -1"
    assert (
        await connection.fetchval(sums) + await connection.fetchval("SELECT count(*) FROM deal_states")
        == EVENTS
    )
    await connection.close()


async def test_a_sink_that_is_killed_again_and_again(engines: embedded.Engines, start: Start) -> None:
    await send(engines, told())

    for part in (1, 2, 3):
        process = await start()
        await until_stored(engines, EVENTS * part // 8)
        process.kill()
        await process.wait()
    await start()

    await prove(engines)


async def test_postgresql_killed_under_load(engines: embedded.Engines, start: Start) -> None:
    await send(engines, told())
    await start()
    await until_stored(engines, EVENTS // 8)

    assert engines.postgres is not None
    await killed(engines, engines.postgres.pid)

    await prove(engines)


async def test_valkey_killed_under_load_with_all_that_it_held(
    engines: embedded.Engines, start: Start, tmp_path: Path
) -> None:
    """Who sent and was not told "stored" sends again; what was stored already changes nothing."""
    everything = told()
    await send(engines, everything)
    await start()
    await until_stored(engines, EVENTS // 8)

    assert engines.valkey is not None
    shutil.rmtree(tmp_path / "server" / "valkey" / "appendonlydir")
    await killed(engines, engines.valkey.pid)
    async with asyncio.timeout(LONGEST):
        while True:
            try:
                await send(engines, everything)
                break
            except (redis_errors.RedisError, OSError):
                await asyncio.sleep(0.1)

    await prove(engines)
