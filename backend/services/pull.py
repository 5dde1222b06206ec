"""What a device gets: first every row of its locations, then what changes, page by page.

A cursor is opaque to the device. It says which locations it has loaded (`loaded`), up to which change it knows
them (`seq`), and, while a load is under way, where that stands. A location that was granted later is loaded in
between, without the device asking for it; one that was taken away and given back is loaded anew.
"""

from __future__ import annotations

import base64
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import orjson

from backend.actor import Actor
from backend.services.needs import SyncNeeds
from backend.storage import feed
from backend.storage.store import Reading
from domain import errors, tables, values, wire

DEFAULT_LIMIT = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """A first sync of `scopes` under way: at which table, after which (location, id), rows so far, of how many."""

    scopes: tuple[str, ...]
    table: int = 0
    after: tuple[str, str] | None = None
    done: int = 0
    total: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Cursor:
    incarnation: str
    seq: int
    loaded: tuple[str, ...] = ()
    load: Load | None = None

    def text(self) -> str:
        data: dict[str, Any] = {"i": self.incarnation, "q": self.seq, "s": list(self.loaded)}
        if self.load:
            data["f"] = [
                list(self.load.scopes), self.load.table, self.load.after, self.load.done, self.load.total,
            ]  # fmt: skip
        kind = "snap" if self.load else "feed"
        return f"{kind}.{base64.urlsafe_b64encode(orjson.dumps(data)).decode().rstrip('=')}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Who asks for what: `scopes` are those to send rows of, all granted ones or the one that was named."""

    actor: Actor
    scopes: frozenset[str]
    limit: int
    origin: str = ""


@dataclass(slots=True, kw_only=True)
class _Found:
    """One page in the making."""

    cursor: Cursor
    more: bool
    blocks: list[wire.Block] = field(default_factory=list)
    removed: list[tuple[str, str]] = field(default_factory=list)


async def pull(
    deps: SyncNeeds,
    actor: Actor,
    *,
    cursor: str = "",
    limit: int = DEFAULT_LIMIT,
    scope: str = "",
    device_id: str = "",
) -> wire.Page:
    """The page after `cursor` ("" = from the start).

    Raises: ResyncError when the cursor leads nowhere (start over with ""), ForbiddenError for a `scope` not granted.
    """
    asked = Asked(
        actor=actor,
        scopes=_scopes(actor, scope),
        limit=limit,
        origin=feed.origin(device_id, actor.id) if device_id else "",
    )
    async with deps.stores.read() as store:
        head = await store.head()
        here = await _position(store, _read(cursor, head), head, asked)
        found = await (_load_page if here.load else _feed_page)(store, here, head, asked)
    load = found.cursor.load or here.load
    return wire.Page(
        cursor=found.cursor.text(),
        more=found.more,
        blocks=found.blocks,
        removed=found.removed,
        scopes=sorted(actor.locations),
        server_ms=int(deps.clock.now().timestamp() * 1000),
        incarnation=head.incarnation,
        demo=actor.demo,
        done=_done(found, here),
        total=load.total if load else 0,
    )


def _done(found: _Found, here: Cursor) -> int:
    if here.load is None:
        return 0
    return here.load.done + sum(len(block.rows) for block in found.blocks)


def _scopes(actor: Actor, scope: str) -> frozenset[str]:
    if not scope:
        return actor.locations
    if scope not in actor.locations:
        raise errors.ForbiddenError("You have no access to this location.", where="scope")
    return frozenset([scope])


async def _position(store: Reading, here: Cursor, head: feed.Head, asked: Asked) -> Cursor:
    """Go on with what is granted now; what is granted and not loaded yet gets loaded next."""
    here = replace(here, loaded=tuple(s for s in here.loaded if s in asked.scopes))
    if here.load:
        return here
    missing = tuple(sorted(asked.scopes - set(here.loaded)))
    if not missing:
        return here
    # The feed's position stays: what changes while the rows are read comes again, and a version guard drops it.
    total = await store.count(missing)
    return replace(here, load=Load(scopes=missing, total=total))


async def _load_page(store: Reading, here: Cursor, head: feed.Head, asked: Asked) -> _Found:
    load = here.load
    assert load is not None
    # One that was taken away on the way is out for good here: if it comes back, it is loaded from its start.
    scopes = tuple(scope for scope in load.scopes if scope in asked.scopes)
    load = replace(load, scopes=scopes)
    blocks: list[wire.Block] = []
    room = asked.limit
    while load.table < len(tables.ALL):
        table = tables.ALL[load.table]
        some = await store.page(table, scopes=scopes, after=load.after, limit=room)
        if some:
            blocks.append(_block(table, some))
        room -= len(some)
        load = replace(load, done=load.done + len(some))
        if room <= 0:
            load = replace(load, after=(some[-1][_LOCATION], some[-1][0]))
            return _Found(cursor=replace(here, load=load), more=True, blocks=blocks)
        load = replace(load, table=load.table + 1, after=None)
    after = replace(here, load=None, loaded=tuple(sorted({*here.loaded, *scopes})))
    return _Found(cursor=after, more=head.seq > after.seq, blocks=blocks)


async def _feed_page(store: Reading, here: Cursor, head: feed.Head, asked: Asked) -> _Found:
    entries = await store.entries(after=here.seq, upto=head.seq, scopes=asked.scopes, limit=asked.limit)
    full = len(entries) >= asked.limit
    upto = entries[-1].seq if full else head.seq
    changed = _changed(entries, asked.origin)
    found = _Found(cursor=replace(here, seq=upto), more=upto < head.seq)
    for table in tables.ALL:
        ids = changed.get(table.name)
        if not ids:
            continue
        there = await store.visible(table, ids, scopes=asked.scopes)
        if there:
            found.blocks.append(_block(table, there))
        found.removed += [(table.name, gone) for gone in sorted(ids - {row[0] for row in there})]
    return found


def _changed(entries: Collection[feed.Entry], origin: str) -> Mapping[str, set[str]]:
    """Ids by table. Rows that only the asking store itself wrote are left out: its pushes were answered with them."""
    ids: dict[str, set[str]] = {}
    for entry in entries:
        if not origin or entry.origin != origin:
            ids.setdefault(entry.table, set()).add(entry.row_id)
    return ids


_LOCATION = 2 + tables.LEADS.columns.index("location_id")  # the same place in every table


def _block(table: tables.Table, some: list[list[Any]]) -> wire.Block:
    return wire.Block(table=table.name, columns=("id", "ver", *table.columns), rows=some)


def _read(text: str, head: feed.Head) -> Cursor:
    """Raises: ResyncError for a cursor that is not ours, of another life of the database, or ahead of it."""
    if not text:
        return Cursor(incarnation=head.incarnation, seq=head.seq)
    try:
        cursor = _parsed(text)
    except (ValueError, KeyError, TypeError, IndexError, OverflowError) as fault:
        raise _resync() from fault
    if cursor.incarnation != head.incarnation or not head.floor <= cursor.seq <= head.seq:
        raise _resync()
    return cursor


def _parsed(text: str) -> Cursor:
    kind, _, encoded = text.partition(".")
    data = orjson.loads(base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)))
    load = None
    if kind == "snap":
        scopes, table, after, done, total = data["f"]
        load = Load(
            scopes=tuple(map(str, scopes)),
            table=_whole(table),
            after=_after(after) if after else None,
            done=_whole(done),
            total=_whole(total),
        )
    elif kind != "feed":
        raise ValueError(kind)
    return Cursor(
        incarnation=str(data["i"]), seq=_whole(data["q"]), loaded=tuple(map(str, data["s"])), load=load
    )


def _whole(number: object) -> int:
    if not isinstance(number, int) or number < 0:
        raise ValueError(number)
    return number


def _after(pair: Sequence[object]) -> tuple[str, str]:
    scope, row_id = (str(part) for part in pair)
    if not (values.is_id(scope) and values.is_id(row_id)):
        raise ValueError(pair)
    return scope, row_id


def _resync() -> errors.ResyncError:
    return errors.ResyncError(
        "The server can't go on from this position of the feed.",
        where="cursor",
        hint="Pull from the start with an empty cursor; unsent work stays on the device.",
    )
