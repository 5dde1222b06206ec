"""The first sync of locations: what is due today, then every row in (location, id) order, table after table.

What changes meanwhile comes by the feed afterwards, and a row may come twice: its version tells the device.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from backend.services.cursor import Cursor, Load, Reached, mark
from backend.services.page import Asked, Found, ListedRow, Room, block
from backend.storage import feed
from backend.storage.store import Reading
from domain import tables

TODAY = timedelta(hours=24)
MOST_DUE = 100
AT_A_TIME = 1000
_LOCATION = 2 + tables.LEADS.columns.index("location_id")  # the same place in every table


async def page(store: Reading, here: Cursor, head: feed.Head, asked: Asked) -> Found:
    """The next page of the load that `here` is in, or that begins now."""
    here = here if here.load else await _begun(store, here, asked)
    load = here.load
    assert load is not None
    scopes = here.those(Reached.LOADING, asked.scopes)
    if load.table < 0:
        here = replace(here, load=replace(load, table=0))
        due = await store.due(
            agent_id=asked.actor.id,
            scopes=scopes,
            before=asked.now + TODAY,
            limit=min(asked.limit, MOST_DUE),
        )
        if due:
            blocks = [block(table, some) for table, some in due]
            return Found(cursor=here, more=True, blocks=blocks, done=load.done, total=load.total)
    return await _in_order(store, here, head, Room(rows=asked.limit), scopes)


async def _begun(store: Reading, here: Cursor, asked: Asked) -> Cursor:
    """The feed's position stays: what changes while the rows are read comes again, and a version guard drops it."""
    missing = here.those(Reached.NOT_YET, asked.scopes)
    total = await store.count(missing)
    scopes = {**here.scopes, **{mark(scope): Reached.LOADING for scope in missing}}
    return replace(here, scopes=scopes, load=Load(total=total))


async def _in_order(
    store: Reading, here: Cursor, head: feed.Head, room: Room, scopes: Sequence[str]
) -> Found:
    load = here.load
    assert load is not None
    found = Found(cursor=here, more=True, total=load.total)
    while load.table < len(tables.ALL):
        table = tables.ALL[load.table]
        rows, ended = await _of_table(store, table, load, room, scopes)
        load = replace(load, done=load.done + len(rows))
        if rows:
            found.blocks.append(block(table, rows))
        if not ended:
            after = (rows[-1][_LOCATION], rows[-1][0]) if rows else load.after
            found.cursor = replace(here, load=replace(load, after=after))
            found.done = load.done
            return found
        load = replace(load, table=load.table + 1, after=None)
    loaded = {
        scope: Reached.LOADED if reached is Reached.LOADING else reached
        for scope, reached in here.scopes.items()
    }
    found.cursor = replace(here, scopes=loaded, load=None)
    found.more = head.seq > here.seq
    found.done = load.done
    return found


async def _of_table(
    store: Reading, table: tables.Table, load: Load, room: Room, scopes: Sequence[str]
) -> tuple[list[ListedRow], bool]:
    """Rows of one table as long as there is room, and: was that all of the table?"""
    rows: list[ListedRow] = []
    after = load.after
    while room.rows > 0:
        asked = min(room.rows, AT_A_TIME)
        some = await store.page(table, scopes=scopes, after=after, limit=asked)
        kept = room.fitting(some)
        rows += kept
        if len(kept) < len(some):
            return rows, False
        if len(some) < asked:
            return rows, True
        after = (some[-1][_LOCATION], some[-1][0])
    return rows, False
