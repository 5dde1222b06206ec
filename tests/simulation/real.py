"""The same runs on the real thing: FastAPI and PostgreSQL, faults done by real means; time alone is the world's."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Coroutine, Mapping
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import asyncpg
import httpx

from backend import app as application
from backend import deps as parts
from backend.actor import Role
from backend.settings import Settings
from backend.storage import feed, pool, rows, users
from backend.storage.pg_store import PgStores
from domain import errors, tables
from tests import engines as shared_engines
from tests.simulation import faults, snapshots, tus
from tests.simulation.bench import PASSWORD, Bench, Breaking
from tests.simulation.http import Answer, Request
from tests.simulation.server import Fresh, Version
from tests.simulation.world import MINUTE, Clock, World

T = TypeVar("T")
_OF_THE_WIRE = frozenset({"content-encoding", "content-length"})
GROUPS = (1, 2, 3, 4, 5, 6, 7, 8, 9, 13)
"""Faults that can be done to a real server; the rest is the model's (docs/simulation.md)."""


class RealServer:
    """`server.Server`."""

    real = True

    def __init__(self, world: World, bench: Bench, folder: Path) -> None:
        self.world = world
        self.clock = Clock(world)
        self.uploads = tus.Uploads(world)
        self.newer = False
        self.too_old_until = 0
        self.on_news: Callable[[], None] = lambda: None
        self._bench = bench
        self._name = f"sim_{uuid.uuid4().hex}"
        self._stack = AsyncExitStack()
        self._refresh_broken = False
        self._held: asyncpg.Connection[asyncpg.Record] | None = None
        self._snapshot_ms = -1
        self._run(self._open(folder))

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return self._bench.run(work)

    async def _open(self, folder: Path) -> None:
        engines = self._bench.engines
        await shared_engines.copy(engines, self._bench.template, self._name)
        settings = Settings.model_validate(
            {
                "database_url": engines.database_url(self._name),
                "redis_url": engines.redis_url(0),
                "data_dir": folder / "server",
                "port": 0,
            }
        )
        opened = await self._stack.enter_async_context(
            parts.open_deps(settings, clock=self.clock, channel_prefix=self._name + ":")
        )
        self.stores = Breaking(PgStores(opened.pool))
        self.deps = replace(opened, stores=self.stores)
        app = application.create_app(self.deps, jobs=())
        self._client = await self._stack.enter_async_context(
            httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://jorge.test")
        )
        async with self.deps.pool.acquire() as connection:
            await snapshots.keep_history(connection)

    def close(self) -> None:
        self._run(self._closed())

    async def _closed(self) -> None:
        if self._held is not None:
            await self._held.close()
        await self._stack.aclose()
        await shared_engines.drop(self._bench.engines, self._name)

    # What devices do

    def handle(self, request: Request) -> Answer:
        if self._refresh_broken and request.path == "/api/auth/refresh":
            return _problem(401, errors.TokenExpiredError("Sign in again."))
        if self.world.now_ms < self.too_old_until and request.path == "/api/sync/pull":
            return _problem(426, errors.VersionMismatchError("Update."))
        answer = self._run(self._answered(request))
        if request.method == "POST":
            self.on_news()
        return answer

    def cut_off(self, request: Request) -> None:
        """To a server without a socket nothing arrives in parts (tests/cut does it)."""

    async def _answered(self, request: Request) -> Answer:
        headers = {
            name: value for name, value in request.headers.items() if name.lower() != "accept-encoding"
        }
        said = await self._client.request(request.method, request.url, headers=headers, content=request.body)
        unpacked = {name: value for name, value in said.headers.items() if name not in _OF_THE_WIRE}
        return Answer(status=said.status_code, headers=unpacked, body=said.content)

    # What the brokerage does

    async def _write(self, sql: str, *values: Any) -> str:
        async with pool.transaction(self.deps.pool) as connection:
            done: str = await connection.execute(sql, *values)
            return done

    async def _fetch(self, sql: str, *values: Any) -> list[Any]:
        async with self.deps.pool.acquire() as connection:
            return list(await connection.fetch(sql, *values))

    def _wrote(self, work: Coroutine[Any, Any, T]) -> T:
        done = self._run(work)
        self.on_news()
        return done

    def add_location(self, location_id: str, name: str) -> None:
        place = users.Location(id=location_id, name=name, state="CA", zone="America/Los_Angeles", demo=False)

        async def add() -> None:
            async with pool.transaction(self.deps.pool) as connection:
                await users.add_location(connection, place)

        self._wrote(add())

    def add_user(self, user_id: str, name: str, role: str, locations: set[str]) -> None:
        user = users.User(
            id=user_id,
            email=f"{user_id}@brokerage.example",
            name=name,
            role=Role(role),
            password_hash=self._bench.password_hash,
            disabled=False,
            demo=False,
        )

        async def add() -> None:
            async with pool.transaction(self.deps.pool) as connection:
                await users.add(connection, user)
                await users.grant(connection, user_id, sorted(locations))

        self._wrote(add())

    def grant(self, user_id: str, location: str) -> None:
        self._wrote(
            self._write(
                "INSERT INTO user_locations VALUES ($1, $2) ON CONFLICT DO NOTHING", user_id, location
            )
        )

    def revoke(self, user_id: str, location: str) -> None:
        self._wrote(
            self._write(
                "DELETE FROM user_locations WHERE user_id = $1 AND location_id = $2", user_id, location
            )
        )

    def sign_in(self, user_id: str) -> str:
        async def sign() -> str:
            await self.deps.pool.execute("UPDATE users SET disabled_at = NULL WHERE id = $1", user_id)
            form = {"username": f"{user_id}@brokerage.example", "password": PASSWORD}
            answer = await self._client.post("/api/auth/login", data=form)
            assert answer.status_code == 200, answer.text
            return str(answer.json()["refresh_token"])

        return self._run(sign())

    def expire_tokens(self) -> None:
        self._run(self._write("DELETE FROM access_tokens"))

    def break_refresh(self, broken: bool) -> None:
        self._refresh_broken = broken

    def disable(self, user_id: str, disabled: bool) -> None:
        now = "now()" if disabled else "NULL"
        self._run(self._write(f"UPDATE users SET disabled_at = {now} WHERE id = $1", user_id))  # noqa: S608

    def founded(self) -> None:
        self._take_snapshot()

    def import_leads(self, fresh: Fresh) -> None:
        async def add() -> None:
            async with pool.transaction(self.deps.pool) as connection:
                await _insert(connection, fresh)

        self._wrote(add())

    def living_leads(self) -> list[tuple[str, str]]:
        found = self._run(
            self._fetch("SELECT id, location_id FROM leads WHERE _deleted_at IS NULL ORDER BY id")
        )
        return [(row["id"], row["location_id"]) for row in found]

    def children(self, lead_id: str) -> list[tuple[str, str]]:
        found: list[tuple[str, str]] = []
        for table in tables.ALL:
            if "lead_id" in table.by_name:
                some = self._run(self._fetch(f"SELECT id FROM {table.name} WHERE lead_id = $1", lead_id))  # noqa: S608
                found += [(table.name, row["id"]) for row in some]
        return sorted(found)

    def move(self, table: str, row_id: str, location: str) -> bool:
        sql = (
            f"UPDATE {table} SET location_id = $2 WHERE id = $1 AND location_id <> $2 AND _deleted_at IS NULL"  # noqa: S608
        )
        return self._wrote(self._write(sql, row_id, location)).endswith("1")

    # What goes wrong with it

    def kill_next(self, when: str) -> None:
        self.stores.die = when

    def deadlock_next(self, times: int) -> None:
        self.stores.deadlocks = times

    def hold(self, held: str | None, change: Mapping[str, Any], fresh: Fresh) -> Callable[[], None]:
        """Only new rows: a row that is locked would hold up this one thread."""

        async def begin() -> asyncpg.Connection[asyncpg.Record]:
            connection = await asyncpg.connect(self._bench.engines.database_url(self._name))
            await pool.set_codecs(connection)
            await connection.execute("BEGIN")
            await _insert(connection, fresh)
            return connection

        connection = self._held = self._run(begin())

        async def end() -> None:
            await connection.execute("COMMIT")
            await connection.close()

        def commit() -> None:
            if self._held is connection:
                self._held = None
                self._wrote(end())

        return commit

    @property
    def is_held(self) -> bool:
        return self._held is not None

    def lose(self, *, commits: int = 0, since_ms: int | None = None) -> int:
        """The tables of the last snapshot, and the command that an administrator gives after it."""
        if self._held is not None:
            connection, self._held = self._held, None
            self._run(connection.close())

        async def back() -> int:
            async with pool.transaction(self.deps.pool) as connection:
                lost = await snapshots.restore(connection)
                await feed.renew_incarnation(connection)
                return lost

        return self._wrote(back())

    def prune(self, keep: int) -> None:
        async def forget() -> None:
            async with pool.transaction(self.deps.pool) as connection:
                newest = await connection.fetchval("SELECT now() + interval '1 day'")
                await feed.forget(connection, newest)

        self._run(forget())

    def all_off(self) -> None:
        self.stores.die, self.stores.deadlocks = "", 0
        self._refresh_broken, self.too_old_until = False, 0

    def _take_snapshot(self) -> None:
        async def take() -> None:
            async with pool.transaction(self.deps.pool) as connection:
                await snapshots.take(connection)

        self._snapshot_ms = self.world.now_ms
        self._run(take())

    # What is there

    def stamp(self) -> set[str]:
        async def once() -> set[str]:
            async with pool.transaction(self.deps.pool) as connection:
                stamped = await feed.stamp(connection)
            return set(stamped.scopes) if stamped else set()

        scopes = self._run(once())
        if self.world.now_ms - self._snapshot_ms > 2 * MINUTE:
            self._take_snapshot()
        return scopes

    def locations_of(self, user_id: str) -> frozenset[str]:
        found = self._run(self._fetch("SELECT location_id FROM user_locations WHERE user_id = $1", user_id))
        return frozenset(row["location_id"] for row in found)

    def rows(self, scopes: frozenset[str]) -> dict[tuple[str, str], tuple[int, dict[str, Any]]]:
        async def read() -> dict[tuple[str, str], tuple[int, dict[str, Any]]]:
            found = {}
            async with self.deps.pool.acquire() as connection:
                for table in tables.ALL:
                    some = await rows.page(connection, table, scopes=scopes, after=None, limit=100_000)
                    for row in some:
                        found[(table.name, row[0])] = (row[1], dict(zip(table.columns, row[2:], strict=True)))
            return found

        return self._run(read())

    def is_untouched(self, table: str, row_id: str) -> bool:
        sql = f"SELECT 1 FROM {table} WHERE id = $1 AND _ver = 1 AND _deleted_at IS NULL"  # noqa: S608
        return bool(self._run(self._fetch(sql, row_id)))

    def uploads_of(self, note_id: str) -> list[str]:
        sql = "SELECT sha256 FROM uploads WHERE note_id = $1 AND done_at IS NOT NULL"
        return [row["sha256"] for row in self._run(self._fetch(sql, note_id))]

    def past(self) -> list[Version]:
        found = self._run(
            self._fetch("SELECT tbl, row_id, before, after, device FROM sim_history ORDER BY n")
        )
        return [snapshots.version(row) for row in found]


async def _insert(connection: pool.Connection, fresh: Fresh) -> None:
    for row_id, lead in fresh:
        await rows.insert(connection, tables.LEADS, row_id, lead)


def _problem(status: int, fault: errors.JorgeError) -> Answer:
    body = json.dumps(fault.as_problem()).encode()
    return Answer(status=status, headers={"content-type": "application/json"}, body=body)


def setup_of(seed: int) -> faults.Setup:
    """Short, and only with what a real server can suffer."""
    setup = faults.setup_of(seed)
    groups = tuple(group for group in setup.groups if group in GROUPS) or (GROUPS[seed % len(GROUPS)],)
    return replace(setup, groups=groups, people=min(setup.people, 30), minutes=5, phones=min(setup.phones, 3))


def on(bench: Bench) -> Callable[[World, Path], RealServer]:
    return lambda world, folder: RealServer(world, bench, folder)
