"""Has the database been set back? Then devices may hold what it lost: a new incarnation makes them compare and send again."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

from backend.storage import feed, feed_mark, pool

logger = logging.getLogger(__name__)


async def notice(opened: pool.Pool) -> bool:
    """Renew the incarnation if this is another database cluster, or another timeline of it, than at the last look.

    PostgreSQL begins a timeline with each promotion and each point-in-time recovery, and a dump that is loaded elsewhere
    meets another cluster. The same one with older rows in it is noticed by `compare`. A copy of the whole data folder put
    back looks like nothing happened, until a device comes that is ahead of it (pull.py) or somebody says so: `renew`.
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


async def compare(opened: pool.Pool, path: Path) -> bool:
    """Renew the incarnation if the database is behind the mark in this file; else the mark goes on to where it is.

    A dump loaded into the same cluster, or the database's folder alone put back, is older than the mark outside of it.
    Raises: OSError when the mark can't be kept.
    """
    before = await asyncio.to_thread(feed_mark.read, path)
    async with opened.acquire() as connection:
        head = await feed.head(connection)
    behind = before is not None and before.is_ahead_of(feed_mark.Mark.of(head))
    if behind:
        async with pool.transaction(opened) as connection:
            renewed = await feed.renew_incarnation(connection, head.incarnation)
            if renewed:  # else another process was first
                logger.error("feed.restored", extra={"head": head.seq, "known": before.seq if before else 0})
            head = await feed.head(connection)
    now = feed_mark.Mark.of(head)
    if now != before:
        await asyncio.to_thread(feed_mark.write, path, now)
    return behind


async def renew(opened: pool.Pool) -> str:
    """The new incarnation. For whoever put back a copy of the data, which nothing else can tell from going on."""
    async with pool.transaction(opened) as connection:
        return str(await feed.renew_incarnation(connection))
