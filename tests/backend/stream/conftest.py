"""Offices, a Valkey that may die, a follower of the feed with a sink behind it, and a world whose rows change."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from random import Random

import asyncpg
import pytest

from backend.deps import Deps
from backend.stream import ingest, sink
from backend.stream.from_sync.follower import Follower
from tests.backend.storage.warehouse import events
from tests.backend.stream import mortal as mortals
from tests.backend.stream.mortal import Mortal
from tests.backend.stream.synced_world import World
from tests.serving import MakeUser


@pytest.fixture
async def follower(deps: Deps) -> AsyncIterator[Follower]:
    """With a sink behind it, as in the server."""
    jobs = [asyncio.create_task(job(deps)) for job in (sink.run, ingest.run)]
    connection = await asyncpg.connect(deps.database_url, server_settings={"timezone": "UTC"})
    following = Follower(deps=deps, connection=connection)
    yield following
    following.rest()
    await connection.close()
    for job in jobs:
        job.cancel()
    await asyncio.gather(*jobs, return_exceptions=True)


@pytest.fixture
async def world(deps: Deps, make_user: MakeUser) -> World:
    await make_user(role="manager", locations=("Rancho Cucamonga", "Seattle"))
    async with deps.pool.acquire() as connection:
        offices = [row["id"] for row in await connection.fetch("SELECT id FROM locations ORDER BY name")]
    return World(deps=deps, offices=offices, dice=Random(1))


@pytest.fixture
async def office(deps: Deps) -> None:
    async with deps.pool.acquire() as connection:
        await events.offices(connection)


@pytest.fixture
def mortal() -> Iterator[Mortal]:
    """It comes back empty."""
    with mortals.opened() as made:
        yield made
