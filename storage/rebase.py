"""base + waiting changes = view: what a person sees is the server's row with their unsent work upon it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from domain import merge, tables, wire
from storage import database, outbox, rows, search

Values = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Base:
    """The server's row as last heard. `values` None: the server has no such row (any more)."""

    ver: int
    values: Values | None


NOTHING = Base(ver=0, values=None)


def view(table: tables.Table, base: Values | None, waiting: Iterable[wire.Mutation]) -> Values | None:
    """The row with the waiting changes upon it, in their order; None = no such row."""
    now = base
    for mutation in waiting:
        now = step(table, now, mutation)
    return now


def step(table: tables.Table, now: Values | None, mutation: wire.Mutation) -> Values | None:
    match mutation.op:
        case wire.Op.DELETE:
            return None
        case wire.Op.PUT:
            return _made(table, mutation.patch)
        case _:
            # A change of a row that somebody deleted shows nothing; the server says what becomes of it.
            return None if now is None else merge.overlay(table, now, mutation.patch, mutation.base)


def _made(table: tables.Table, patch: Values) -> Values | None:
    """None while a deleted row is being brought back: its other values come with the server's answer."""
    if any(field.required and patch.get(field.name) is None for field in table.fields):
        return None
    return {**dict.fromkeys(table.columns), **patch}


def base_of(reads: database.Reads, table: tables.Table, row_id: str) -> Base:
    """The shadow where there is one, else the row itself."""
    if shadow := reads.row(
        "SELECT ver, base, deleted FROM shadow WHERE tbl = ? AND id = ?", (table.name, row_id)
    ):
        return Base(ver=shadow["ver"], values=None if shadow["deleted"] else json.loads(shadow["base"]))
    found = rows.get(reads, table, row_id)
    return NOTHING if found is None else Base(ver=found[0], values=found[1])


def keep_base(tx: database.Transaction, table: tables.Table, row_id: str) -> Base:
    """Before a first change: remember the server's row."""
    base = base_of(tx, table, row_id)
    tx.execute(_SHADOW + " DO NOTHING", _shadow(table, row_id, base))
    return base


def set_base(tx: database.Transaction, table: tables.Table, row_id: str, base: Base) -> None:
    """The server's row is `base` now: the view follows, waiting changes stay upon it."""
    waiting = [line.mutation for line in outbox.of_row(tx, table.name, row_id)]
    if waiting:
        tx.execute(_SHADOW + _OVER, _shadow(table, row_id, base))
    else:
        tx.execute("DELETE FROM shadow WHERE tbl = ? AND id = ?", (table.name, row_id))
    show(tx, table, row_id, base.ver, view(table, base.values, waiting))


def refresh(tx: database.Transaction, table: tables.Table, row_id: str) -> None:
    """Show base + what still waits (after the outbox changed)."""
    set_base(tx, table, row_id, base_of(tx, table, row_id))


def show(tx: database.Transaction, table: tables.Table, row_id: str, ver: int, values: Values | None) -> None:
    """Write the view row and its line in the search index."""
    if values is None:
        rows.remove(tx, table, row_id)
    else:
        rows.write(tx, table, row_id, ver, values)
    search.index(tx, table.name, row_id, values)


_SHADOW = "INSERT INTO shadow (tbl, id, ver, base, deleted) VALUES (?, ?, ?, ?, ?) ON CONFLICT (tbl, id)"
_OVER = " DO UPDATE SET ver = excluded.ver, base = excluded.base, deleted = excluded.deleted"


def _shadow(table: tables.Table, row_id: str, base: Base) -> tuple[object, ...]:
    return table.name, row_id, base.ver, rows.dumps(base.values or {}), int(base.values is None)
