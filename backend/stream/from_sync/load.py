"""Everything anew: the first time, after the feed forgot what comes next, and in another life of the database.

The feed is followed all the while; pieces are small, and wait while devices are busy.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from backend.storage import feed
from backend.storage.warehouse import feed_cursor, synced
from backend.storage.warehouse.feed_cursor import Cursor
from backend.stream.from_sync.changed import Changed
from backend.stream.from_sync.follower import Follower
from domain import tables

if TYPE_CHECKING:
    from backend.deps import Deps

logger = logging.getLogger(__name__)

PIECE = 1_000
SWEEP = "sweep"
_BUSY_SECONDS = 0.5
_PAUSE = 0.25
_NONE = UUID(int=0)
_LONGEST_WAIT = 30.0
_STEPS = ("people", "leads", "interactions", "deals", SWEEP)


async def step(follower: Follower, cursor: Cursor) -> None:
    """The next piece of the load; moves the cursor behind it."""
    await _let_pass(follower.deps)
    begin = follower.deps.clock.monotonic()
    if cursor.loading == SWEEP:
        await _sweep(follower)
        follower.rest()
        after = replace(cursor, loading=None, loaded=None)
        logger.info("from_sync.loaded", extra={"seq": cursor.seq})
    else:
        after = await _piece(follower, cursor)
    await feed_cursor.save(follower.connection, after)
    await asyncio.sleep(min(follower.deps.clock.monotonic() - begin, 1.0))  # half of the time is the others'


async def _piece(follower: Follower, cursor: Cursor) -> Cursor:
    assert cursor.loading is not None
    table = tables.BY_NAME[cursor.loading].name
    rows = await follower.connection.fetch(
        f"SELECT id FROM {table} WHERE id > $1 ORDER BY id LIMIT $2",  # noqa: S608 - a declared table
        cursor.loaded or _NONE,
        PIECE,
    )
    ids = [row["id"] for row in rows]
    if ids:
        # A lead's tasks and touches are looked at with the lead.
        found = Changed.anew([(table, one) for one in ids], follower.deps.clock.now())
        await follower.bring(found, loading=True)
    if len(ids) == PIECE:
        return replace(cursor, loaded=ids[-1])
    return replace(cursor, loading=_STEPS[_STEPS.index(table) + 1], loaded=None)


async def _sweep(follower: Follower) -> None:
    """Take away what no row stands behind: in a restored database it may have come out of the streams."""
    await follower.settle()
    connection = follower.connection
    known = await synced.deals_known(connection)
    for begin in range(0, len(known), PIECE):
        await follower.bring(Changed(deals=set(known[begin : begin + PIECE])), loading=True)
    span = await synced.span(connection)
    for start, end in _months(*span) if span else ():
        async with connection.transaction():
            await connection.execute("SET LOCAL ROLE jorge_etl")
            await synced.take_turn(connection)
            removed = await synced.remove_unknown(connection, start, end)
            await follower.owed.note(removed.tags)
        await follower.owed.tell()


def _months(first: datetime, last: datetime) -> Iterator[tuple[datetime, datetime]]:
    start = first.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    while start <= last:
        end = start.replace(year=start.year + start.month // 12, month=start.month % 12 + 1)
        yield start, end
        start = end


async def _let_pass(deps: Deps) -> None:
    """Wait while devices load, or the feed is behind; not for ever, for it may always be so."""
    waited = 0.0
    while waited < _LONGEST_WAIT and await _is_busy(deps):
        await asyncio.sleep(_PAUSE)
        waited += _PAUSE


async def _is_busy(deps: Deps) -> bool:
    if deps.loads.inside:
        return True
    async with deps.pool.acquire() as connection:
        return await feed.unstamped_seconds(connection) > _BUSY_SECONDS
