"""Devices that sync with the server under test."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any

import httpx
import pytest

from backend.deps import Deps
from backend.stream import sequencer
from tests.backend.sync.devices import Device
from tests.serving import LiveServer, Login, MakeUser

MakeDevice = Callable[..., Awaitable[Device]]
Stamp = Callable[[], Awaitable[int]]


@pytest.fixture
def make_device(make_user: MakeUser, login: Login, client: httpx.AsyncClient) -> MakeDevice:
    """`await make_device(role="agent", locations=("Rancho Cucamonga",), email=…)`; `email` = one that is there already."""

    async def make(
        role: str = "agent", locations: Sequence[str] = ("Rancho Cucamonga",), *, email: str = "", **more: Any
    ) -> Device:
        if not email:
            email = (await make_user(role, locations)).email
        signed_in = await login(email)
        return Device(
            client=client,
            headers=signed_in.headers,
            user_id=signed_in.user["id"],
            locations=[place["id"] for place in signed_in.user["locations"]],
            **more,
        )

    return make


@pytest.fixture
async def phone(make_device: MakeDevice, live_server: LiveServer) -> AsyncIterator[Device]:
    """A device whose requests go over real connections."""
    made = await make_device()
    async with httpx.AsyncClient(base_url=live_server.url, timeout=30) as client:
        made.client = client
        yield made


@pytest.fixture
def stamp(deps: Deps) -> Stamp:
    """Number what was committed (the job that does it is not running)."""

    async def run() -> int:
        return await sequencer.once(deps.pool, deps.hub)

    return run
