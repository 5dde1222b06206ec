"""Who may come in when it gets crowded: so many at a time, so many waiting, the others are asked to come later."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from domain import errors


@dataclass(slots=True)
class Gate:
    """For bulk reading (first syncs, audits), so that pushes and news of everybody else go on.

    `width` at a time stays well below the pool's connections; `waiting` more stand in line for a place.
    """

    width: int = 3
    waiting: int = 12
    _places: asyncio.Semaphore = field(init=False)
    inside: int = 0
    standing: int = 0

    def __post_init__(self) -> None:
        self._places = asyncio.Semaphore(self.width)

    @asynccontextmanager
    async def passed(self) -> AsyncIterator[None]:
        """Raises: FirstSyncBusyError with the seconds after which to come again."""
        if self._places.locked() and self.standing >= self.waiting:
            raise errors.FirstSyncBusyError(
                "Many devices are loading at this moment.",
                where="server",
                hint="The app goes on by itself in a few seconds; what changed still comes at once.",
                retry_after=3.0,  # to which each device adds a wait of its own
            )
        self.standing += 1
        try:
            await self._places.acquire()
        finally:
            self.standing -= 1
        self.inside += 1
        try:
            yield
        finally:
            self.inside -= 1
            self._places.release()


def gate_for(connections: int) -> Gate:
    """As wide as leaves most of so many connections to everybody else."""
    return Gate(width=max(1, min(3, connections // 3)))
