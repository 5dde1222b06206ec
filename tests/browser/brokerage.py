"""A whole brokerage for browser tests: the real server and app processes, a network to cut, people and their leads."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sqlite3
import subprocess
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
from playwright.async_api import Browser

from backend.actor import Role
from backend.clock import SystemClock
from backend.deps import Deps
from backend.services import users
from backend.storage import pool
from domain import ids, tables, values, wire
from storage import database, edits
from sync import client, engine, login, session
from tests import fakes
from tests.browser import harness
from tests.proxy import Proxy

PASSWORD = "correct horse battery"
SEATTLE = (47.61, -122.33)


@dataclass(slots=True, kw_only=True)
class Server:
    """`python -m backend serve` as a process of its own; it can be stopped and started again."""

    environment: Mapping[str, str]
    log: Path
    port: int = field(default_factory=harness.free_port)
    _process: asyncio.subprocess.Process | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def start(self) -> None:
        with self.log.open("ab") as output:
            self._process = await asyncio.create_subprocess_exec(
                *harness.python("-m", "backend", "serve"),
                cwd=harness.ROOT,
                env={**os.environ, **self.environment, "JORGE_SERVER_PORT": str(self.port)},
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        async with httpx.AsyncClient() as probe:
            await until(lambda: self._answers(probe), seconds=60)

    async def stop(self) -> None:
        process, self._process = self._process, None
        if process is None or process.returncode is not None:
            return
        process.send_signal(signal.SIGTERM)
        await asyncio.wait_for(process.wait(), 30)

    async def _answers(self, probe: httpx.AsyncClient) -> bool:
        assert self._process is not None
        assert self._process.returncode is None, self.log.read_text(errors="replace")[-4000:]
        try:
            return (await probe.get(f"{self.url}/ready")).status_code == 200
        except httpx.HTTPError:
            return False


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """One app process (`main.py --web`): its address, its data folder, its line to the server."""

    base: str
    data: Path
    net: Proxy

    def store(self, person: Person) -> Path:
        return self.data / "users" / person.id / "store.db"

    def ask(self, person: Person, sql: str) -> list[sqlite3.Row]:
        """Looks into a person's store on this device."""
        with contextlib.closing(
            sqlite3.connect(f"file:{self.store(person)}?mode=ro", uri=True, timeout=10)
        ) as db:
            db.row_factory = sqlite3.Row
            return db.execute(sql).fetchall()

    def unsent(self, person: Person) -> int:
        """Changes and recordings that only this device has."""
        waiting = self.ask(person, "SELECT count(*) AS n FROM outbox WHERE state <> 'acked'")
        sounds = self.ask(person, "SELECT count(*) AS n FROM blobs WHERE state <> 'sent'")
        return int(waiting[0]["n"]) + int(sounds[0]["n"])

    def rows(self, person: Person) -> dict[str, int]:
        """Synced rows by table on this device."""
        return {
            table.name: int(self.ask(person, f"SELECT count(*) AS n FROM {table.name}")[0]["n"])  # noqa: S608
            for table in tables.ALL
        }


@asynccontextmanager
async def site(server_port: int, data: Path) -> AsyncIterator[Site]:
    """An app process on an empty data folder, with a network of its own."""
    port = harness.free_port()
    async with Proxy("127.0.0.1", server_port) as net:
        told = {"JORGE_DATA_DIR": str(data), "JORGE_APP_PORT": str(port), "JORGE_SERVER_URL": net.url}
        command = harness.python("main.py", "--web")
        async with harness.app_process(command, port=port, env=told) as base:
            yield Site(base=base, data=data, net=net)


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    id: str
    name: str
    email: str
    password: str = PASSWORD


@dataclass(frozen=True, slots=True, kw_only=True)
class Office:
    """A location with its people, and its leads by name."""

    id: str
    name: str
    agent: Person
    manager: Person
    leads: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Brokerage:
    """All that runs. `field` is the app on agents' phones, `desk` the managers'; each has a network of its own."""

    server: Server
    deps: Deps
    field: Site
    desk: Site
    running: Browser
    scratch: Path

    @asynccontextmanager
    async def closed(self) -> AsyncIterator[None]:
        """The server is stopped, and started again at the end."""
        await self.server.stop()
        try:
            yield
        finally:
            await self.server.start()

    async def office(self, leads: Sequence[Mapping[str, Any]] = ()) -> Office:
        """A new location that nobody else has: agent, manager, and the leads, entered on the agent's other device."""
        name = f"Office {uuid.uuid4().hex[:6]}"
        async with pool.transaction(self.deps.pool) as connection:
            place = await users.ensure_location(
                connection, name=name, state="WA", zone="America/Los_Angeles", demo=False
            )
        agent = await self.person(Role.AGENT, name)
        manager = await self.person(Role.MANAGER, name)
        made = await self._enter(agent, place.id, leads)
        return Office(id=place.id, name=name, agent=agent, manager=manager, leads=made)

    async def person(self, role: Role, location: str) -> Person:
        tag = uuid.uuid4().hex[:6]
        made = await users.create(
            self.deps,
            email=f"{role}-{tag}@brokerage.example",
            name=f"{role.capitalize()} {tag}",
            role=role,
            password=PASSWORD,
            locations=[location],
        )
        return Person(id=made.id, name=made.name, email=made.email)

    async def _enter(
        self, agent: Person, location_id: str, leads: Sequence[Mapping[str, Any]]
    ) -> dict[str, str]:
        """By a real device of the agent: its store, its engine, the server's push."""
        clock = SystemClock()
        async with client.open_http(self.server.url) as http:
            tokens = session.Session(fakes.FakeSecrets(), clock, agent.id)
            await tokens.accept(await login.Login(http=http).login(agent.email, agent.password))
            db = database.open_store(self.scratch / f"{uuid.uuid4().hex}.db")
            with contextlib.closing(db):
                made = {str(one["name"]): ids.new_id() for one in leads}
                for start in range(0, len(leads), wire.MAX_MUTATIONS):
                    with db.write_tx() as tx:
                        edit = edits.start(tx, clock.now())
                        for one in leads[start : start + wire.MAX_MUTATIONS]:
                            row = {**_lead(), "location_id": location_id, "agent_id": agent.id, **one}
                            edit.put("leads", made[str(one["name"])], row)
                status = await engine.Engine(db, client.Client(http, tokens), clock).run_once()
                assert status.fault is None, status.error
        return made

    async def rows(self, office: Office) -> dict[str, int]:
        """The server's rows of this location, by table."""
        async with self.deps.pool.acquire() as connection:
            return {
                table.name: await connection.fetchval(
                    f"SELECT count(*) FROM {table.name} WHERE location_id = $1 AND _deleted_at IS NULL",  # noqa: S608
                    office.id,
                )
                for table in tables.ALL
            }

    @asynccontextmanager
    async def phone(self, person: Person | None = None, **more: Any) -> AsyncIterator[harness.Window]:
        """A phone's browser on the field's app; signed in as `person`."""
        async with harness.window(self.running, self.field.base, size=harness.PHONE, **more) as window:
            if person is not None:
                await sign_in(window, person)
            yield window
            assert window.outside == []
            assert window.faults == []

    @asynccontextmanager
    async def desktop(
        self, person: Person, route: str = "/", site: Site | None = None, **more: Any
    ) -> AsyncIterator[harness.Window]:
        base = (site or self.desk).base
        async with harness.window(self.running, base, size=harness.DESKTOP, **more) as window:
            await sign_in(window, person, route)
            yield window
            assert window.outside == []
            assert window.faults == []


def _lead() -> dict[str, Any]:
    now = datetime.now(UTC)
    return {
        "kind": "seller",
        "stage": "contacted",
        "city": "Seattle",
        "state": "WA",
        "zip": "98101",
        "lat": SEATTLE[0],
        "lon": SEATTLE[1],
        "source": "website",
        "last_inbound_at": values.time_text(now - timedelta(hours=1)),
    }


async def sign_in(window: harness.Window, person: Person, route: str = "/") -> None:
    """Opens the app and signs in; the address that was asked for opens after it."""
    await window.open(route)
    await type_sign_in(window, person.email, person.password)
    await window.marked("sign-in").wait_for(state="detached", timeout=30000)


async def type_sign_in(window: harness.Window, email: str, password: str) -> None:
    await window.fill("E-mail", email)
    await window.fill("Password", password)
    await window.tap_marked("sign-in")


async def until(
    true: Callable[[], bool] | Callable[[], Awaitable[bool]], *, seconds: float = 20.0, what: str = ""
) -> float:
    """Looks until it is so; the seconds it took."""
    begun = time.monotonic()
    while True:
        found = true()
        if await found if isinstance(found, Awaitable) else found:
            return time.monotonic() - begun
        assert time.monotonic() - begun < seconds, f"not within {seconds:.0f} s: {what or true}"
        await asyncio.sleep(0.05)
