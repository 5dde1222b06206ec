"""The table in which earlier releases kept what bots reported; it goes when its rows are facts."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING
from uuid import UUID

if TYPE_CHECKING:
    import asyncpg

    from backend.storage.pool import Connection


async def is_there(connection: Connection) -> bool:
    there: bool = await connection.fetchval("SELECT to_regclass('bot_events_legacy') IS NOT NULL")
    return there


async def some(connection: Connection, limit: int) -> Sequence[asyncpg.Record]:
    return await connection.fetch("SELECT * FROM bot_events_legacy ORDER BY id LIMIT $1", limit)


async def remove(connection: Connection, ids: Collection[UUID]) -> None:
    await connection.execute("DELETE FROM bot_events_legacy WHERE id = ANY($1::uuid[])", list(ids))


async def drop(connection: Connection) -> None:
    await connection.execute("DROP TABLE bot_events_legacy")
