"""A person's second thoughts about parked changes: other values, taken out, put back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from domain import tables, wire
from storage import database, outbox, rebase, rows


def rewrite(tx: database.Transaction, mid: int, patch: Mapping[str, Any]) -> None:
    """The change carries other values now; send it with `send_again`."""
    tx.execute("UPDATE outbox SET patch = ? WHERE mid = ?", (rows.dumps(patch), mid))
    tx.touch("outbox")


def send_again(tx: database.Transaction, lines: Sequence[outbox.Line]) -> None:
    """Under new numbers, with those that only waited for them; their rows show what will be sent."""
    for line in lines:
        outbox.mark_waiting(tx, line.mutation.mid)
    _settle(tx, lines)


def take_out(tx: database.Transaction, lines: Sequence[outbox.Line]) -> list[outbox.Line]:
    """Gives them up; what was taken out, for `put_back`. With a row that was never made goes all that was done with it."""
    gone: dict[int, outbox.Line] = {}
    for line in lines:
        whole = line.mutation.op is wire.Op.PUT
        for other in outbox.of_row(tx, *line.row) if whole else [line]:
            gone[other.mutation.mid] = other
    outbox.drop(tx, gone)
    _settle(tx, gone.values())
    return list(gone.values())


def put_back(tx: database.Transaction, lines: Iterable[outbox.Line]) -> None:
    """What was taken out waits for a person again, as before, in the same order."""
    for line in lines:
        table = tables.BY_NAME[line.mutation.table]
        rebase.keep_base(tx, table, line.mutation.row_id)
        mid = outbox.add(tx, line.mutation, earlier=outbox.of_row(tx, *line.row), urgent=line.urgent)
        if line.state is outbox.State.PARKED:
            outbox.mark_parked(tx, mid, code=line.code, message=line.message)
        rebase.refresh(tx, table, line.mutation.row_id)


def _settle(tx: database.Transaction, lines: Iterable[outbox.Line]) -> None:
    for table, row_id in dict.fromkeys(line.row for line in lines):
        outbox.block_dependants(tx, table, row_id)
        rebase.refresh(tx, tables.BY_NAME[table], row_id)
