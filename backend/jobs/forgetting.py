"""Daily: forgets old lines of the feed, old mutation numbers and uploads that nobody goes on with."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING

from backend.services import uploads
from backend.storage import devices, feed, mutations, pool

if TYPE_CHECKING:
    from backend.deps import Deps

logger = logging.getLogger(__name__)

FEED = timedelta(days=180)
MUTATIONS = timedelta(days=400)


async def once(deps: Deps) -> None:
    now = deps.clock.now()
    async with pool.transaction(deps.pool) as connection:
        lines = await feed.forget(connection, now - FEED)
        await mutations.forget(connection, now - MUTATIONS)
        await devices.forget(connection, now - MUTATIONS)
    files = await uploads.forget_old(deps)
    if lines or files:
        logger.info("forgetting", extra={"feed": lines, "uploads": files})
