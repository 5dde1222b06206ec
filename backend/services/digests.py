"""Is a device's replica equal to what is here? Sums by location and table, by range of ids, and the rows of some ranges."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection
from typing import TypeVar

from backend.actor import Actor
from backend.services.needs import SyncNeeds
from backend.services.page import ListedRow, block
from backend.services.pull import granted
from backend.storage.store import Reading
from domain import digests, errors, tables, values, wire

_LOCATION = 2 + tables.LEADS.columns.index("location_id")  # the same place in every table
_AT_A_TIME = 250
"""Rows hashed without letting anybody else in between: some milliseconds."""

Counted = tuple[int, int]
_Key = TypeVar("_Key", int, str)
_NOTHING: Counted = (0, 0)


async def sums(deps: SyncNeeds, actor: Actor, ask: wire.DigestAsk) -> wire.Digests:
    """As it is now, numbered or not. Raises: ForbiddenError, InputError, FirstSyncBusyError (contents only)."""
    scopes = granted(actor, ask.scope)
    table = _table(ask.table) if ask.table else None
    if table and not ask.scope:
        raise errors.InputError("A table is compared by range within one location.", where="scope")
    if ask.content:
        async with deps.loads.passed(), deps.stores.read() as store:
            return await _of_contents(store, scopes, table)
    async with deps.stores.read() as store:
        if table:
            return _ranges(await store.range_sums(table, ask.scope))
        return _sums(await store.sums(scopes))


async def rows(deps: SyncNeeds, actor: Actor, ask: wire.RowsAsk) -> wire.RangeRows:
    """Raises: ForbiddenError, InputError, FirstSyncBusyError."""
    if not ask.scope:
        raise errors.InputError("Name the location.", where="scope")
    granted(actor, ask.scope)
    table = _table(ask.table)
    if not all(0 <= number < digests.RANGES for number in ask.ranges):
        raise errors.InputError("A range is two hex digits.", where="ranges", hint="Such as 0a,ff.")
    async with deps.loads.passed(), deps.stores.read() as store:
        incarnation = (await store.head()).incarnation
        found = await store.in_ranges(table, ask.scope, sorted(set(ask.ranges)))
    return wire.RangeRows(block=block(table, found), incarnation=incarnation)


async def _of_contents(store: Reading, scopes: Collection[str], table: tables.Table | None) -> wire.Digests:
    if table:
        by_range: dict[int, Counted] = {}
        async for row in _every(store, table, scopes):
            _add(by_range, digests.range_of(row[0]), table, row)
        return _ranges(by_range)
    found: dict[str, dict[str, Counted]] = {}
    for one in tables.ALL:
        async for row in _every(store, one, scopes):
            _add(found.setdefault(row[_LOCATION], {}), one.name, one, row)
    return _sums(found)


async def _every(store: Reading, table: tables.Table, scopes: Collection[str]) -> AsyncIterator[ListedRow]:
    after = None
    while some := await store.page(table, scopes=scopes, after=after, limit=_AT_A_TIME):
        for row in some:
            yield row
        after = (some[-1][_LOCATION], some[-1][0])


def _add(held: dict[_Key, Counted], key: _Key, table: tables.Table, row: ListedRow) -> None:
    contents = digests.canonical(table, dict(zip(table.columns, row[2:], strict=True)))
    number, total = held.get(key, _NOTHING)
    held[key] = (number + 1, digests.total((total, digests.row_hash(row[0], row[1], contents))))


def _sums(found: dict[str, dict[str, Counted]]) -> wire.Digests:
    return wire.Digests(
        sums={
            scope: {name: (number, digests.text(total)) for name, (number, total) in some.items()}
            for scope, some in found.items()
        }
    )


def _ranges(found: dict[int, Counted]) -> wire.Digests:
    listed = [found.get(number, _NOTHING) for number in range(digests.RANGES)]
    return wire.Digests(ranges=[(number, digests.text(total)) for number, total in listed])


def _table(name: str) -> tables.Table:
    if name not in tables.BY_NAME:
        raise errors.InputError(f"There is no table {values.shown(name)}.", where="table")
    return tables.BY_NAME[name]
