"""A connection that stores events, in a database with two offices."""

from __future__ import annotations

from collections.abc import AsyncIterator

import asyncpg
import pytest

from backend.storage.pool import Connection
from backend.storage.warehouse import facts
from tests.backend.storage.warehouse import events


@pytest.fixture
async def owner(database_url: str) -> AsyncIterator[Connection]:
    """Of the tables' owner, in an empty warehouse with two offices."""
    connection = await asyncpg.connect(database_url, server_settings={"timezone": "UTC"})
    await events.offices(connection)
    yield connection
    await connection.close()


@pytest.fixture
async def writer(owner: Connection, database_url: str) -> AsyncIterator[Connection]:
    """What `facts.store` takes."""
    connection = await facts.connect(database_url)
    yield connection
    await connection.close()
