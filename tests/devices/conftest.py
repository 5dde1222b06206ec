"""A Flet session with a scripted client, made afresh for each test."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from tests.devices.flet_client import ScriptedClient

Connect = Callable[..., ScriptedClient]


@pytest.fixture
async def connect() -> AsyncIterator[Connect]:
    """Call it with the client's answers; services made afterwards belong to its page."""
    clients: list[ScriptedClient] = []

    def make(answers: dict[str, Any] | None = None, *, web: bool = False) -> ScriptedClient:
        clients.append(ScriptedClient(answers or {}, web=web))
        return clients[-1]

    yield make
    for client in clients:
        client.session.close()  # type: ignore[no-untyped-call]
