"""What a phone holds: its rows as shown and as the server's, and whether anything of it is still under way."""

from __future__ import annotations

import json
from typing import Any

from domain import tables, wire
from storage import agreed, blobs, outbox, rows
from tests.simulation.phone import Phone

Key = tuple[str, str]
_PLAIN = (tables.Policy.NEWEST, tables.Policy.MANUAL, tables.Policy.DERIVED)


def is_at_rest(phone: Phone) -> bool:
    return not why_restless(phone)


def why_restless(phone: Phone) -> str:
    if phone.machine.running:
        return "still at work"
    if outbox.counts(phone.db).pending:
        return f"{outbox.counts(phone.db).pending} changes wait"
    if agreed.wanted(phone.db):
        return "a comparison is due"
    if blobs.waiting(phone.db, limit=1):
        return "a recording waits"
    return "a timer after a failure" if phone.machine.armed else ""


def last_values(table: tables.Table, lines: list[outbox.Line]) -> dict[str, Any]:
    """What the person wrote last in each field whose value is theirs alone until the server answers."""
    wanted: dict[str, Any] = {}
    for line in lines:
        if line.mutation.op is wire.Op.PUT:
            wanted.clear()
        for name, value in line.mutation.patch.items():
            if name in table.by_name and table.by_name[name].policy in _PLAIN:
                wanted[name] = value
    return wanted


def view_rows(phone: Phone) -> dict[Key, tuple[int, dict[str, Any]]]:
    """What the person sees."""
    return {
        (table.name, row["id"]): (row["_ver"], rows.read(table, row))
        for table in tables.ALL
        for row in phone.db.rows(f"SELECT * FROM {table.name}")  # noqa: S608
    }


def base_rows(phone: Phone) -> dict[Key, tuple[int, dict[str, Any]]]:
    """What the phone takes for the server's rows."""
    found = view_rows(phone)
    for shadow in phone.db.rows("SELECT tbl, id, ver, base, deleted FROM shadow"):
        key = (shadow["tbl"], shadow["id"])
        if shadow["deleted"]:
            found.pop(key, None)
        else:
            found[key] = (shadow["ver"], json.loads(shadow["base"]))
    return found
