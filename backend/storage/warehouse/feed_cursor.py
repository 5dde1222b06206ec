"""How far the warehouse has followed the feed of the synced tables: one row, moved only when everything before it is stored."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

if TYPE_CHECKING:
    from backend.storage.pool import Connection

_LOCK = 7_305_801_846
_TURN = 7_305_801_847
_HELD = "past"
TABLES = ("people", "leads", "tasks", "interactions", "deals")
"""The synced tables that the warehouse takes anything from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cursor:
    """`loading`: the table that a full load is at, `loaded` its last row that is in; None: no load is under way."""

    seq: int
    loading: str | None = None
    loaded: UUID | None = None

    @property
    def held(self) -> bool:
        """Somebody writes the past of new rows and is not done: see `hold`."""
        return self.loading == _HELD


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One line of the feed."""

    table: str
    row_id: UUID
    ver: int
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Changes in order; after them the cursor stands at `upto`."""

    changes: Sequence[Change]
    upto: int


async def claim(connection: Connection) -> bool:
    """Become the one process that follows the feed, for as long as this connection lives; False: another one does."""
    claimed: bool = await connection.fetchval("SELECT pg_try_advisory_lock($1)", _LOCK)
    return claimed


async def read(connection: Connection) -> Cursor | None:
    """None where it can't go on: it never began, the database was set back, or the feed forgot what comes next."""
    row = await connection.fetchrow(
        """SELECT c.seq, c.loading, c.loaded,
                  c.incarnation IS NOT DISTINCT FROM s.incarnation AND c.seq BETWEEN s.floor AND s.head AS goes_on
           FROM bi_feed_cursor c, feed_state s"""
    )
    if row is None or not row["goes_on"]:
        return None
    return Cursor(seq=row["seq"], loading=row["loading"], loaded=row["loaded"])


async def start_over(connection: Connection) -> Cursor:
    """Everything is loaded anew; what changes meanwhile is followed from here on."""
    seq = await connection.fetchval(
        """UPDATE bi_feed_cursor c SET incarnation = s.incarnation, seq = s.head, loading = $1, loaded = NULL, at = now()
           FROM feed_state s RETURNING c.seq""",
        TABLES[0],
    )
    return Cursor(seq=seq, loading=TABLES[0])


async def take_turn(connection: Connection) -> bool:
    """Before a step along the feed, until `end_turn`; False: somebody writes rows whose past comes with them (`hold`)."""
    taken: bool = await connection.fetchval("SELECT pg_try_advisory_lock($1)", _TURN)
    return taken


async def end_turn(connection: Connection) -> None:
    await connection.execute("SELECT pg_advisory_unlock($1)", _TURN)


async def hold(connection: Connection) -> None:
    """Nobody follows until `settle`: whoever writes these rows writes their past, which a follower would cut off.

    In the transaction that writes them; a step that is under way ends first. Outlives a crash: the writer finds it with `is_held`.
    """
    await connection.execute("SELECT pg_advisory_xact_lock($1)", _TURN)
    await connection.execute(
        """UPDATE bi_feed_cursor c SET incarnation = s.incarnation, seq = s.head, loading = $1, loaded = NULL, at = now()
           FROM feed_state s""",
        _HELD,
    )


async def is_held(connection: Connection) -> bool:
    held: bool = await connection.fetchval(
        "SELECT loading IS NOT DISTINCT FROM $1 FROM bi_feed_cursor", _HELD
    )
    return held


async def settle(connection: Connection, upto: int) -> None:
    """Everything up to there is in: the demo wrote its own past."""
    await connection.execute(
        """UPDATE bi_feed_cursor c SET incarnation = s.incarnation, seq = $1, loading = NULL, loaded = NULL, at = now()
           FROM feed_state s""",
        upto,
    )


async def save(connection: Connection, cursor: Cursor) -> None:
    await connection.execute(
        "UPDATE bi_feed_cursor SET seq = $1, loading = $2, loaded = $3, at = now()",
        cursor.seq,
        cursor.loading,
        cursor.loaded,
    )


async def page(connection: Connection, after: int, *, limit: int) -> Page:
    """What changed after `after`, at most `limit` lines."""
    head: int = await connection.fetchval("SELECT head FROM feed_state")
    if head <= after:
        return Page(changes=(), upto=after)
    rows = await connection.fetch(
        """SELECT seq, tbl, row_id, ver, at FROM change_log
           WHERE seq > $1 AND seq <= $2 AND tbl = ANY($3::text[]) ORDER BY seq LIMIT $4""",
        after,
        head,
        list(TABLES),
        limit,
    )
    changes = [Change(table=row["tbl"], row_id=row["row_id"], ver=row["ver"], at=row["at"]) for row in rows]
    return Page(changes=changes, upto=rows[-1]["seq"] if len(rows) == limit else head)


async def postpone(connection: Connection, due: Mapping[UUID, datetime]) -> None:
    """Interactions that lie ahead, and when they will have happened."""
    await connection.executemany(
        """INSERT INTO bi_feed_later (row_id, due_at) VALUES ($1, $2)
           ON CONFLICT (row_id) DO UPDATE SET due_at = excluded.due_at""",
        list(due.items()),
    )


async def postponed(connection: Connection, now: datetime) -> set[UUID]:
    """Those of them that have happened by now."""
    rows = await connection.fetch("SELECT row_id FROM bi_feed_later WHERE due_at <= $1 LIMIT 1000", now)
    return {row["row_id"] for row in rows}


async def forget_postponed(connection: Connection, ids: Collection[UUID]) -> None:
    await connection.execute("DELETE FROM bi_feed_later WHERE row_id = ANY($1::uuid[])", list(ids))
