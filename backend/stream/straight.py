"""Straight into the facts, past the streams: for the time Valkey is away."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from backend import faults
from backend.cache import versions
from backend.events import Event
from backend.storage.warehouse import facts, touched
from backend.stream import entries, keeping, sink

if TYPE_CHECKING:
    from backend.deps import Deps
    from backend.storage.pool import Connection

logger = logging.getLogger(__name__)

ENTRY = "straight"
"""What stands for the entry's id of events that were in none."""
_LOST = (*faults.NO_DATABASE, asyncio.CancelledError)


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """An event that the facts did not take."""

    event: Event
    reason: str
    message: str


@dataclass(slots=True)
class Road:
    """One connection of its own, opened when it is needed; one batch at a time."""

    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    _connection: Connection | None = None
    _untold: set[str] = field(default_factory=set)
    _doubted: list[Event] = field(default_factory=list)
    """Whose connection ended, or whose sender gave up, before it was said that they are stored."""

    async def store(self, deps: Deps, events: Sequence[Event], source_key: int | None) -> Sequence[Refusal]:
        """Those that were not taken. Raises: what asyncpg raises without PostgreSQL."""
        now = deps.clock.now()
        batch = [
            facts.Arrived(event=event, source_key=source_key, received_at=now, entry=ENTRY)
            for event in events
        ]
        async with self._turn:
            if self._connection is None or self._connection.is_closed():
                self._connection = await facts.connect(deps.database_url)
            try:
                parts = await sink.stored(
                    self._connection, batch, months_kept=deps.settings.bi_retention_months
                )
            except _LOST:
                self._doubted += events
                self.close()
                raise
        self._untold.update(*(part.tags for part in parts))
        return [
            Refusal(event=one.arrived.event, reason=one.reason, message=one.message)
            for part in parts
            for one in part.rejected
        ]

    async def tell(self, deps: Deps) -> None:
        """Valkey is back: say what changed meanwhile, so that no cache goes on with what it had, and no window without it.

        Raises: what redis raises; then it is still to be told.
        """
        await self._look_again(deps)
        while self._untold:
            tags = sorted(self._untold)
            async with deps.valkey.pipeline(transaction=True) as pipe:
                versions.ask(pipe, deps.channel(entries.TOUCHED), tags)
                pipe.sadd(keeping.FLUSH, keeping.ANEW)
                await pipe.execute()
            self._untold.difference_update(tags)

    async def _look_again(self, deps: Deps) -> None:
        """Whatever is doubted may have been stored; without PostgreSQL the next time."""
        if not self._doubted:
            return
        some = tuple(self._doubted)
        try:
            connection = await facts.connect(deps.database_url)
            try:
                await connection.execute("SET ROLE jorge_etl")
                self._untold |= await touched.by(connection, some)
            finally:
                connection.terminate()
        except faults.NO_DATABASE as fault:
            logger.info("straight.doubts", extra=faults.named(fault))
            return
        del self._doubted[: len(some)]

    def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.terminate()
