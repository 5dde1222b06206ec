"""A push of three changes and a pull of two pages, cut at every byte, up and down, over real HTTP.

The device, the server (uvicorn on PostgreSQL) and the line between them share one loop. Each case: a fresh copy of the
device's file, one run on a line that ends after exactly so many bytes, one run on a good line; then both sides must be
equal, with nothing twice.
"""

from __future__ import annotations

import shutil
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from backend.deps import Deps
from backend.stream import sequencer
from devices.clock import SystemClock
from domain import errors, ids
from storage import cursor, database, edits
from sync import client, engine, session
from sync.status import SyncStatus
from tests import fakes
from tests.proxy import Proxy
from tests.serving import PASSWORD, LiveServer, MakeUser

pytestmark = pytest.mark.anyio

SLACK = 8
"""A request is a few bytes longer or shorter than the last one: ids and times differ, and compress differently."""
SHARES = 8
"""As many tests, for as many workers: each takes every eighth byte."""
PAGE = 3
NEWS = 6
TABLES = ("leads", "tasks")


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstRun:
    """Its bytes, and whether the device met the end of the line: in an answer, or between two, when it takes another one."""

    up: int
    down: int
    cut: bool


@dataclass(slots=True, kw_only=True)
class Bench:
    """`template`: the file of a device that has synced; since then the server has news for it."""

    deps: Deps
    net: Proxy
    template: Path
    work: Path
    tokens: session.Session
    http: httpx.AsyncClient
    location: str
    news: dict[str, str]
    tls: ssl.SSLContext

    async def case(self, *, up: int | None = None, down: int | None = None) -> FirstRun:
        """One device's story."""
        path = self.work / "device.db"
        for old in self.work.glob("device.db*"):
            old.unlink()
        shutil.copyfile(self.template, path)
        db = database.open_store(path)
        try:
            made = self.three_changes(db)
            before = self.net.bytes_up, self.net.bytes_down, self.net.connections
            stands = [stand(db)]
            self.net.cut_next(up=up, down=down)
            status = await self.run(db)
            used = FirstRun(
                up=self.net.bytes_up - before[0],
                down=self.net.bytes_down - before[1],
                cut=isinstance(status.fault, errors.UnreachableError) or self.net.connections > before[2] + 1,
            )
            self.net.cut_next()
            stands.append(stand(db))
            await self.run(db)
            stands.append(stand(db))
            self.check_device(db, made, stands)
            await self.check_server(db, made)
            return used
        finally:
            db.close()

    def three_changes(self, db: database.Database) -> tuple[str, str]:
        """A lead, a second thought about it, and a task: under a device's name that the server never heard."""
        lead_id, task_id = ids.new_id(), ids.new_id()
        with db.write_tx() as tx:
            cursor.new_device(tx)
        now = SystemClock().now()
        lead = {"location_id": self.location, "kind": "seller", "name": "Ann Lee", "stage": "new"}
        task = {"location_id": self.location, "kind": "call", "title": "Call Ann", "lead_id": lead_id}
        with db.write_tx() as tx:
            edits.start(tx, now).put("leads", lead_id, lead)
        with db.write_tx() as tx:
            edits.start(tx, now).patch("leads", lead_id, {"name": "Ana Lee"})
        with db.write_tx() as tx:
            edits.start(tx, now).put("tasks", task_id, task)
        return lead_id, task_id

    async def run(self, db: database.Database) -> SyncStatus:
        """One run of the engine on a connection of its own, with pages as small as the news needs."""
        line = client.Client(self.http, self.tokens)
        sync = engine.Engine(db, line, SystemClock())
        sync._machine.pace.page = PAGE
        sync._machine.pace.compared = True  # this is of pushes and pages alone
        status = await sync.run_once()
        sync.close()
        await self.hang_up()
        return status

    async def hang_up(self) -> None:
        """The next run has a connection of its own."""
        await self.http.aclose()
        self.http = open_line(self.net.url, self.tls)

    def check_device(self, db: database.Database, made: tuple[str, str], stands: list[Stand]) -> None:
        lead_id, task_id = made
        found = {row["id"]: (row["name"], row["_ver"]) for row in db.rows("SELECT id, name, _ver FROM leads")}
        assert found == {lead_id: ("Ana Lee", 2), **{key: (name, 2) for key, name in self.news.items()}}
        assert [tuple(row) for row in db.rows("SELECT id, _ver FROM tasks")] == [(task_id, 1)]
        assert [row["state"] for row in db.rows("SELECT state FROM outbox")] == ["acked"] * 3
        before, after_cut, end = stands
        assert before.held <= after_cut.held <= end.held == NEWS
        assert (after_cut.held == before.held) == (
            after_cut.cursor == before.cursor
        )  # rows and cursor: together
        assert end.cursor != before.cursor

    async def check_server(self, db: database.Database, made: tuple[str, str]) -> None:
        """Each change once; then the case leaves no trace."""
        device = cursor.device(db)
        async with self.deps.pool.acquire() as connection, connection.transaction():
            versions = [
                await connection.fetchval(f"SELECT _ver FROM {table} WHERE id = $1", row_id)  # noqa: S608
                for table, row_id in zip(TABLES, made, strict=True)
            ]
            applied = await connection.fetchval(
                "SELECT count(*) FROM applied_mutations WHERE device_id = $1", device.id
            )
            assert (versions, applied) == ([2, 1], 3)
            await connection.execute("SET LOCAL session_replication_role = replica")
            for table in TABLES:
                await connection.execute(f"DELETE FROM {table} WHERE id = ANY($1::uuid[])", list(made))  # noqa: S608
            await connection.execute("DELETE FROM change_log WHERE row_id = ANY($1::uuid[])", list(made))
            await connection.execute("DELETE FROM applied_mutations")
            await connection.execute("DELETE FROM devices")


@dataclass(frozen=True, slots=True, order=True)
class Stand:
    """How far a device has read: rows of the news, and the cursor that belongs to them."""

    held: int
    cursor: str


def stand(db: database.Database) -> Stand:
    return Stand(
        held=db.value("SELECT count(*) FROM leads WHERE name LIKE 'Bea %'"), cursor=cursor.place(db).cursor
    )


def open_line(url: str, tls: ssl.SSLContext) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=url, timeout=10, trust_env=False, verify=tls)


@pytest.fixture(scope="module")
def anyio_backend() -> tuple[str, dict[str, bool]]:
    """Thousands of requests: uvloop needs a quarter less for each."""
    return "asyncio", {"use_uvloop": True}


@pytest.fixture
async def bench(
    make_user: MakeUser, deps: Deps, live_server: LiveServer, tmp_path: Path
) -> AsyncIterator[Bench]:
    """A device that has synced, and six leads that the server got since then: they come in two pages."""
    email = (await make_user()).email
    async with Proxy("127.0.0.1", live_server.port) as net:
        tls = ssl.create_default_context()
        http = open_line(net.url, tls)
        form = {"username": email, "password": PASSWORD}
        grant = session.grant_of((await http.post("/api/auth/login", data=form)).json())
        tokens = session.Session(fakes.FakeSecrets(), SystemClock(), grant.user_id)
        await tokens.accept(grant)
        template = tmp_path / "template.db"
        db = database.open_store(template)
        await engine.Engine(db, client.Client(http, tokens), SystemClock()).run_once()
        db.close()
        location = grant.location_ids[0]
        news = {ids.new_id(): f"Bea {number}" for number in range(NEWS)}
        for lead_id, name in news.items():  # each a transaction of its own, so that a page may end after any
            await deps.pool.execute(
                "INSERT INTO leads (id, location_id, kind, name, stage) VALUES ($1, $2, 'seller', '', 'new')",
                lead_id,
                location,
            )
            await deps.pool.execute("UPDATE leads SET name = $2 WHERE id = $1", lead_id, name)
        await sequencer.once(deps.pool, deps.hub)
        yield Bench(
            deps=deps,
            net=net,
            template=template,
            work=tmp_path,
            tokens=tokens,
            http=http,
            location=location,
            news=news,
            tls=tls,
        )


@pytest.mark.parametrize("way", ["up", "down"])
@pytest.mark.parametrize("share", range(SHARES))
async def test_a_line_that_ends_at_any_byte_costs_nothing_but_a_second_run(
    bench: Bench, share: int, way: str
) -> None:
    good = await bench.case()
    assert not good.cut
    whole = good.up if way == "up" else good.down
    for most in range(share, whole + SLACK, SHARES):
        try:
            first = await bench.case(**{way: most})
            assert first.cut or most > whole - SLACK
        except AssertionError as fault:
            raise AssertionError(f"cut after {most} of {whole} bytes {way}") from fault
