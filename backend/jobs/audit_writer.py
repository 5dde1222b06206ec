"""Reads `bi:stream:audit` and chains what it says into the audit log; an entry leaves the stream once it is committed."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

from redis import exceptions as redis_errors

from backend import faults
from backend.services import audit
from backend.stream import entries, groups

if TYPE_CHECKING:
    from backend.deps import Deps

logger = logging.getLogger(__name__)

GROUP = "audit"
READER = "writer"
"""One name for all processes: each takes up what another left; what two of them write comes once."""
BLOCK_MS = 1_000
WAIT_SECONDS = 1.0


async def run(deps: Deps) -> None:
    while True:
        try:
            await _keep_reading(deps)
        except faults.AWAY as fault:
            if isinstance(fault, redis_errors.ResponseError) and groups.lacks(fault):
                logger.info("audit.group_made_anew")
                continue
            logger.warning("audit.writer_waits", extra=faults.named(fault))
            await asyncio.sleep(WAIT_SECONDS)


async def _keep_reading(deps: Deps) -> None:
    await ready(deps)
    while await once(deps, after="0"):
        pass  # what an earlier reader did not finish
    while True:
        await once(deps, block_ms=BLOCK_MS)


async def ready(deps: Deps) -> None:
    """The group exists."""
    await groups.make(deps.valkey, entries.AUDIT, GROUP)


async def once(deps: Deps, *, after: str = ">", block_ms: int | None = None) -> int:
    """Write one batch; how many entries it had."""
    found: Any = await deps.valkey.xreadgroup(
        GROUP, READER, {entries.AUDIT: after}, count=audit.BATCH, block=block_ms
    )
    batch = [(name, fields or {}) for _, some in groups.read(found) for name, fields in some]
    if not batch:
        return 0
    await audit.written(deps, [fields.get(audit.FIELD, b"") for _, fields in batch])
    names = [name for name, _ in batch]
    async with deps.valkey.pipeline(transaction=True) as pipe:
        pipe.xack(entries.AUDIT, GROUP, *names)
        pipe.xdel(entries.AUDIT, *names)
        await pipe.execute()
    return len(batch)
