"""Numbers the feed: gives each committed change its place, then pokes whoever may see it.

Writers never wait for it, and readers read below its head only, so a change that commits late can't be passed over.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from backend import faults
from backend.storage import feed, pool

if TYPE_CHECKING:
    from backend.deps import Deps
    from backend.realtime.hub import Hub

logger = logging.getLogger(__name__)

CHANNEL = "sync"
"""The hub's channel of pokes: {"seq": n} to whoever may see what changed."""

PAUSE = 0.05
LONGEST_PAUSE = 0.25


async def run(deps: Deps) -> None:
    """The job: one per process; whoever holds the feed's row stamps, the others find nothing to do."""
    await keep_stamping(deps.pool, deps.hub)


async def keep_stamping(opened: pool.Pool, hub: Hub) -> None:
    pause = PAUSE
    while True:
        try:
            done = await once(opened, hub)
        except faults.NO_DATABASE as fault:
            logger.warning("sequencer.waits", extra={"fault": type(fault).__name__})
            done, pause = 0, LONGEST_PAUSE
        pause = PAUSE if done else min(pause * 1.2, LONGEST_PAUSE)
        if await hub.nudged(pause):
            pause = PAUSE


async def once(opened: pool.Pool, hub: Hub) -> int:
    """Stamp what is there and poke; how many changes got a number."""
    async with opened.acquire() as connection:
        if await feed.oldest_unstamped(connection) is None:
            return 0
        async with connection.transaction():
            stamped = await feed.stamp(connection)
    if stamped is None or not stamped.count:
        return 0
    await hub.publish(CHANNEL, stamped.scopes, {"seq": stamped.head}, key="seq")
    return stamped.count
