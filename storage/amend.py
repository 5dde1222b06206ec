"""A person's second thoughts about parked changes: other values, sent again, taken out, put back."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from domain import tables
from domain.wire import Op
from storage import blobs, database, outbox, outbox_order, outbox_writes, rebase, rows


def rewrite(tx: database.Transaction, line: outbox.Line, patch: Mapping[str, Any]) -> None:
    """The parked change carries other values now; send it with `send_again`."""
    tx.execute("UPDATE outbox SET patch = ? WHERE mid = ?", (rows.dumps(patch), line.mid))
    tx.touch("outbox")
    _start_from(tx, line, patch)


def send_again(tx: database.Transaction, lines: Sequence[outbox.Line]) -> None:
    """Under new numbers, each with its whole action and what waits for it; their rows show what will be sent."""
    outbox_order.send_again(tx, lines)
    _refresh(tx, lines)


def take_out(tx: database.Transaction, lines: Sequence[outbox.Line]) -> list[outbox.Line]:
    """Gives them up; what was taken out, for `put_back`. With a row that was never made goes all that was done with it."""
    gone: dict[int, outbox.Line] = {}
    for line in outbox.lines(tx, [one.mid for one in lines]):
        if line.state is not outbox.State.PARKED:
            continue  # on its way: nobody can take that back
        whole = line.mutation.op is Op.PUT
        for other in outbox.of_row(tx, *line.row) if whole else [line]:
            gone[other.mid] = other
    outbox_writes.drop(tx, gone)
    for _, line in sorted(gone.items(), reverse=True):
        _start_from(tx, line, line.mutation.base)
    outbox_order.settle(tx, {line.row for line in gone.values()})
    blobs.hold_back(tx, _notes_made(gone.values()))
    _refresh(tx, gone.values())
    return [line for _, line in sorted(gone.items())]


def put_back(tx: database.Transaction, lines: Collection[outbox.Line]) -> None:
    """What was taken out waits for a person again, as before, in its place."""
    for line in lines:
        rebase.keep_base(tx, tables.BY_NAME[line.mutation.table], line.mutation.row_id)
        outbox_writes.put_back(tx, line)
    outbox_order.settle(tx, {line.row for line in lines})
    blobs.let_go_on(tx, _notes_made(lines))
    _refresh(tx, lines)


def _notes_made(lines: Iterable[outbox.Line]) -> list[str]:
    made = [line for line in lines if line.mutation.op is Op.PUT and line.mutation.table == tables.NOTES.name]
    return [line.mutation.row_id for line in made]


def _start_from(tx: database.Transaction, line: outbox.Line, instead: Mapping[str, Any]) -> None:
    """Later changes of the row whose author saw what `line` said, which nobody will say now, start from `instead`.

    Else the server would take them for changes that build on what it refused. One that it may have keeps its content.
    """
    said = {name: value for name, value in line.mutation.patch.items() if instead.get(name) != value}
    for later in outbox.of_row(tx, *line.row):
        if later.mid <= line.mid or outbox_order.may_be_known(later):
            continue
        stale = {
            name
            for name, value in said.items()
            if name in later.mutation.base and later.mutation.base[name] == value
        }
        if stale:
            base = {**later.mutation.base, **{name: instead.get(name) for name in stale}}
            tx.execute("UPDATE outbox SET base = ? WHERE mid = ?", (rows.dumps(base), later.mid))
        said = {name: value for name, value in said.items() if name not in later.mutation.patch}


def _refresh(tx: database.Transaction, lines: Iterable[outbox.Line]) -> None:
    for table, row_id in dict.fromkeys(line.row for line in lines):
        rebase.refresh(tx, tables.BY_NAME[table], row_id)
