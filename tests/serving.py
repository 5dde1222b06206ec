"""Fixtures with a real server: PostgreSQL, Valkey, the application, users. For every test that needs one.

tests/conftest.py makes them known to every test; nothing starts before a test asks for one by name.

| fixture           | is                                                                                        |
|-------------------|-------------------------------------------------------------------------------------------|
| `engines`         | (session) PostgreSQL 18 and Valkey 9 shared by all workers; fsync off                       |
| `server_settings` | settings with a database of the test's own (migrated, empty), a Valkey number of its own    |
| `deps`            | `backend.deps.Deps`, open: pool, valkey, clock …; `deps.channel_prefix` is the test's own   |
| `app`             | `create_app(deps)`                                                                         |
| `client`          | httpx.AsyncClient on `app` (from 127.0.0.1; background jobs do not run)                     |
| `make_user`       | `await make_user(role="agent", locations=("Rancho Cucamonga",), email=…)` → `users.User`    |
| `login`           | `await login(email)` → `SignedIn` with `.headers`, `.access_token`, `.refresh_token`, `.user` |
| `live_server`     | uvicorn on a free loopback port in this loop, jobs running: `.url`, `.ws_url`,              |
|                   | `await .stop()`, `await .start()` (same port, same data)                                   |

All are per test but `engines`. Tests that use them are async: `pytestmark = pytest.mark.anyio`. Override
`server_settings` or `clock` in a module to change them. A password is `PASSWORD` unless you give another.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from redis import asyncio as redis

from backend import app as application
from backend import deps as parts
from backend import embedded, server
from backend.actor import Role
from backend.clock import SystemClock
from backend.deps import Deps
from backend.services import users as user_service
from backend.settings import Settings
from backend.storage import pool, users
from domain import ports
from tests import engines as shared_engines

PASSWORD = "correct horse battery"
_VALKEY_NUMBERS = 4095


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedIn:
    """What /api/auth/login answered."""

    answer: dict[str, Any]

    @property
    def access_token(self) -> str:
        return str(self.answer["access_token"])

    @property
    def refresh_token(self) -> str:
        return str(self.answer["refresh_token"])

    @property
    def user(self) -> dict[str, Any]:
        return dict(self.answer["user"])

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.access_token}"}


@dataclass(slots=True, kw_only=True)
class LiveServer:
    """A real server in the test's own loop."""

    app: FastAPI
    port: int = 0
    _stop: asyncio.Event = field(default_factory=asyncio.Event)
    _serving: asyncio.Task[None] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def ws_url(self) -> str:
        return f"ws://127.0.0.1:{self.port}"

    async def start(self) -> None:
        listening = server.listen("127.0.0.1", self.port)
        self.port = listening.getsockname()[1]
        self._stop = asyncio.Event()
        self._serving = asyncio.create_task(server.serve(self.app, listening, self._stop))
        async with httpx.AsyncClient() as probe:
            await probe.get(f"{self.url}/health")

    async def stop(self) -> None:
        self._stop.set()
        if self._serving is not None:
            await self._serving
            self._serving = None


MakeUser = Callable[..., Awaitable[users.User]]
Login = Callable[..., Awaitable[SignedIn]]


@pytest.fixture(scope="session")
def engines() -> Iterator[embedded.Engines]:
    with shared_engines.shared() as running:
        yield running


@pytest.fixture(scope="session")
def database_template(engines: embedded.Engines) -> str:
    with asyncio.Runner() as runner:
        return runner.run(shared_engines.template(engines))


@pytest.fixture
async def database_url(engines: embedded.Engines, database_template: str) -> AsyncIterator[str]:
    name = f"test_{uuid.uuid4().hex}"
    await shared_engines.copy(engines, database_template, name)
    yield engines.database_url(name)
    await shared_engines.drop(engines, name)


@pytest.fixture
async def redis_url(engines: embedded.Engines) -> AsyncIterator[str]:
    counting = redis.Redis.from_url(engines.redis_url(0))
    number = await counting.incr("tests:valkey_number") % _VALKEY_NUMBERS + 1
    await counting.aclose()
    own = redis.Redis.from_url(engines.redis_url(number))
    await own.flushdb()
    yield engines.redis_url(number)
    await own.flushdb()
    await own.aclose()


@pytest.fixture
def server_settings(database_url: str, redis_url: str, tmp_path: Path) -> Settings:
    return Settings.model_validate(
        {"database_url": database_url, "redis_url": redis_url, "data_dir": tmp_path / "data", "port": 0}
    )


@pytest.fixture
def clock() -> ports.Clock:
    return SystemClock()


@pytest.fixture
async def deps(server_settings: Settings, clock: ports.Clock) -> AsyncIterator[Deps]:
    async with parts.open_deps(server_settings, clock=clock, channel_prefix=uuid.uuid4().hex + ":") as opened:
        yield opened


@pytest.fixture
def app(deps: Deps) -> FastAPI:
    return application.create_app(deps)


@pytest.fixture
async def client(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://jorge.test") as opened:
        yield opened


@pytest.fixture
def make_user(deps: Deps) -> MakeUser:
    async def make(
        role: str = "agent",
        locations: Sequence[str] = ("Rancho Cucamonga",),
        *,
        email: str | None = None,
        password: str = PASSWORD,
        demo: bool = False,
    ) -> users.User:
        async with pool.transaction(deps.pool) as connection:
            for name in locations:
                await user_service.ensure_location(
                    connection, name=name, state="CA", zone="America/Los_Angeles", demo=demo
                )
        email = email or f"{role}-{uuid.uuid4().hex[:8]}@brokerage.example"
        return await user_service.create(
            deps,
            email=email,
            name=email.partition("@")[0],
            role=Role(role),
            password=password,
            locations=locations,
            demo=demo,
        )

    return make


@pytest.fixture
def login(client: httpx.AsyncClient) -> Login:
    async def sign_in(email: str, password: str = PASSWORD, *, device_id: str = "") -> SignedIn:
        form = {"username": email, "password": password, "device_id": device_id}
        answer = await client.post("/api/auth/login", data=form)
        assert answer.status_code == 200, answer.text
        return SignedIn(answer=answer.json())

    return sign_in


@pytest.fixture
async def live_server(app: FastAPI) -> AsyncIterator[LiveServer]:
    running = LiveServer(app=app)
    await running.start()
    yield running
    await running.stop()
