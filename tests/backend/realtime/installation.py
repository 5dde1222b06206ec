"""What is behind the live channels: servers of one installation, offices, leads that change."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator

from websockets.asyncio.client import ClientConnection

from backend import app as application
from backend import deps as parts
from backend.deps import Deps
from backend.settings import Settings
from tests.backend.realtime.talking import heard, opened
from tests.serving import LiveServer, SignedIn


@contextlib.asynccontextmanager
async def another_server(settings: Settings, deps: Deps) -> AsyncIterator[LiveServer]:
    """One more process of the same installation."""
    async with parts.open_deps(settings, channel_prefix=deps.channel_prefix) as opened_parts:
        running = LiveServer(app=application.create_app(opened_parts))
        await running.start()
        try:
            yield running
        finally:
            await running.stop()


@contextlib.asynccontextmanager
async def two_screens(
    near: LiveServer, far: LiveServer, person: SignedIn
) -> AsyncIterator[list[ClientConnection]]:
    """The same dashboard, at two servers; both have their snapshot."""
    async with (
        opened(near, "/ws/dashboard/all", person.headers) as one,
        opened(far, "/ws/dashboard/all", person.headers) as other,
    ):
        for socket in (one, other):
            await heard(socket)
        yield [one, other]


async def add_hot_lead(deps: Deps, place: str, name: str = "A") -> None:
    async with deps.pool.acquire() as connection:
        await connection.execute(
            "INSERT INTO leads (id, location_id, kind, name, stage, temperature, score, last_touch_at)"
            " VALUES (gen_random_uuid(), $1, 'seller', $2, 'new', 'hot', 90, now())",
            place,
            name,
        )


def place_of(person: SignedIn) -> str:
    return str(person.user["locations"][0]["id"])


async def key_of(deps: Deps, place: str) -> int:
    async with deps.pool.acquire() as connection:
        return int(
            await connection.fetchval("SELECT location_key FROM dim_location WHERE location_id = $1", place)
        )
