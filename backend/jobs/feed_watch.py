"""Watches the feed: is every change numbered in time, and is this still the database that it was?"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from backend import faults
from backend.services import restore
from backend.storage import feed

if TYPE_CHECKING:
    from backend.deps import Deps

logger = logging.getLogger(__name__)

PERIOD_SECONDS = 5.0
LATE_SECONDS = 10.0


async def run(deps: Deps) -> None:
    watch = Watch()
    deps.gauges["feed"] = lambda: {"late": float(watch.told)}
    while True:
        try:
            await restore.notice(deps.pool)
            await watch.look(deps)
        except faults.NO_DATABASE as fault:
            logger.info("feed_watch.waits", extra={"fault": type(fault).__name__})
        await asyncio.sleep(PERIOD_SECONDS)


@dataclass(slots=True)
class Watch:
    """Since when the oldest change without a number is seen; a change's own time may be that of a long transaction."""

    oldest: int | None = None
    since: float = 0.0
    told: bool = False

    async def look(self, deps: Deps) -> None:
        """Once for each time that the numbering stands still: a warning; and a line when it goes on."""
        async with deps.pool.acquire() as connection:
            oldest = await feed.oldest_unstamped(connection)
        now = deps.clock.monotonic()
        if oldest != self.oldest:
            if self.told:
                logger.info("sequencer.goes_on", extra={"seconds": round(now - self.since, 1)})
            self.oldest, self.since, self.told = oldest, now, False
        elif oldest is not None and not self.told and now - self.since >= LATE_SECONDS:
            self.told = True
            logger.warning("sequencer.late", extra={"seconds": round(now - self.since, 1)})
