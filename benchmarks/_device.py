"""A device as the app has it (store, line, engine, socket), and what a piece of its work cost on both sides of the line."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, fields
from pathlib import Path

import httpx

from benchmarks import _line, _server
from devices import clock, secrets
from domain import ports
from services import session as services_of
from services.user import Role, User
from storage import database, outbox
from sync import client, engine, login, nudge, session
from wiring import workplace


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """Seconds and bytes, since the beginning of everything or of one piece of work.

    `up` and `down` are counted on the wire; `body_up` and `body_down` are the bodies of HTTP alone, as they travel.
    """

    wall: float
    client: float
    server: float
    postgres: float
    valkey: float
    up: int
    down: int
    body_up: int
    body_down: int
    requests: int

    def __sub__(self, before: Spent) -> Spent:
        return Spent(**{f.name: getattr(self, f.name) - getattr(before, f.name) for f in fields(Spent)})

    def __add__(self, other: Spent) -> Spent:
        return Spent(**{f.name: getattr(self, f.name) + getattr(other, f.name) for f in fields(Spent)})

    @property
    def theirs(self) -> float:
        """CPU of the whole server: our process, PostgreSQL and Valkey."""
        return self.server + self.postgres + self.valkey


@dataclass(slots=True, kw_only=True)
class Bodies:
    """What httpx sent and received, without its headers."""

    up: int = 0
    down: int = 0
    requests: int = 0

    async def asked(self, request: httpx.Request) -> None:
        self.up += int(request.headers.get("content-length", "0"))
        self.requests += 1

    async def answered(self, answer: httpx.Response) -> None:
        self.down += int(answer.headers.get("content-length", "0"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    db: database.Database
    line: client.Client
    sync: engine.Engine
    services: services_of.Services
    folder: Path
    wire: _line.Line
    bodies: Bodies
    server: _server.Server

    def spent(self) -> Spent:
        """Since the beginning of everything."""
        server, postgres, valkey = self.server.cpu()
        return Spent(
            wall=time.perf_counter(),
            client=time.process_time(),
            server=server,
            postgres=postgres,
            valkey=valkey,
            up=self.wire.up,
            down=self.wire.down,
            body_up=self.bodies.up,
            body_down=self.bodies.down,
            requests=self.bodies.requests,
        )

    async def run(self) -> Spent:
        """One run of the engine. Raises: SystemExit when it failed."""
        before = self.spent()
        status = await self.sync.run_once()
        await asyncio.sleep(0)
        if status.fault is not None:
            raise SystemExit(f"the run failed: {status.fault!r}")
        return self.spent() - before

    async def first_run(self) -> tuple[Spent, Spent]:
        """The first run: until everything is here, and what the engine does after that. Raises: SystemExit."""
        before, complete = self.spent(), list[Spent]()

        def look() -> None:
            if not complete and self.sync.status().first_complete:
                complete.append(self.spent())

        unsubscribe = self.sync.subscribe(look)
        whole = await self.run()
        unsubscribe()
        if not complete:
            raise SystemExit("the first pull did not come to its end")
        load = complete[0] - before
        return load, whole - load

    def rows(self) -> int:
        return int(self.db.value("SELECT count(*) FROM leads"))

    def waiting(self) -> int:
        return outbox.counts(self.db).pending

    def disk(self) -> int:
        """The store's bytes as they lie there: file, write-ahead log, shared memory."""
        return sum(path.stat().st_size for path in self.folder.glob("store.db*"))

    @asynccontextmanager
    async def live(self) -> AsyncIterator[None]:
        """As in the app: runs when woken, and hears the server's pokes."""
        tasks = [
            asyncio.create_task(self.sync.serve()),
            asyncio.create_task(nudge.listen(self.line, self.sync)),
        ]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


@asynccontextmanager
async def opened(
    server: _server.Server, wire: _line.Line, folder: Path, *, agent: int = 0
) -> AsyncIterator[Device]:
    """Signed in, with an empty store."""
    bodies = Bodies()
    http = client.open_http(wire.url)
    http.event_hooks = {"request": [bodies.asked], "response": [bodies.answered]}
    grant = await login.Login(http=http).login(_server.EMAIL.format(agent), _server.PASSWORD)
    time_of = clock.SystemClock()
    tokens = session.Session(secrets.FileSecrets(folder / "device.json"), time_of, grant.user_id)
    await tokens.accept(grant)
    line, db = client.Client(http, tokens), database.open_store(folder / "store.db")
    sync = engine.Engine(db, line, time_of)
    services = services_of.open_services(db, _user(grant), time_of, _lent(sync))
    device = Device(
        db=db, line=line, sync=sync, services=services, folder=folder, wire=wire, bodies=bodies, server=server
    )
    try:
        yield device
    finally:
        sync.close()
        db.close()
        await http.aclose()


def _user(grant: session.Grant) -> User:
    return User(
        id=grant.user_id,
        name=grant.name,
        email=grant.email,
        role=Role(grant.role),
        location_ids=grant.location_ids,
    )


def _lent(sync: engine.Engine) -> services_of.Ports:
    launcher: ports.Launcher = workplace.NoLauncher()
    return services_of.Ports(launcher=launcher, sync=sync)
