"""What runs on the real thing share: PostgreSQL, one loop, and a store that can be made to die."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

from backend import embedded
from backend.services.passwords import Passwords
from backend.storage.pg_store import PgStore, PgStores
from backend.storage.store import Passing
from tests import engines as shared_engines
from tests.simulation.memory import ServerKilled

T = TypeVar("T")
PASSWORD = "correct horse battery"


@dataclass(slots=True)
class Breaking:
    """`backend.storage.store.Stores`: the request's process dies before or after its commit, or meets a deadlock."""

    inner: PgStores
    die: str = ""
    deadlocks: int = 0

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[PgStore]:
        die = ""
        async with self.inner.transaction() as store:
            yield store
            die, self.die = self.die, ""
            if self.deadlocks > 0:
                self.deadlocks -= 1
                raise Passing("deadlock")
            if die == "before":
                raise ServerKilled("before the commit")
        if die == "after":
            raise ServerKilled("after the commit")

    @asynccontextmanager
    async def read(self) -> AsyncIterator[PgStore]:
        async with self.inner.read() as store:
            yield store


class Bench:
    """Engines and one loop for all runs of a process."""

    def __init__(self) -> None:
        self._stack = AsyncExitStack()
        self._runner = asyncio.Runner()
        self.engines: embedded.Engines = self._stack.enter_context(shared_engines.shared())
        self.template = self.run(shared_engines.template(self.engines))
        self.password_hash = self.run(Passwords().hash(PASSWORD))

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self._runner.run(work)

    def close(self) -> None:
        self.run(self._stack.aclose())
        self._runner.close()
