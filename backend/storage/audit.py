"""The audit log in PostgreSQL: appended to under a lock, chained by hash, never changed."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import orjson

from backend.epoch import micros
from backend.storage.pool import Connection, Pool

if TYPE_CHECKING:
    import asyncpg

COMPANY = "00000000-0000-0000-0000-000000000000"
"""The chain of what concerns several locations, or none."""
START = b"\0" * 32
"""What the first row of a chain follows."""
_COLUMNS = "chain, seq, entry_id, at, actor_id, role, session_id, action, outcome, resource, locations, detail, prev, hash"
_LINKS = f"SELECT {_COLUMNS.replace('detail', 'detail::text AS detail')} FROM audit_log"  # noqa: S608 - fixed words
"""As text, byte for byte as it was chained."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """Somebody read or did something. `detail` is canonical JSON without personal data."""

    id: str
    at: datetime
    actor_id: str | None
    role: str
    session_id: str | None
    action: str
    outcome: str
    resource: str
    locations: tuple[str, ...]
    detail: str

    @property
    def chain(self) -> str:
        return self.locations[0] if len(self.locations) == 1 else COMPANY


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """An entry in its place of its chain."""

    chain: str
    seq: int
    entry: Entry
    prev: bytes
    hash: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """How far a chain had come at a moment, signed."""

    chain: str
    seq: int
    hash: bytes
    signed_at: datetime
    mac: bytes


def hashed(prev: bytes, chain: str, seq: int, entry: Entry) -> bytes:
    """What `entry` is chained by in this place."""
    row = (
        chain,
        seq,
        entry.id,
        micros(entry.at),
        entry.actor_id,
        entry.role,
        entry.session_id,
        entry.action,
        entry.outcome,
        entry.resource,
        entry.locations,
        entry.detail,
    )
    return hashlib.sha256(prev + orjson.dumps(row)).digest()


@asynccontextmanager
async def appending(pool: Pool) -> AsyncIterator[Connection]:
    """A transaction that may add to the log and nothing else, alone with it."""
    async with pool.acquire() as connection, connection.transaction():
        await turn_to(connection)
        yield connection


async def turn_to(connection: Connection) -> None:
    """From here on this transaction may add to the log and nothing else, alone with it."""
    await connection.execute(
        "SELECT set_config('role', 'jorge_audit', true), pg_advisory_xact_lock(hashtext('audit_log'))"
    )


async def append(connection: Connection, entries: Sequence[Entry]) -> int:
    """Add those that are not there yet, in their order; how many. Inside `appending`, or after `turn_to`."""
    known = await connection.fetch(
        "SELECT entry_id FROM audit_log WHERE entry_id = ANY($1::uuid[])", [entry.id for entry in entries]
    )
    seen = {row["entry_id"] for row in known}
    ends = await ends_of(connection, {entry.chain for entry in entries})
    rows = []
    for entry in entries:
        if entry.id in seen:
            continue
        seen.add(entry.id)
        seq, prev = ends.get(entry.chain, (0, START))
        link = hashed(prev, entry.chain, seq + 1, entry)
        rows.append(_row(entry, seq + 1, prev, link))
        ends[entry.chain] = (seq + 1, link)
    await connection.executemany(
        f"INSERT INTO audit_log ({_COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12::text::json, $13, $14)",  # noqa: S608 - fixed words
        rows,
    )
    return len(rows)


async def ends_of(connection: Connection, chains: Collection[str]) -> dict[str, tuple[int, bytes]]:
    """The last place and hash of each of these chains."""
    rows = await connection.fetch(
        "SELECT c.chain, last.seq, last.hash FROM unnest($1::uuid[]) AS c (chain), LATERAL ("
        "SELECT seq, hash FROM audit_log a WHERE a.chain = c.chain ORDER BY seq DESC LIMIT 1) last",
        list(chains),
    )
    return {row["chain"]: (row["seq"], row["hash"]) for row in rows}


async def chains(connection: Connection) -> list[str]:
    """Every chain there is, by one look into the index for each."""
    rows = await connection.fetch(
        "WITH RECURSIVE found AS ("
        "(SELECT chain FROM audit_log ORDER BY chain LIMIT 1) UNION ALL "
        "SELECT (SELECT chain FROM audit_log a WHERE a.chain > found.chain ORDER BY chain LIMIT 1) "
        "FROM found WHERE found.chain IS NOT NULL) SELECT chain FROM found WHERE chain IS NOT NULL"
    )
    return [row["chain"] for row in rows]


async def links(connection: Connection) -> AsyncIterator[Link]:
    """The whole log, chain by chain; inside a transaction."""
    async for row in connection.cursor(f"{_LINKS} ORDER BY chain, seq", prefetch=2_000):
        yield _link(row)


async def page(
    connection: Connection,
    *,
    before: tuple[datetime, str] | None,
    action: str = "",
    actor_id: str | None = None,
    location_id: str | None = None,
    limit: int,
) -> list[Link]:
    """The newest first, below the place `before`."""
    rows = await connection.fetch(
        f"{_LINKS} WHERE ($1::timestamptz IS NULL OR (at, entry_id) < ($1, $2::uuid)) AND ($3 = '' OR action = $3) "
        "AND ($4::uuid IS NULL OR actor_id = $4) AND ($5::uuid IS NULL OR $5 = ANY(locations)) "
        "ORDER BY at DESC, entry_id DESC LIMIT $6",
        before[0] if before else None,
        before[1] if before else None,
        action,
        actor_id,
        location_id,
        limit,
    )
    return [_link(row) for row in rows]


async def heads(connection: Connection) -> list[Head]:
    rows = await connection.fetch("SELECT chain, seq, hash, signed_at, mac FROM audit_heads")
    return [Head(**dict(row)) for row in rows]


async def keep_heads(connection: Connection, signed: Sequence[Head]) -> None:
    await connection.executemany(
        "INSERT INTO audit_heads (chain, seq, hash, signed_at, mac) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING",
        [(head.chain, head.seq, head.hash, head.signed_at, head.mac) for head in signed],
    )


def _row(entry: Entry, seq: int, prev: bytes, link: bytes) -> tuple[object, ...]:
    return (
        entry.chain,
        seq,
        entry.id,
        entry.at,
        entry.actor_id,
        entry.role,
        entry.session_id,
        entry.action,
        entry.outcome,
        entry.resource,
        list(entry.locations),
        entry.detail,
        prev,
        link,
    )


def _link(row: asyncpg.Record) -> Link:
    named = dict(row)
    place = {name: named.pop(name) for name in ("chain", "seq", "prev", "hash")}
    entry = Entry(id=named.pop("entry_id"), locations=tuple(named.pop("locations")), **named)
    return Link(entry=entry, **place)
