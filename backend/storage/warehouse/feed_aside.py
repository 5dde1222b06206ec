"""Synced rows that the follower could not bring, with the reason, until they can be brought. Which and why, nothing of what they hold."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeAlias
from uuid import UUID

if TYPE_CHECKING:
    from backend.storage.pool import Connection

Row: TypeAlias = tuple[str, UUID]
"""Table and id."""

ENDED = "ended"
"""The reason of a row that connections to PostgreSQL end of."""

_NAMED = "(tbl, row_id) IN (SELECT * FROM unnest($1::text[], $2::uuid[]))"
# Tried after a minute, then after twice as long each time, an hour at most.
_PUT = """
    INSERT INTO bi_feed_aside AS a (tbl, row_id, location_id, reason, since, tried_at, again_at)
    VALUES ($1, $2, (SELECT location_id FROM {table} WHERE id = $2), $3, $4::timestamptz, $4,
            CASE WHEN $3 = '{ended}' THEN 'infinity' ELSE $4::timestamptz + interval '1 minute' END)
    ON CONFLICT (tbl, row_id) DO UPDATE
       SET location_id = excluded.location_id, reason = excluded.reason, tried_at = excluded.tried_at, tries = a.tries + 1,
           again_at = CASE WHEN excluded.again_at = 'infinity' THEN excluded.again_at
                           ELSE excluded.tried_at + least(interval '1 minute' * 2 ^ least(a.tries, 6), interval '1 hour') END"""
# Its interactions and tasks are read together with it.
_HURRY = " UNION ALL ".join(
    f"SELECT '{table}', r.id FROM {table} r WHERE r.lead_id = ANY ($2::uuid[]) AND r.id IN (SELECT row_id FROM bi_feed_aside)"  # noqa: S608 - fixed words
    for table in ("interactions", "tasks")
)


async def count(connection: Connection) -> int:
    return int(await connection.fetchval("SELECT count(*) FROM bi_feed_aside"))


async def among(connection: Connection, rows: Collection[Row]) -> set[Row]:
    """Those of `rows` that are set aside."""
    found = await connection.fetch(f"SELECT tbl, row_id FROM bi_feed_aside WHERE {_NAMED}", *_apart(rows))  # noqa: S608 - fixed words
    return {(row["tbl"], row["row_id"]) for row in found}


async def due(connection: Connection, now: datetime, *, limit: int) -> list[Row]:
    """Those to be tried again by now, the longest due first."""
    found = await connection.fetch(
        "SELECT tbl, row_id FROM bi_feed_aside WHERE again_at <= $1 ORDER BY again_at LIMIT $2", now, limit
    )
    return [(row["tbl"], row["row_id"]) for row in found]


async def put(connection: Connection, accused: Mapping[Row, str], now: datetime) -> None:
    """`accused`: row → reason."""
    for table in {table for table, _ in accused}:
        await connection.executemany(
            _PUT.format(table=table, ended=ENDED),
            [(table, row_id, reason, now) for (its, row_id), reason in accused.items() if its == table],
        )


async def take_back(connection: Connection, rows: Collection[Row]) -> None:
    """They have been brought."""
    await connection.execute(f"DELETE FROM bi_feed_aside WHERE {_NAMED}", *_apart(rows))  # noqa: S608 - fixed words


async def hurry(connection: Connection, leads: Collection[UUID], now: datetime) -> None:
    """These leads are other ones now: what was set aside and belongs to them is due, but for what ends connections."""
    await connection.execute(
        f"UPDATE bi_feed_aside SET again_at = $1 WHERE again_at < 'infinity' AND (tbl, row_id) IN ({_HURRY})",  # noqa: S608 - fixed words
        now,
        list(leads),
    )


async def neighbours(connection: Connection, row: Row, *, limit: int) -> list[Row]:
    """Other rows of its table that are not set aside."""
    table, row_id = row
    sides = " UNION ALL ".join(
        f"(SELECT id FROM {table} t WHERE id {side} $1 AND NOT EXISTS"  # noqa: S608 - a declared table
        f" (SELECT FROM bi_feed_aside a WHERE a.tbl = $2 AND a.row_id = t.id) ORDER BY id {order} LIMIT $3)"
        for side, order in ((">", "ASC"), ("<", "DESC"))
    )
    return [(table, found["id"]) for found in await connection.fetch(sides, row_id, table, limit)]


async def told(connection: Connection, *, limit: int = 100) -> Mapping[str, Any]:
    """For a page: `count`, and the newest `rows`. Without `again_at` a row is tried when it changes, and not before."""
    rows = await connection.fetch(
        """SELECT tbl AS table, row_id AS id, location_id, reason, tries, since, tried_at, nullif(again_at, 'infinity') AS again_at
             FROM bi_feed_aside ORDER BY since DESC, tbl, row_id LIMIT $1""",
        limit,
    )
    return {"count": await count(connection), "rows": [dict(row) for row in rows]}


def _apart(rows: Collection[Row]) -> tuple[list[str], list[UUID]]:
    return [table for table, _ in rows], [row_id for _, row_id in rows]
