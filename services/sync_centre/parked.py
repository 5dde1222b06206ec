"""What a person does with an action that the server refused: again, other values, back to life, or away with it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from domain import errors, tables, values
from services import lead_changes, lead_fields
from services.desk import Desk
from storage import amend, database, outbox, rows

Undo = Callable[[], None]


def lines_of(reads: database.Reads, group: str) -> list[outbox.Line]:
    """Raises: NotFoundError."""
    parked = outbox.listed(reads, state=outbox.State.PARKED, limit=10_000)
    found = [line for line in parked if (line.group or str(line.mid)) == group]
    if not found:
        raise errors.NotFoundError(
            "This change does not wait for you (any more).", where="sync", hint="Look at the list again."
        )
    return found


def retry(desk: Desk, group: str) -> None:
    """Raises: NotFoundError."""
    with desk.db.write_tx() as tx:
        amend.send_again(tx, lines_of(tx, group))


def discard(desk: Desk, group: str) -> Undo:
    """Its rows show the server's values again; what it answers takes that back. Raises: NotFoundError."""
    with desk.db.write_tx() as tx:
        gone = amend.take_out(tx, lines_of(tx, group))

    def undo() -> None:
        with desk.db.write_tx() as tx:
            amend.put_back(tx, gone)

    return undo


def restore(desk: Desk, group: str) -> None:
    """Brings back a row that somebody deleted, with this change upon it. Raises: NotFoundError."""
    with desk.action() as edit:
        edit.restore(*(line.mid for line in lines_of(edit.tx, group)))


def correct(desk: Desk, group: str, changes: Mapping[str, Mapping[str, Any]]) -> None:
    """Other values by row, and the action sent again as a whole. Raises: NotFoundError, InputError."""
    with desk.db.write_tx() as tx:
        found = lines_of(tx, group)
        for line in found:
            wanted = changes.get(line.mutation.row_id, {})
            typed = {name: value for name, value in wanted.items() if name in line.mutation.patch}
            if typed:
                amend.rewrite(tx, line, _corrected(desk, tx, line, typed))
        amend.send_again(tx, found)


def _corrected(
    desk: Desk, tx: database.Transaction, line: outbox.Line, typed: Mapping[str, Any]
) -> dict[str, Any]:
    """The whole patch with the new values in it, checked as if they had been typed in their place."""
    table = tables.BY_NAME[line.mutation.table]
    patch = dict(line.mutation.patch)
    if table is tables.LEADS:
        row = rows.get(tx, table, line.mutation.row_id)
        before = row[1] if row else patch
        cleaned = lead_changes.whole_units(lead_fields.clean(typed), desk.now())
        patch |= lead_changes.with_rules(before, cleaned, desk.now())
    else:
        patch |= typed
    values.check_values(table, patch)
    return values.canonical(table, patch)
