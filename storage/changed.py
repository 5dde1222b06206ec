"""Rows of a page that come as the fields that changed in them: only for a store that has the row they begin at."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from operator import attrgetter

from domain import tables, wire
from storage import blocks, database, events, rebase, rows


class GapError(Exception):
    """The store lacks the row, or what came before its change: it needs the row whole."""

    def __init__(self, change: wire.Change) -> None:
        super().__init__(change.table, change.id)
        self.table = change.table
        self.row_id = change.id


def apply(tx: database.Transaction, some: Sequence[wire.Change]) -> int:
    """Rows written. Raises: GapError."""
    written = 0
    for name, found in groupby(sorted(some, key=attrgetter("table")), key=attrgetter("table")):
        table = tables.BY_NAME.get(name)
        if table is None:
            events.add(tx, "pull.unknown_table", level="warning", table=name, rows=len(list(found)))
        else:
            written += _of_table(tx, table, list(found))
    return written


def _of_table(tx: database.Transaction, table: tables.Table, some: Sequence[wire.Change]) -> int:
    wanted = rows.dumps([one.id for one in some])
    worked_on = {row_id for (row_id,) in tx.each(_WORKED_ON, (table.name, wanted))}
    held = dict(tx.each(f"SELECT id, _ver FROM {table.name} WHERE id IN {_AMONG}", (wanted,)))  # noqa: S608
    plain = [one for one in some if one.id not in worked_on and _is_news(one, held.get(one.id))]
    written = sum(_rebase(tx, table, one) for one in some if one.id in worked_on)
    by_fields: dict[tuple[str, ...], list[wire.Change]] = {}
    for one in plain:
        by_fields.setdefault(tuple(one.values), []).append(one)
    for names, alike in by_fields.items():
        written += _write(tx, table, names, alike)
    return written


_AMONG = "(SELECT value FROM json_each(?))"
_WORKED_ON = f"SELECT id FROM shadow WHERE tbl = ? AND id IN {_AMONG}"  # noqa: S608


def _is_news(change: wire.Change, held: int | None) -> bool:
    """Raises: GapError."""
    if held is None or held < change.from_ver:
        raise GapError(change)
    return held < change.ver


def _rebase(tx: database.Transaction, table: tables.Table, change: wire.Change) -> int:
    """Unsent work lies upon the row: the change gives it a new base. Raises: GapError."""
    base = rebase.base_of(tx, table, change.id)
    if base.values is None:
        raise GapError(change)
    if not _is_news(change, base.ver):
        return 0
    values = {**base.values, **change.values}
    rebase.set_base(tx, table, change.id, rebase.Base(ver=change.ver, values=values))
    return 1


def _write(
    tx: database.Transaction, table: tables.Table, names: tuple[str, ...], alike: Sequence[wire.Change]
) -> int:
    """Changes of the same fields."""

    def put(some: Sequence[wire.Change]) -> int:
        if all(name in table.by_name for name in names):
            return rows.fill(tx, table, names, [(one.id, one.ver, one.values) for one in some])
        for one in some:  # with a field that only a newer server has
            _, values = rows.get(tx, table, one.id) or (0, {})
            rows.write(tx, table, one.id, one.ver, {**values, **one.values})
        return len(some)

    return blocks.one_by_one(tx, table, alike, put, id_of=attrgetter("id"))
