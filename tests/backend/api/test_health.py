"""/health says that the process lives, /ready that it can work."""

from __future__ import annotations

import httpx
import pytest
from redis import asyncio as redis

from backend.deps import Deps
from domain import wire

pytestmark = pytest.mark.anyio


async def test_health_tells_version_and_protocol(client: httpx.AsyncClient) -> None:
    answer = await client.get("/health")

    assert answer.json() == {"status": "ok", "version": "0.1.0", "protocol": wire.PROTOCOL}


async def test_ready_when_every_part_answers(client: httpx.AsyncClient) -> None:
    answer = await client.get("/ready")

    assert answer.json() == {
        "status": "ready",
        "database": "ok",
        "valkey": "ok",
        "migrations": "ok",
        "feed": "ok",
    }


async def test_not_ready_while_a_migration_is_missing(client: httpx.AsyncClient, deps: Deps) -> None:
    async with deps.pool.acquire() as connection:
        await connection.execute("DELETE FROM schema_migrations WHERE version = '001'")

    answer = await client.get("/ready")

    assert answer.status_code == 503
    assert answer.json()["where"] == "migrations"
    assert "001" in answer.json()["message"]


async def test_not_ready_without_the_database(client: httpx.AsyncClient, deps: Deps) -> None:
    await deps.pool.close()

    answer = await client.get("/ready")

    assert answer.status_code == 503
    assert answer.json()["where"] == "database"
    assert (await client.get("/health")).status_code == 200


async def test_not_ready_without_valkey(client: httpx.AsyncClient, deps: Deps) -> None:
    await deps.valkey.aclose()
    deps.valkey.connection_pool = redis.ConnectionPool.from_url("redis://127.0.0.1:1")

    answer = await client.get("/ready")

    assert answer.status_code == 503
    assert answer.json()["where"] == "valkey"
