"""Fixtures for routes that take events."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from backend.deps import Deps
from backend.services import sources
from backend.services.gohighlevel import receiving
from backend.storage.sources import Source
from domain import ids
from tests.backend.api.highlevel import KEY, STAGE, THEIRS, Crm, pem
from tests.backend.events import samples
from tests.serving import Login, MakeUser


@dataclass(frozen=True, slots=True, kw_only=True)
class Bot:
    """A program that sends events for one location."""

    client: httpx.AsyncClient
    source: Source
    key: str
    location: str

    async def send(self, *events: Any, wait: float = 0, **said: Any) -> httpx.Response:
        """`events` as an array; or give `content`."""
        content = said.pop("content", None) or samples.body(*events)
        headers = {"Content-Type": "application/json", "X-API-Key": self.key} | said.pop("headers", {})
        return await self.client.post(f"/api/events?wait={wait}", content=content, headers=headers, **said)

    def message(self, **changed: Any) -> dict[str, Any]:
        return samples.message(**{"location_id": self.location} | changed)

    def turn(self, **changed: Any) -> dict[str, Any]:
        return samples.turn(**{"location_id": self.location} | changed)

    def deal(self, **changed: Any) -> dict[str, Any]:
        return samples.deal(**{"location_id": self.location} | changed)


@pytest.fixture
async def office(make_user: MakeUser, deps: Deps) -> str:
    """The id of a location."""
    await make_user("manager", ["Rancho Cucamonga"], email="manager@brokerage.example")
    return str(await deps.pool.fetchval("SELECT id FROM locations"))


@pytest.fixture
async def elsewhere(office: str, make_user: MakeUser, deps: Deps) -> str:
    """The id of another location."""
    await make_user("agent", ["Seattle"])
    return str(await deps.pool.fetchval("SELECT id FROM locations WHERE name = 'Seattle'"))


@pytest.fixture
async def bot(client: httpx.AsyncClient, deps: Deps, office: str) -> Bot:
    source, key = await sources.create(deps, name="Lead bot", locations=[office])
    return Bot(client=client, source=source, key=key, location=office)


@pytest.fixture
async def admin(make_user: MakeUser, login: Login) -> dict[str, str]:
    """Headers of an administrator."""
    await make_user("admin", [], email="admin@brokerage.example")
    return (await login("admin@brokerage.example")).headers


@pytest.fixture
async def crm(client: httpx.AsyncClient, deps: Deps, office: str, monkeypatch: pytest.MonkeyPatch) -> Crm:
    """Its source has a table of what is whose. No sink runs beside these tests: nobody waits for it."""
    monkeypatch.setattr(receiving, "WAIT", 0)
    table = {
        "locations": {THEIRS: office},
        "stages": {STAGE: "offer"},
        "pipelines": {"VDm7": {"side": "buyer", "rate_bp": 300}},
        "calendars": {"BqTw": "showing"},
        "agents": {"YlWd": ids.new_id()},
        "public_key": pem(KEY),
    }
    source, _ = await sources.create(deps, name="CRM", locations=[office], config={"gohighlevel": table})
    return Crm(client, deps, source)
