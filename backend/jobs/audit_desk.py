"""Hands on what this process recorded for the audit log, at once; the last of it when the server stops."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from backend import faults
from backend.services import audit

if TYPE_CHECKING:
    from backend.deps import Deps

logger = logging.getLogger(__name__)

PAUSE_SECONDS = 0.05
WAIT_SECONDS = 1.0


async def run(deps: Deps) -> None:
    try:
        await audit.unspool(deps)
        while True:
            await asyncio.sleep(PAUSE_SECONDS)
            await once(deps)
    finally:
        await audit.spool(deps)


async def once(deps: Deps) -> None:
    """While neither Valkey nor PostgreSQL can be reached, everything waits."""
    try:
        await audit.flush(deps)
    except faults.NO_DATABASE as fault:
        logger.warning("audit.waits", extra={"fault": type(fault).__name__})
        await asyncio.sleep(WAIT_SECONDS)
