"""base + waiting changes = view: what a person sees is the server's row with their unsent work upon it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from domain import merge, tables, wire
from storage import database, outbox, outbox_order, rows

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
        case wire.Op.PUT if now is None:
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
        return Base(ver=shadow["ver"], values=None if shadow["deleted"] else _read(table, shadow["base"]))
    found = rows.get(reads, table, row_id)
    return NOTHING if found is None else Base(ver=found[0], values=found[1])


def keep_base(tx: database.Transaction, table: tables.Table, row_id: str) -> Base:
    """Before a first change: remember the server's row."""
    base = base_of(tx, table, row_id)
    tx.execute(_SHADOW + " DO NOTHING", _shadow(table, row_id, base))
    return base


def keep_seen(
    tx: database.Transaction, table: tables.Table, row_id: str, seen: tuple[int, Values] | None
) -> tuple[int, bool]:
    """As `keep_base`, where the row was read already (version and values; None = no such row).

    The base's version, and whether this is the row's first change: a row has a base as long as a change of it waits.
    """
    known: int | None = tx.value("SELECT ver FROM shadow WHERE tbl = ? AND id = ?", (table.name, row_id))
    if known is not None:
        return known, False
    base = NOTHING if seen is None else Base(ver=seen[0], values=seen[1])
    tx.execute(_SHADOW + " DO NOTHING", _shadow(table, row_id, base))
    return base.ver, True


def set_base(tx: database.Transaction, table: tables.Table, row_id: str, base: Base) -> None:
    """The server's row is `base` now: the view follows, waiting changes stay upon it."""
    waiting = outbox.of_row(tx, table.name, row_id)
    came = False
    if waiting:
        came = base.values is not None and base_of(tx, table, row_id).values is None
        tx.execute(_SHADOW + _OVER, _shadow(table, row_id, base))
    else:
        tx.execute("DELETE FROM shadow WHERE tbl = ? AND id = ?", (table.name, row_id))
    show(tx, table, row_id, base.ver, view(table, base.values, (line.mutation for line in waiting)))
    if came:
        outbox_order.row_came(tx, table.name, row_id)


def refresh(tx: database.Transaction, table: tables.Table, row_id: str) -> None:
    """Show base + what still waits (after the outbox changed)."""
    set_base(tx, table, row_id, base_of(tx, table, row_id))


def show(
    tx: database.Transaction,
    table: tables.Table,
    row_id: str,
    ver: int,
    values: Values | None,
    *,
    before: Values | None = None,
) -> None:
    """Write the view row. `before`: what stands there now, where that is known."""
    if values is None:
        rows.remove(tx, table, row_id)
    elif before is None:
        rows.write(tx, table, row_id, ver, values)
    else:
        rows.change(tx, table, row_id, values, ver=ver, before=before)


_SHADOW = "INSERT INTO shadow (tbl, id, ver, base, deleted) VALUES (?, ?, ?, ?, ?) ON CONFLICT (tbl, id)"
_OVER = " DO UPDATE SET ver = excluded.ver, base = excluded.base, deleted = excluded.deleted"


def _shadow(table: tables.Table, row_id: str, base: Base) -> tuple[object, ...]:
    known = {name: value for name, value in (base.values or {}).items() if value is not None}
    return table.name, row_id, base.ver, rows.dumps(known), int(base.values is None)


def _read(table: tables.Table, text: str) -> Values:
    """Absent is empty."""
    return {**dict.fromkeys(table.columns), **json.loads(text)}
