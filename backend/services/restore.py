"""Has the database been set back? Then devices may hold what it lost: a new incarnation makes them compare and send again."""

from __future__ import annotations

import logging

from backend.storage import feed, pool

logger = logging.getLogger(__name__)


async def notice(opened: pool.Pool) -> bool:
    """Renew the incarnation if this is another database cluster, or another timeline of it, than at the last look.

    PostgreSQL begins a timeline with each promotion and each point-in-time recovery, and a dump that is loaded elsewhere
    meets another cluster. A copy of the data folder put back looks like nothing happened, until a device comes that is ahead
    of it (pull.py) or somebody says so: `renew`.
    """
    async with pool.transaction(opened) as connection:
        before = await feed.locked_life(connection)
        now = await feed.life(connection)
        if now is None or now == before:
            return False
        await feed.keep_life(connection, now)
        if before is None:
            return False
        await feed.renew_incarnation(connection)
    logger.warning("feed.restored", extra={"timeline": now.timeline})
    return True


async def renew(opened: pool.Pool) -> str:
    """The new incarnation. For whoever put back a copy of the data, which nothing else can tell from going on."""
    async with pool.transaction(opened) as connection:
        return str(await feed.renew_incarnation(connection))
