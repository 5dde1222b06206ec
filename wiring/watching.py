"""Which boards somebody of this workplace looks at: each is followed once, and let go with its last viewer."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from sync import live

LOG = logging.getLogger(__name__)


@dataclass(slots=True)
class Watching:
    source: live.Live
    viewers: Counter[live.Board] = field(default_factory=Counter)
    tasks: dict[live.Board, asyncio.Task[None]] = field(default_factory=dict)

    def start(self, location_id: str, timeframe: str) -> Callable[[], None]:
        board = live.Board(location_id=location_id, timeframe=timeframe)
        self.viewers[board] += 1
        if board not in self.tasks:
            self.tasks[board] = asyncio.get_running_loop().create_task(self._follow(board))
        left = False

        def leave() -> None:
            nonlocal left
            if not left:
                left = True
                self._leave(board)

        return leave

    def stop(self) -> None:
        for task in self.tasks.values():
            task.cancel()
        self.tasks.clear()
        self.viewers.clear()

    def _leave(self, board: live.Board) -> None:
        self.viewers[board] -= 1
        if self.viewers[board] <= 0:
            del self.viewers[board]
            if task := self.tasks.pop(board, None):
                task.cancel()

    async def _follow(self, board: live.Board) -> None:
        try:
            await self.source.follow(board)
        except asyncio.CancelledError:
            raise
        except Exception:
            LOG.exception("live.follow_ended")
