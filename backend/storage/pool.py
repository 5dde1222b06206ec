"""Connections to PostgreSQL: the pool, how values travel, and transactions."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, TypeAlias

import asyncpg
import orjson

from domain import errors

if TYPE_CHECKING:
    from asyncpg.pool import PoolConnectionProxy

    Pool: TypeAlias = asyncpg.Pool[asyncpg.Record]
    Connection: TypeAlias = asyncpg.Connection[asyncpg.Record] | PoolConnectionProxy[asyncpg.Record]
else:
    Pool = asyncpg.Pool
    Connection = asyncpg.Connection

_HINT = "Is PostgreSQL running, and is DATABASE_URL right?"


async def open_pool(url: str, *, size: int = 10) -> Pool:
    """Raises: EngineError when the database can't be reached."""
    try:
        return await asyncpg.create_pool(
            url,
            min_size=1,
            max_size=size,
            init=_prepared,
            reset=_nothing_to_reset,
            command_timeout=60,
            server_settings={"application_name": "jorge", "timezone": "UTC"},
        )
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, ValueError) as fault:
        raise errors.EngineError(
            f"The database does not answer: {fault}", where="DATABASE_URL", hint=_HINT
        ) from fault


async def _prepared(connection: Connection) -> None:
    let_copies_end(connection)
    await set_codecs(connection)


def let_copies_end(connection: Connection) -> None:
    """A COPY that waits until there is room to write would wait for ever: asyncpg does not tell it that the connection ended."""
    protocol = connection._protocol  # type: ignore[union-attr]
    connection.add_termination_listener(lambda _: protocol.resume_writing())


async def _nothing_to_reset(connection: Connection) -> None:
    """Settings and locks of ours end with their transaction (an open one asyncpg rolls back): no round trip for them."""


@asynccontextmanager
async def transaction(pool: Pool) -> AsyncIterator[Connection]:
    """One connection, one transaction: commits at the end, rolls back on any error."""
    async with pool.acquire() as connection, connection.transaction():
        yield connection


async def set_codecs(connection: Connection) -> None:
    """uuid as text, json as Python values; timestamptz is aware and numeric a Decimal by asyncpg itself."""
    await connection.set_type_codec("uuid", encoder=str, decoder=str, schema="pg_catalog", format="text")
    for name in ("json", "jsonb"):
        await connection.set_type_codec(
            name, encoder=dumped, decoder=orjson.loads, schema="pg_catalog", format="text"
        )


def dumped(value: Any) -> str:
    """JSON as PostgreSQL gets it."""
    try:
        return orjson.dumps(value).decode()
    except TypeError:  # whole numbers beyond 64 bits
        return json.dumps(value)
