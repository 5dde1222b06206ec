"""Job: closed days of facts written column by column, so that questions about a year need not read its facts."""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta
from typing import TYPE_CHECKING

import asyncpg

from backend.storage.warehouse import facts, packed

if TYPE_CHECKING:
    from backend.deps import Deps

logger = logging.getLogger(__name__)

EVERY = timedelta(minutes=5)
_NO_COLUMN = (OverflowError, asyncpg.ProgramLimitExceededError)
"""More than 32,767 values of a dimension in an office, or one too long to be named: such days are read from their facts."""


async def once(deps: Deps) -> int:
    """How many days. Writers wait while a day is written, and have as long to themselves before the next one."""
    connection = await facts.connect(deps.database_url)
    done = 0
    try:
        await connection.execute("SET ROLE jorge_etl; SET jit = off")
        for fact, day in await packed.due(connection, deps.clock.now()):
            began = deps.clock.monotonic()
            try:
                await packed.pack(connection, fact, day)
                done += 1
            except _NO_COLUMN as fault:
                logger.warning(
                    "columns.refused", extra={"fact": fact, "day": str(day), "fault": type(fault).__name__}
                )
            await asyncio.sleep(deps.clock.monotonic() - began)
    finally:
        await connection.close()
    return done
