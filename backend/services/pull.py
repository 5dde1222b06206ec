"""What a device gets: first every row of its locations, then what changes, page by page.

The cursor (cursor.py) says where the device stands. A location that was granted later is loaded in between, without the
device asking for it; one that was taken away and given back is loaded anew.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import groupby
from typing import NoReturn

from backend.actor import Actor
from backend.services import first_sync
from backend.services.cursor import Cursor, Reached, key_of, mark, opened
from backend.services.needs import SyncNeeds
from backend.services.page import MOST_BYTES, Asked, Found, ListedRow, block, size_of
from backend.storage import feed, origins
from backend.storage.store import Key, Reading
from domain import errors, tables, wire

logger = logging.getLogger(__name__)

DEFAULT_LIMIT = wire.PAGE
Row = ListedRow | wire.Change


async def pull(deps: SyncNeeds, actor: Actor, ask: wire.PullAsk) -> wire.Page:
    """The page after the cursor ("" = from the start, wire.FROM_NOW = what changes from now on).

    Raises: ResyncError when the cursor leads nowhere (start over with ""), ForbiddenError for a `scope` not granted,
    FirstSyncBusyError for a page of a load while too many others load.
    """
    asked = Asked(
        actor=actor,
        scopes=granted(actor, ask.scope),
        limit=ask.limit,
        now=deps.clock.now(),
        origin=origins.origin(ask.device_id, actor.id, actor.token) if ask.device_id else "",
        changes=ask.changes,
    )
    async with deps.stores.read() as store:
        head = await store.head()
        said = _read(ask.cursor, head, asked)
        if said.seq > head.seq:
            await _set_back(deps, head, said)
        here = replace(said, scopes=_known(said, asked))
        loads = here.load is not None or bool(here.those(Reached.NOT_YET, asked.scopes))
        found = None if loads else await _feed_page(store, here, head, asked)
    if found is None:
        async with deps.loads.passed(), deps.stores.read() as store:
            found = await first_sync.page(store, here, head, asked)
    begins = ask.cursor in ("", wire.FROM_NOW)
    return wire.Page(
        cursor=found.cursor.text(_key(head)),
        more=found.more,
        blocks=found.blocks,
        changes=tuple(found.changes),
        removed=found.removed,
        scopes=None if not begins and said.told(actor.locations) else sorted(actor.locations),
        server_ms=int(deps.clock.now().timestamp() * 1000),
        incarnation=head.incarnation if begins else "",
        demo=actor.demo,
        done=found.done,
        total=found.total,
    )


def granted(actor: Actor, scope: str) -> frozenset[str]:
    """The one location that was asked for, or all of theirs. Raises: ForbiddenError."""
    if not scope:
        return actor.locations
    if scope not in actor.locations:
        raise errors.ForbiddenError("You have no access to this location.", where="scope")
    return frozenset([scope])


def _known(said: Cursor, asked: Asked) -> dict[bytes, Reached]:
    """All that is granted now. What was taken away on the way is out: if it comes back, it is loaded from its start."""
    return {
        mark(scope): said.scopes.get(mark(scope), Reached.NOT_YET)
        if scope in asked.scopes
        else Reached.NOT_YET
        for scope in asked.actor.locations
    }


async def _feed_page(store: Reading, here: Cursor, head: feed.Head, asked: Asked) -> Found:
    entries = await store.entries(after=here.seq, upto=head.seq, scopes=asked.scopes, limit=asked.limit)
    upto = entries[-1].seq if len(entries) >= asked.limit else head.seq
    there = await _rows(store, entries, head, asked)
    kept = _fitting(entries, there)
    if len(kept) < len(entries):
        upto = kept[-1].seq
    found = Found(cursor=replace(here, seq=upto), more=upto < head.seq)
    wanted = _changed(kept, asked.origin)
    for table in tables.ALL:
        ids = sorted(wanted.get(table.name, ()))
        rows = [there[table.name, row_id] for row_id in ids if (table.name, row_id) in there]
        if whole := [row for row in rows if not isinstance(row, wire.Change)]:
            found.blocks.append(block(table, whole))
        found.changes += [row for row in rows if isinstance(row, wire.Change)]
        found.removed += [(table.name, row_id) for row_id in ids if (table.name, row_id) not in there]
    return found


async def _rows(
    store: Reading, entries: Sequence[feed.Entry], head: feed.Head, asked: Asked
) -> dict[Key, Row]:
    """The changed rows as they are now, as far as this person may see them."""
    there: dict[Key, Row] = {}
    changed = _changed(entries, asked.origin)
    known = _had(entries, head, asked.scopes) if asked.changes else {}
    for table in tables.ALL:
        ids = changed.get(table.name, set())
        had = {row_id: ver for row_id in ids if (ver := known.get((table.name, row_id)))}
        if fresh := ids - had.keys():
            for row in await store.visible(table, fresh, scopes=asked.scopes):
                there[table.name, row[0]] = row
        if had:
            for row, names in await store.changed(table, had, scopes=asked.scopes):
                there[table.name, row[0]] = _change(table, row, had[row[0]], names)
    return there


def _had(entries: Sequence[feed.Entry], head: feed.Head, scopes: Collection[str]) -> Mapping[Key, int]:
    """The version that a device which read the feed up to here has at least of each row; 0: perhaps it has none.

    What the device wrote itself counts too: if the answer to it was lost, its row is as old as the feed made it.
    The first change in another life of the database leaps to its floor, and says nothing of the version before.
    """
    found: dict[Key, int] = {}
    for entry in entries:
        key = (entry.table, entry.row_id)
        before = entry.ver - 1 if entry.scope_from in scopes and entry.ver != head.ver_floor else 0
        found[key] = min(before, found.get(key, before))
    return found


def _change(table: tables.Table, row: ListedRow, from_ver: int, names: Collection[str]) -> wire.Change:
    row_id, ver, *values = row
    said = {name: value for name, value in zip(table.columns, values, strict=True) if name in names}
    return wire.Change(table=table.name, id=row_id, from_ver=from_ver, ver=ver, values=said)


def _changed(entries: Collection[feed.Entry], origin: str) -> Mapping[str, set[str]]:
    """Ids by table. Rows that only the asking store itself wrote are left out: its pushes were answered with them."""
    ids: dict[str, set[str]] = {}
    for entry in entries:
        if not origin or entry.origin != origin:
            ids.setdefault(entry.table, set()).add(entry.row_id)
    return ids


def _fitting(entries: Sequence[feed.Entry], there: Mapping[Key, Row]) -> Sequence[feed.Entry]:
    """As many whole transactions as fit a page; the first in any case."""
    sizes = {key: size_of(row) for key, row in there.items()}
    if sum(sizes.values()) <= MOST_BYTES:
        return entries
    kept: list[feed.Entry] = []
    left = MOST_BYTES
    for some in _transactions(entries):
        left -= sum(sizes.pop((entry.table, entry.row_id), 0) for entry in some)
        if kept and left < 0:
            break
        kept += some
    return kept


def _transactions(entries: Sequence[feed.Entry]) -> Iterator[list[feed.Entry]]:
    for _, some in groupby(entries, key=lambda entry: entry.transaction):
        yield list(some)


def _read(text: str, head: feed.Head, asked: Asked) -> Cursor:
    """Raises: ResyncError for a cursor that is not ours, or of another life of the database, or older than the feed."""
    if not text:
        return Cursor(seq=head.seq)
    if text == wire.FROM_NOW:
        loaded = {mark(scope): Reached.LOADED for scope in asked.scopes}
        return Cursor(seq=head.seq, scopes=loaded)
    try:
        cursor = opened(text, _key(head))
    except ValueError as fault:
        raise _resync() from fault
    if cursor.seq < head.floor:
        raise _resync()
    return cursor


async def _set_back(deps: SyncNeeds, head: feed.Head, ahead: Cursor) -> NoReturn:
    """We sealed it, and the feed doesn't reach it any more: the database lost what devices were told is safe.

    A new incarnation makes every device compare its rows and send again what may be missing. Raises: ResyncError.
    """
    async with deps.stores.transaction() as store:
        renewed = await store.renew_incarnation(head.incarnation)
    if renewed:
        logger.error("feed.set_back", extra={"head": head.seq, "known": ahead.seq})
    raise _resync()


def _key(head: feed.Head) -> bytes:
    return key_of(head.incarnation, head.secret)


def _resync() -> errors.ResyncError:
    return errors.ResyncError(
        "The server can't go on from this position of the feed.",
        where="cursor",
        hint="Pull from the start with an empty cursor; unsent work stays on the device.",
    )
