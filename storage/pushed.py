"""The server's answer to a push into the store: what is safe, what was merged, what a person must look at."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from domain import tables, wire
from domain.wire import Status
from storage import acks, cursor, database, outbox, outbox_writes, rebase, scopes

ROW_DELETED = "row_deleted"
"""The server's code for an edit of a row that somebody deleted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How many changes are safe, need a person, or must be sent again. `files`: delete them after the commit."""

    safe: int
    parked: int
    again: int
    files: tuple[Path, ...] = ()


def apply(
    tx: database.Transaction,
    sent: Sequence[wire.Mutation],
    answer: wire.PushAnswer,
    *,
    now_ms: int,
    mono_ms: int | None = None,
) -> Outcome:
    """Each result once, in the order of sending. What the answer doesn't mention stays to be sent again.

    `now_ms`, `mono_ms`: our clocks in the middle of the request.
    """
    results = {result.mid: result for result in answer.results}
    plain = acks.confirm(tx, sent, results, now_ms=now_ms)
    safe, refused = len(plain), list[wire.Result]()
    held = cursor.place(tx).scopes
    for mutation in sent:
        if mutation.mid in plain:
            continue
        result = results.get(mutation.mid)
        if result is None or result.status is Status.RETRY:
            outbox_writes.mark_unanswered(tx, mutation.mid)
        elif result.status is Status.PARKED:
            _learn(tx, mutation, result)
            refused.append(result)
        else:
            _confirm(tx, mutation, result, now_ms, held)
            safe += 1
    outbox_writes.mark_refused(tx, refused)  # after all, for it says what waits for what
    parked = len(refused)
    cursor.saw_server(tx, server_ms=answer.server_ms, now_ms=now_ms, mono_ms=mono_ms)
    tx.touch("outbox")
    return Outcome(safe=safe, parked=parked, again=len(sent) - safe - parked, files=_of_deleted(tx, sent))


def _of_deleted(tx: database.Transaction, sent: Sequence[wire.Mutation]) -> tuple[Path, ...]:
    """Recordings of notes whose deletion is safe at the server."""
    gone = [
        mutation.row_id
        for mutation in sent
        if mutation.op is wire.Op.DELETE
        and mutation.table == tables.NOTES.name
        and not outbox.of_row(tx, mutation.table, mutation.row_id)
    ]
    return tuple(scopes.wipe_blobs(tx, gone)) if gone else ()


def _confirm(
    tx: database.Transaction,
    mutation: wire.Mutation,
    result: wire.Result,
    now_ms: int,
    held: Collection[str] | None,
) -> None:
    """`held`: the locations that this store knows to be its person's; None = it was not told."""
    table = tables.BY_NAME[mutation.table]
    base = rebase.base_of(tx, table, mutation.row_id)
    outbox_writes.mark_acked(tx, mutation.mid, now_ms)
    after = _confirmed(table, base, mutation, result)
    if after.values and held is not None and after.values.get("location_id") not in held:
        after = rebase.NOTHING  # of a location that went: if it comes back, it is loaded anew
    rebase.set_base(tx, table, mutation.row_id, after)


def _confirmed(
    table: tables.Table, base: rebase.Base, mutation: wire.Mutation, result: wire.Result
) -> rebase.Base:
    """The server's row after this change, unless a newer one has come already."""
    row = result.row
    if row is not None:
        if row.ver < base.ver:
            return base
        return rebase.Base(ver=row.ver, values=None if row.deleted else row.values)
    if result.ver <= base.ver:
        return base
    return rebase.Base(ver=result.ver, values=rebase.step(table, base.values, mutation))


def _learn(tx: database.Transaction, mutation: wire.Mutation, result: wire.Result) -> None:
    """What a refusal tells of the row."""
    table = tables.BY_NAME[mutation.table]
    base = rebase.base_of(tx, table, mutation.row_id)
    if result.row is not None:
        rebase.set_base(tx, table, mutation.row_id, _confirmed(table, base, mutation, result))
    elif result.code == ROW_DELETED and result.ver > base.ver:
        rebase.set_base(tx, table, mutation.row_id, rebase.Base(ver=result.ver, values=None))
