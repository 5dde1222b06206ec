"""Job: what people do in the app reaches the warehouse, change by change along the feed (docs/warehouse.md, "Where facts come from").

One process of the installation does it at a time. The cursor moves when everything before it is stored, and every id is made from
the row: whatever is done twice after a crash changes nothing. A row whose content stops it is set aside, and tried again (`apart`).
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from typing import TYPE_CHECKING

import asyncpg

from backend import faults
from backend.realtime.hub import EVERYWHERE, Subscription
from backend.storage.warehouse import feed_cursor
from backend.stream import sequencer, suspects
from backend.stream.from_sync import legacy, load
from backend.stream.from_sync.apart import Doubts
from backend.stream.from_sync.changed import Changed
from backend.stream.from_sync.follower import Follower

if TYPE_CHECKING:
    from backend.deps import Deps
    from backend.storage.pool import Connection
    from backend.storage.warehouse.feed_cursor import Cursor

logger = logging.getLogger(__name__)

PAGE = 1_000
POLL = 2.0
"""Seconds without a poke after which it looks by itself."""
FIRST_PAUSE, LONGEST_PAUSE = 0.2, 10.0
STANDBY = 5.0
"""Seconds between two tries to become the one that follows."""


async def run(deps: Deps) -> None:
    """Until it is cancelled; every server process may run it. Begins again where PostgreSQL or Valkey was away."""
    pause, trouble, doubts = FIRST_PAUSE, "", Doubts()
    while True:
        began = deps.clock.monotonic()
        try:
            await _follow(deps, doubts)
        except Exception as fault:
            said = faults.named(fault)
            if trouble != (trouble := " ".join(said.values())):
                ours = not faults.sqlstate(fault) and faults.blame(fault) is not faults.Blame.NOBODY
                logger.warning("from_sync.waits", extra=said, exc_info=fault if ours else None)
        if deps.clock.monotonic() - began > LONGEST_PAUSE:
            pause, trouble = FIRST_PAUSE, ""
        await asyncio.sleep(pause)
        pause = min(pause * 2, LONGEST_PAUSE)


async def _follow(deps: Deps, doubts: Doubts) -> None:
    connection = await asyncpg.connect(
        deps.database_url,
        command_timeout=300,
        server_settings={"application_name": "jorge-from-sync", "timezone": "UTC"},
    )
    follower = Follower(deps=deps, connection=connection, doubts=doubts)
    try:
        await _turn(connection)
        deps.gauges["from_sync"] = follower.aside.numbers
        await follower.owed.inherit()
        await follower.settle()
        with deps.hub.subscribe(sequencer.CHANNEL, [EVERYWHERE]) as news:
            while True:
                if not await once(follower):
                    await _poked(news)
    except Exception as fault:
        doubts.stop(ended=_ended(connection, fault))
        raise
    finally:
        deps.gauges.pop("from_sync", None)
        follower.rest()
        connection.terminate()


def _ended(connection: Connection, fault: Exception) -> bool:
    """A connection that wrote has ended, and PostgreSQL did not say that it was told to."""
    ended = suspects.the_end(fault) if connection.is_closed() else fault
    return isinstance(ended, suspects.EndedError)


async def _turn(connection: Connection) -> None:
    """Wait until no other process follows. Not inside the database: a statement that waits would keep it from cleaning up."""
    while True:
        if await feed_cursor.claim(connection):
            return
        await asyncio.sleep(STANDBY)


async def _poked(news: Subscription) -> None:
    try:
        async with asyncio.timeout(POLL):
            await news.get()
    except TimeoutError:
        pass


async def once(follower: Follower) -> bool:
    """The next page of changes; where there is none, the next piece of what else is left. False: nothing is, or not now."""
    await follower.owed.tell()
    if not await feed_cursor.take_turn(follower.connection):
        return False
    try:
        return await _step(follower)
    finally:
        if not follower.connection.is_closed():
            await feed_cursor.end_turn(follower.connection)


async def _step(follower: Follower) -> bool:
    connection = follower.connection
    cursor = await feed_cursor.read(connection)
    if cursor is None:
        cursor = await feed_cursor.start_over(connection)
        logger.info("from_sync.load", extra={"seq": cursor.seq})
    if cursor.held:
        return False
    looked = await follower.look_again()
    return await _onward(follower, cursor) or looked


async def _onward(follower: Follower, cursor: Cursor) -> bool:
    connection = follower.connection
    page = await feed_cursor.page(connection, cursor.seq, limit=PAGE)
    if page.upto > cursor.seq:
        await follower.bring(Changed.of(page.changes))
        await feed_cursor.save(connection, replace(cursor, seq=page.upto))
        return bool(page.changes)
    if cursor.loading is not None:
        await load.step(follower, cursor)
        return True
    return await _ripe(follower) or await legacy.step(follower)


async def _ripe(follower: Follower) -> bool:
    """What lay ahead, and has happened meanwhile."""
    ids = await feed_cursor.postponed(follower.connection, follower.deps.clock.now())
    if ids:
        await follower.bring(Changed(interactions=ids))
        await feed_cursor.forget_postponed(follower.connection, ids)
    return bool(ids)
