"""Live tiles: one watcher per question however many screens show it; a frame at most once a second."""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import asyncpg

from backend.deps import Deps
from backend.services import kpis
from backend.stream import sequencer

logger = logging.getLogger(__name__)

SHORTEST_PAUSE = 1.0
LONGEST_PAUSE = 60.0
GATHER = 0.05


@dataclass(slots=True)
class Board:
    """This process's open questions, and who still looks at them."""

    deps: Deps
    channel: str = field(default_factory=lambda: f"dashboard:{uuid.uuid4().hex}")
    _viewers: Counter[str] = field(default_factory=Counter)
    _watchers: dict[str, asyncio.Task[None]] = field(default_factory=dict)

    async def snapshot(self, question: kpis.Ask) -> Mapping[str, Any]:
        """The first frame."""
        return frame(await kpis.dashboard(self.deps, question))

    def open(self, question: kpis.Ask) -> None:
        """One more viewer."""
        self._viewers[question.key] += 1
        if question.key not in self._watchers:
            self._watchers[question.key] = asyncio.create_task(self._watch(question))

    async def close(self, question: kpis.Ask) -> None:
        """One viewer less; the last one ends the watcher."""
        self._viewers[question.key] -= 1
        if self._viewers[question.key] <= 0:
            del self._viewers[question.key]
            watcher = self._watchers.pop(question.key)
            watcher.cancel()
            await asyncio.gather(watcher, return_exceptions=True)

    async def _watch(self, question: kpis.Ask) -> None:
        """After news of these locations, and once a minute (clocks run too), count once and tell all viewers."""
        with self.deps.hub.subscribe(sequencer.CHANNEL, question.locations) as news:
            while True:
                try:
                    async with asyncio.timeout(LONGEST_PAUSE):
                        await news.get()
                        await asyncio.sleep(GATHER)
                except TimeoutError:
                    logger.debug("dashboard.tick")
                await self._tell(question)
                await asyncio.sleep(SHORTEST_PAUSE - GATHER)

    async def _tell(self, question: kpis.Ask) -> None:
        try:
            payload = frame(await kpis.dashboard(self.deps, question))
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as fault:
            logger.warning("dashboard.waits", extra={"fault": type(fault).__name__})
            return
        await self.deps.hub.publish(self.channel, question.key, payload, key="tiles")


def frame(answer: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "dashboard", **answer}
