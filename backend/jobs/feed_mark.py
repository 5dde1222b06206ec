"""Keeps the mark of how far the feed had come, and notices a database that has fallen behind it."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from backend import faults
from backend.services import restore

if TYPE_CHECKING:
    from backend.deps import Deps

logger = logging.getLogger(__name__)

PERIOD_SECONDS = 1.0


async def run(deps: Deps) -> None:
    while True:
        await asyncio.sleep(PERIOD_SECONDS)
        await once(deps)


async def once(deps: Deps) -> None:
    """Also before the first request of a start: what is written after a restore would hide it."""
    try:
        await restore.compare(deps.pool, deps.settings.server_dir / "feed.mark")
    except faults.NO_DATABASE as fault:
        logger.info("feed_mark.waits", extra={"fault": type(fault).__name__})
