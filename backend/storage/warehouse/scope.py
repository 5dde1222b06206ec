"""Who may see which rows of the warehouse, and transactions that see no others (row-level security, forced)."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from backend.storage.pool import Connection, Pool

ALL = -1
"""The location key under which the aggregates hold the whole brokerage."""
NO_BOT = 0
ALL_BOTS = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """The location keys a question is about, from what its asker may see; `whole`: they are all there are.

    Made by `offices.seen` from the policy's answer only, never from what a request says.
    """

    keys: tuple[int, ...]
    whole: bool = False
    role_mask: int = 0

    @property
    def places(self) -> tuple[int, ...]:
        """The keys to add up: one row of the whole where that is the same."""
        return (ALL,) if self.whole else self.keys

    @property
    def fingerprint(self) -> str:
        """Equal for those who see the same, and for nobody else: a part of every cache key and audience."""
        said = f"{'*' if self.whole else ''}{','.join(map(str, self.keys))}|{self.role_mask}"
        return hashlib.sha256(said.encode()).hexdigest()[:16]


@asynccontextmanager
async def reading(pool: Pool, scope: Scope, *, timeout_ms: int = 2_000) -> AsyncIterator[Connection]:
    """A read-only snapshot in which only `scope` exists; a statement longer than `timeout_ms` is cancelled."""
    async with (
        pool.acquire() as connection,
        connection.transaction(isolation="repeatable_read", readonly=True),
    ):
        keys = ",".join(map(str, (ALL, *scope.keys) if scope.whole else scope.keys))
        await connection.execute(
            "SELECT set_config('role', 'jorge_bi', true), set_config('app.locations', $1, true), "
            "set_config('statement_timeout', $2, true)",
            keys,
            str(timeout_ms),
        )
        yield connection


@asynccontextmanager
async def writing(pool: Pool) -> AsyncIterator[Connection]:
    """A transaction of the warehouse's writer."""
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("SELECT set_config('role', 'jorge_etl', true)")
        yield connection
