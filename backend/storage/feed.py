"""The numbered feed: what changed after a position, for whom, and how far behind the numbering is."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import asyncpg

from domain import tables

if TYPE_CHECKING:
    from backend.storage.pool import Connection

BIGGEST_TRANSACTION = 5_000
"""A page ends on a transaction's end, unless one transaction changed more rows than this."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """The feed reaches from `floor` to `seq`; `incarnation`: which life of the database (another one = start over)."""

    seq: int
    floor: int
    incarnation: str
    secret: str = ""
    """What cursors are sealed with; never told."""
    ver_floor: int = 0
    """The version that a row's first change in this life of the database gives it at least."""

    @property
    def lineage(self) -> str:
        """Names this database and its copies, without the secret that they share."""
        return hashlib.blake2b(self.secret.encode(), digest_size=8, person=b"lineage").hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One change in the feed: where to look, not what is there."""

    seq: int
    table: str
    row_id: str
    origin: str | None
    ver: int = 1
    """The row's version after it."""
    scope_from: str | None = None
    """The location that the row was in before; None: in none, it is new or was deleted."""
    transaction: str = ""
    """Which one it was made in: neighbours of the same belong together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamped:
    """What one round of numbering did: the new head, and whose data changed."""

    count: int
    head: int
    scopes: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Life:
    """Which cluster of PostgreSQL, and which timeline of it."""

    system_id: int
    timeline: int


async def head(connection: Connection) -> Head:
    row = await connection.fetchrow("SELECT head, floor, incarnation, secret, ver_floor FROM feed_state")
    assert row is not None
    return Head(
        seq=row["head"],
        floor=row["floor"],
        incarnation=row["incarnation"],
        secret=row["secret"],
        ver_floor=row["ver_floor"],
    )


async def ver_floor(connection: Connection) -> int:
    """See Head."""
    return int(await connection.fetchval("SELECT ver_floor FROM feed_state"))


async def entries(
    connection: Connection, *, after: int, upto: int, scopes: Collection[str], limit: int
) -> list[Entry]:
    """Changes numbered after `after` and up to `upto` that touch `scopes`: `limit` or more, whole transactions."""
    found = await connection.fetch(_ENTRIES, after, upto, list(scopes), limit)
    if len(found) == limit:
        # The rest of the last transaction: its numbers follow each other without a gap.
        last = found[-1]["seq"]
        end = await connection.fetchval(_NEXT_TRANSACTION, last, found[-1]["xid"])
        found += await connection.fetch(
            _ENTRIES, last, min(upto, end - 1 if end else upto), list(scopes), BIGGEST_TRANSACTION
        )
    return [
        Entry(
            seq=row["seq"],
            table=row["tbl"],
            row_id=row["row_id"],
            origin=row["origin"],
            ver=row["ver"],
            scope_from=row["scope_from"],
            transaction=row["xid"],
        )
        for row in found
    ]


_ENTRIES = """
SELECT seq, xid::text AS xid, tbl, row_id, origin, ver, scope_from FROM change_log
 WHERE seq > $1 AND seq <= $2 AND (scope_from = ANY($3::uuid[]) OR scope_to = ANY($3::uuid[]))
 ORDER BY seq LIMIT $4
"""
_NEXT_TRANSACTION = "SELECT min(seq) FROM change_log WHERE seq > $1 AND xid::text <> $2"


async def stamp(connection: Connection) -> Stamped | None:
    """Number what is committed and unnumbered; None when another process is at it. In a transaction of its own.

    The lock on feed_state comes first, then a fresh look at the log (READ COMMITTED): two stampers can't overlap.
    One statement sees each committed transaction whole. Transactions go in the order of their last line: whoever
    wrote a row second waited for the first to commit, so its last line is the later one; row order holds.
    """
    held = await connection.fetchval("SELECT head FROM feed_state FOR UPDATE SKIP LOCKED")
    if held is None:
        return None
    done = await connection.fetchrow(_STAMP, held, timeout=_LONGEST_STAMPING)
    assert done is not None
    if done["count"]:
        await connection.execute("UPDATE feed_state SET head = $1", held + done["count"])
    return Stamped(count=done["count"], head=held + done["count"], scopes=frozenset(done["scopes"]))


_LONGEST_STAMPING = 1800.0
"""Seconds. An import of millions of rows in one transaction is numbered in one piece, or never."""
_STAMP = """
WITH lines AS MATERIALIZED (
    SELECT log_id, max(log_id) OVER (PARTITION BY xid) AS last FROM change_log WHERE seq IS NULL
), numbered AS MATERIALIZED (
    SELECT log_id, row_number() OVER (ORDER BY last, log_id) AS n FROM lines
), done AS (
    UPDATE change_log c SET seq = $1 + n FROM numbered WHERE c.log_id = numbered.log_id
    RETURNING c.scope_from, c.scope_to
)
SELECT (SELECT count(*) FROM done) AS count,
       (SELECT coalesce(array_agg(DISTINCT scope) FILTER (WHERE scope IS NOT NULL), '{}')
          FROM done, unnest(ARRAY[scope_from, scope_to]) AS scope) AS scopes
"""


async def oldest_unstamped(connection: Connection) -> int | None:
    """The log number of the oldest committed change that has no place in the feed yet."""
    found: int | None = await connection.fetchval("SELECT min(log_id) FROM change_log WHERE seq IS NULL")
    return found


async def unstamped_seconds(connection: Connection) -> float:
    """Age of the oldest committed change that has no number yet; 0 when there is none."""
    found = await connection.fetchval(
        "SELECT extract(epoch FROM clock_timestamp() - at)::float8 FROM change_log"
        " WHERE seq IS NULL ORDER BY log_id LIMIT 1"
    )
    return float(found or 0.0)


async def life(connection: Connection) -> Life | None:
    """Of the database as it runs now; None where it doesn't say (a managed one, or one in recovery)."""
    try:
        async with connection.transaction():
            row = await connection.fetchrow(
                "SELECT system_identifier, left(pg_walfile_name(pg_current_wal_lsn()), 8) AS timeline"
                " FROM pg_control_system()"
            )
    except (asyncpg.InsufficientPrivilegeError, asyncpg.ObjectNotInPrerequisiteStateError):
        return None
    assert row is not None
    return Life(system_id=row["system_identifier"], timeline=int(row["timeline"], 16))


async def locked_life(connection: Connection) -> Life | None:
    """As it was kept last; held until the transaction ends."""
    row = await connection.fetchrow("SELECT system_id, timeline FROM feed_state FOR UPDATE")
    assert row is not None
    known = row["system_id"] is not None and row["timeline"] is not None
    return Life(system_id=row["system_id"], timeline=row["timeline"]) if known else None


async def keep_life(connection: Connection, now: Life) -> None:
    await connection.execute(
        "UPDATE feed_state SET system_id = $1, timeline = $2", now.system_id, now.timeline
    )


async def renew_incarnation(connection: Connection, known: str | None = None) -> str | None:
    """The new one; None when it is not `known` any more: somebody else was first.

    Rows' versions go on above all that the former life can have given. By the time as well: the same backup may be put
    back twice, and knows nothing of the life between.
    """
    found: str | None = await connection.fetchval(_RENEW, known, VERSIONS_LOST)
    return found


VERSIONS_LOST = 1_000_000
"""More than the former life can have given one row since the point that it was set back to."""
_NEWEST = " UNION ALL ".join(f"SELECT max(_ver) AS ver FROM {table.name}" for table in tables.ALL)  # noqa: S608
_RENEW = (
    "UPDATE feed_state SET incarnation = gen_random_uuid(), ver_floor = greatest("  # noqa: S608
    f"ver_floor + $2, (SELECT max(ver) FROM ({_NEWEST}) AS newest) + $2,"
    " (extract(epoch FROM clock_timestamp()) * 1000)::bigint)"
    " WHERE incarnation = coalesce($1::uuid, incarnation) RETURNING incarnation"
)


async def forget(connection: Connection, before: datetime) -> int:
    """Drop changes older than `before`; how many. A device that was away longer loads everything anew."""
    # The lock first: nothing may be numbered between the look at the log and the new floor.
    await connection.execute("SELECT FROM feed_state FOR UPDATE")
    kept = await connection.fetchval(
        "SELECT seq FROM change_log WHERE seq IS NOT NULL AND at >= $1 ORDER BY seq LIMIT 1", before
    )
    floor = await connection.fetchval(
        "UPDATE feed_state SET floor = greatest(floor, coalesce($1 - 1, head)) RETURNING floor", kept
    )
    done = await connection.execute("DELETE FROM change_log WHERE seq <= $1", floor)
    return int(done.rpartition(" ")[2])
