"""A database that was put back to an older copy is known by a mark that lies outside of it, also when much was written since."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import pytest

from backend import app as application
from backend import deps as parts
from backend import embedded
from backend.deps import Deps
from backend.jobs import feed_mark
from backend.services import restore, users
from backend.settings import Settings
from backend.storage import feed, pool
from backend.stream import sequencer
from tests import engines as shared_engines

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def started(settings: Settings) -> AsyncIterator[Deps]:
    """The server as it starts, without the jobs that run beside the requests."""
    async with parts.open_deps(settings) as deps:
        app = application.create_app(deps, jobs=())
        async with app.router.lifespan_context(app):
            yield deps


async def written(deps: Deps, *names: str) -> None:
    for name in names:
        async with pool.transaction(deps.pool) as connection:
            await users.ensure_location(connection, name=name, state="CA", zone="UTC", demo=False)
        await sequencer.once(deps.pool, deps.hub)
    await feed_mark.once(deps)


async def head(deps: Deps) -> feed.Head:
    async with deps.pool.acquire() as connection:
        return await feed.head(connection)


@pytest.fixture
async def copy(
    engines: embedded.Engines, server_settings: Settings
) -> AsyncIterator[Callable[[str], Awaitable[None]]]:
    """`await copy("out")` makes a copy of the whole database, `await copy("back")` puts it in its place again."""
    name = urlsplit(server_settings.database_url or "").path.strip("/")
    kept = f"{name}_kept"

    async def done(way: str) -> None:
        if way == "back":
            await shared_engines.drop(engines, name)
        await shared_engines.copy(engines, *((name, kept) if way == "out" else (kept, name)))

    yield done
    await shared_engines.drop(engines, kept)


async def test_a_copy_put_back_begins_another_life_before_anything_is_written_to_it(
    server_settings: Settings, copy: Callable[[str], Awaitable[None]]
) -> None:
    async with started(server_settings) as deps:
        await restore.notice(deps.pool)
        await written(deps, "Rancho Cucamonga")
        before = await head(deps)
    await copy("out")
    async with started(server_settings) as deps:
        await written(deps, "Dallas", "Austin")
        lost = await head(deps)
        assert lost.incarnation == before.incarnation, "nothing was put back yet"
    await copy("back")

    async with started(server_settings) as deps:
        assert not await restore.notice(deps.pool), "PostgreSQL itself does not tell"
        now = await head(deps)
        assert now.seq == before.seq < lost.seq
        assert (now.incarnation != before.incarnation, now.ver_floor > lost.ver_floor) == (True, True)
        await written(deps, "Houston", "El Paso", "Laredo")  # more than was lost

    async with started(server_settings) as deps:
        assert (await head(deps)).incarnation == now.incarnation, "it is told once"


async def test_a_copy_of_a_former_life_is_behind_however_long_its_feed(
    server_settings: Settings, copy: Callable[[str], Awaitable[None]]
) -> None:
    async with started(server_settings) as deps:
        await written(deps, "Rancho Cucamonga")
    await copy("out")
    async with started(server_settings) as deps:
        renewed = await restore.renew(deps.pool)
        await feed_mark.once(deps)
    await copy("back")

    async with started(server_settings) as deps:
        assert (await head(deps)).incarnation != renewed
        assert (await head(deps)).ver_floor > 0


async def test_two_servers_that_notice_at_once_begin_one_life(
    server_settings: Settings, tmp_path: Path
) -> None:
    async with parts.open_deps(server_settings) as deps:
        await written(deps, "Rancho Cucamonga")
        marks = [tmp_path / name for name in ("one", "two")]
        for mark in marks:
            await restore.compare(deps.pool, mark)
        await deps.pool.execute("UPDATE feed_state SET head = 0")
        before = await head(deps)

        found = await asyncio.gather(*(restore.compare(deps.pool, mark) for mark in marks))
        again = [await restore.compare(deps.pool, mark) for mark in marks]

        assert (True in found, again) == (True, [False, False])
        assert (await head(deps)).incarnation != before.incarnation
        by_time = await deps.pool.fetchval("SELECT extract(epoch FROM clock_timestamp()) * 1000")
        assert (await head(deps)).ver_floor <= by_time, "a second renewal would have gone a million beyond"


@pytest.mark.parametrize("said", ["", "{", "[]", "{}", '{"database": "d", "life": "x", "seq": 1}', None])
async def test_a_mark_that_says_nothing_is_made_anew(deps: Deps, tmp_path: Path, said: str | None) -> None:
    path = tmp_path / "deep" / "feed.mark"
    if said is not None:
        path.parent.mkdir()
        path.write_text(said)
    before = await head(deps)

    assert not await restore.compare(deps.pool, path)

    assert json.loads(path.read_text())["seq"] == before.seq
    assert [one.name for one in path.parent.iterdir()] == ["feed.mark"]


async def test_the_mark_of_another_database_says_nothing_of_this_one(deps: Deps, tmp_path: Path) -> None:
    path = tmp_path / "feed.mark"
    path.write_text(json.dumps({"database": "another", "life": 2**50, "seq": 10**9}))

    assert not await restore.compare(deps.pool, path)

    assert json.loads(path.read_text())["life"] == 0


async def test_a_mark_that_cannot_be_kept_stops_nothing(server_settings: Settings) -> None:
    server_settings.data_dir.mkdir(parents=True, exist_ok=True)
    (server_settings.server_dir).write_text("no folder")

    async with parts.open_deps(server_settings) as deps:
        await feed_mark.once(deps)

        assert await deps.pool.fetchval("SELECT 1") == 1


async def test_no_answer_of_the_database_is_waited_out(deps: Deps, monkeypatch: pytest.MonkeyPatch) -> None:
    await deps.pool.close()

    await feed_mark.once(deps)

    with pytest.raises(asyncpg.InterfaceError):
        await deps.pool.fetchval("SELECT 1")
