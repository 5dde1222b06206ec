"""Phones, desks and a real server for flows."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from fastapi import FastAPI

from backend.deps import Deps
from backend.stream import sequencer
from domain import ids, ports
from tests.flows.phones import MakePhone, Phone, open_phone
from tests.serving import PASSWORD, MakeUser

Stamp = Callable[[], Awaitable[int]]


@pytest.fixture
def stamp(deps: Deps) -> Stamp:
    """Number what was committed (the job that does it is not running)."""

    async def run() -> int:
        return await sequencer.once(deps.pool, deps.hub)

    return run


@pytest.fixture
async def make_phone(
    app: FastAPI, make_user: MakeUser, tmp_path: Path, clock: ports.Clock
) -> AsyncIterator[MakePhone]:
    """`await make_phone(role="agent", locations=…)`; `email` = somebody who is there already; `path` = a store."""
    async with AsyncExitStack() as opened:

        async def make(
            role: str = "agent",
            locations: Sequence[str] = ("Rancho Cucamonga",),
            *,
            email: str = "",
            path: Path | None = None,
            own_clock: ports.Clock | None = None,
        ) -> Phone:
            email = email or (await make_user(role, locations)).email
            where = path or tmp_path / f"{ids.new_id()}.db"
            phone = await open_phone(app, where, email, PASSWORD, own_clock or clock)
            opened.push_async_callback(phone.line.http.aclose)
            opened.callback(lambda: phone.db.close())
            return phone

        yield make
