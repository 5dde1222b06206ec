"""The synced data in PostgreSQL, behind the port of store.py."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import asyncpg

from backend.storage import conflicts, digests, feed, history, kin, mutations, pool, rows
from backend.storage.behind import Behind
from backend.storage.store import Key, Passing, RefusedByStore
from domain import ids, tables, wire

_PASSING = (asyncpg.DeadlockDetectedError, asyncpg.SerializationError, asyncpg.LockNotAvailableError)
# What the content of one row can raise: classes 22 and 23, and 54 for a value that no index or function can hold. What says
# something of the server (08, 40, 42, 53, 57, 58, XX) parks nobody's work; where it says so with a 54, parking fails as well.
_REFUSED = (
    asyncpg.DataError,
    asyncpg.IntegrityConstraintViolationError,
    asyncpg.ProgramLimitExceededError,
)


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except _PASSING as fault:
        raise Passing(type(fault).__name__) from fault
    except _REFUSED as fault:
        raise RefusedByStore(type(fault).__name__) from fault


@dataclass(slots=True)
class PgStore:
    """One connection, in a transaction or for reading. Methods are described in store.py.

    What is written waits (behind.py) until something has to see it, at the latest for the end.
    """

    connection: pool.Connection
    _actor_id: str = ""
    _origin: str = ""
    _behind: Behind = field(default_factory=Behind)
    _hashes: dict[int, str] = field(default_factory=dict)

    async def flush(self) -> None:
        if self._behind.waves:
            await self._behind.flush(self.connection)

    async def claim(
        self, sender: mutations.Sender, asked: Sequence[wire.Mutation]
    ) -> dict[int, mutations.Seen]:
        self._hashes = {mutation.mid: mutation.content_hash() for mutation in asked}
        return await mutations.claim(self.connection, sender, asked)

    async def settle(self, sender: mutations.Sender, results: Sequence[wire.Result]) -> None:
        await mutations.settle(self.connection, sender, results, self._hashes)

    async def park(self, sender: mutations.Sender, mutation: wire.Mutation, result: wire.Result) -> None:
        await mutations.park(self.connection, sender, mutation, result)

    async def act_as(self, *, actor_id: str, origin: str) -> None:
        self._actor_id, self._origin = actor_id, origin

    async def lock(self, wanted: Collection[Key]) -> dict[Key, rows.Stored]:
        await self.flush()
        if self._behind.ver_floor is None:
            self._behind.ver_floor = await feed.ver_floor(self.connection)
        return await rows.lock(self.connection, wanted)

    async def insert(
        self, table: tables.Table, row_id: str, given: Mapping[str, Any], *, edit_ms: int = 0
    ) -> rows.Stored:
        return self._behind.insert(
            table, row_id, given, actor_id=self._actor_id, origin=self._origin, edit_ms=edit_ms
        )

    async def update(self, row: rows.Stored, given: Mapping[str, Any], *, edit_ms: int) -> rows.Stored:
        return self._behind.update(row, given, actor_id=self._actor_id, origin=self._origin, edit_ms=edit_ms)

    async def delete(self, row: rows.Stored, *, edit_ms: int) -> rows.Stored:
        await self._at_once()
        return await rows.delete(self.connection, row, edit_ms=edit_ms)

    async def restore(self, row: rows.Stored, given: Mapping[str, Any], *, edit_ms: int) -> rows.Stored:
        await self._at_once()
        return await rows.restore(self.connection, row, given, edit_ms=edit_ms)

    async def _at_once(self) -> None:
        await self.flush()
        await rows.act_as(self.connection, actor_id=self._actor_id, origin=self._origin)

    async def add_conflict(self, row: rows.Stored, record: conflicts.Record, *, now: datetime) -> None:
        # Without an origin: the device whose push made it must pull the record like any other.
        given = conflicts.values_of(row, record, now=now)
        self._behind.insert(tables.CONFLICTS, ids.new_id(), given, actor_id=self._actor_id, origin="")

    async def past_grants(self, user_id: str) -> Sequence[history.Span]:
        return await history.past_grants(self.connection, user_id)

    async def past_scopes(self, key: Key) -> Sequence[history.Span]:
        await self.flush()
        return await history.past_scopes(self.connection, *key)

    async def children(self, lead_id: str) -> Sequence[rows.Stored]:
        await self.flush()
        return await kin.children(self.connection, lead_id)

    async def same_contact(self, ways: Collection[str]) -> Sequence[rows.Stored]:
        await self.flush()
        return await kin.same_contact(self.connection, ways)

    async def opted_out(self, ways: Collection[str]) -> set[str]:
        return await kin.opted_out(self.connection, ways)

    async def remember_opt_outs(self, ways: Collection[str]) -> None:
        await kin.remember_opt_outs(self.connection, ways)

    async def pairs(self, lead_ids: Collection[str]) -> set[tuple[str, str]]:
        await self.flush()
        return await kin.pairs(self.connection, lead_ids)

    async def aliases(self, row_ids: Collection[str]) -> dict[str, str]:
        return await history.aliases(self.connection, row_ids)

    async def add_alias(self, old_id: str, new_id: str) -> None:
        await history.add_alias(self.connection, old_id, new_id)

    async def parked(self, sender: mutations.Sender, row_id: str) -> Sequence[wire.Mutation]:
        return await history.parked(self.connection, sender, row_id)

    async def renew_incarnation(self, known: str) -> str | None:
        return await feed.renew_incarnation(self.connection, known)

    @asynccontextmanager
    async def savepoint(self) -> AsyncIterator[None]:
        with _translated():
            await self.flush()
            try:
                async with self.connection.transaction():
                    yield
                    await self.flush()
            except BaseException:
                self._behind.forget()  # what waited belongs to what is undone
                raise

    async def head(self) -> feed.Head:
        return await feed.head(self.connection)

    async def entries(
        self, *, after: int, upto: int, scopes: Collection[str], limit: int
    ) -> Sequence[feed.Entry]:
        return await feed.entries(self.connection, after=after, upto=upto, scopes=scopes, limit=limit)

    async def page(
        self, table: tables.Table, *, scopes: Collection[str], after: tuple[str, str] | None, limit: int
    ) -> list[list[Any]]:
        return await rows.page(self.connection, table, scopes=scopes, after=after, limit=limit)

    async def visible(
        self, table: tables.Table, ids: Collection[str], *, scopes: Collection[str]
    ) -> list[list[Any]]:
        return await rows.visible(self.connection, table, ids, scopes=scopes)

    async def changed(
        self, table: tables.Table, since: Mapping[str, int], *, scopes: Collection[str]
    ) -> list[tuple[list[Any], frozenset[str]]]:
        return await rows.changed(self.connection, table, since, scopes=scopes)

    async def count(self, scopes: Collection[str]) -> int:
        return await rows.count(self.connection, scopes)

    async def due(
        self, *, agent_id: str, scopes: Collection[str], before: datetime, limit: int
    ) -> list[tuple[tables.Table, list[list[Any]]]]:
        return await rows.due(self.connection, agent_id=agent_id, scopes=scopes, before=before, limit=limit)

    async def sums(self, scopes: Collection[str]) -> dict[str, dict[str, tuple[int, int]]]:
        return await digests.sums(self.connection, scopes)

    async def range_sums(self, table: tables.Table, scope: str) -> dict[int, tuple[int, int]]:
        return await digests.range_sums(self.connection, table, scope)

    async def in_ranges(self, table: tables.Table, scope: str, ranges: Collection[int]) -> list[list[Any]]:
        return await rows.in_ranges(self.connection, table, scope, ranges)


@dataclass(frozen=True, slots=True)
class PgStores:
    """Transactions out of a pool."""

    pool: pool.Pool

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[PgStore]:
        with _translated():
            async with pool.transaction(self.pool) as connection:
                store = PgStore(connection)
                yield store
                await store.flush()

    @asynccontextmanager
    async def read(self) -> AsyncIterator[PgStore]:
        async with self.pool.acquire() as connection:
            yield PgStore(connection)
