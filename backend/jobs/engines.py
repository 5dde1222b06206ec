"""Watches the engines out of the wheels: one that dies under a running server is started again."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from backend import embedded
from domain import errors

if TYPE_CHECKING:
    from backend.deps import Deps

logger = logging.getLogger(__name__)

PERIOD_SECONDS = 1.0


async def run(deps: Deps) -> None:
    while deps.engines is not None:
        try:
            if await asyncio.to_thread(embedded.revive, deps.engines):
                logger.warning("engines.revived")
        except errors.EngineError as fault:
            logger.error("engines.down", extra={"fault": fault.message})
        await asyncio.sleep(PERIOD_SECONDS)
