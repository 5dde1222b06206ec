"""What becomes of a change: added, sent, confirmed or refused; and the journal of the confirmed ones, kept for 14 days."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from domain import wire
from storage import database, outbox, outbox_order, rows
from storage.outbox import Line, State

JOURNAL_MS = 14 * 24 * 3600 * 1000


def add(
    tx: database.Transaction,
    mutation: wire.Mutation,
    *,
    earlier: Sequence[Line],
    urgent: bool,
    mono_ms: int | None = None,
) -> int:
    """Append a change; its mid. One that builds on a parked change of `earlier` (its row's) waits with it.

    `mono_ms`: when it was made, by the monotonic clock of this run of the process.
    """
    tx.touch("outbox")
    mid = tx.insert(
        f"{_INSERT} urgent, boot_id, boot_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            *_content(mutation),
            int(urgent),
            "" if mono_ms is None else tx.session,
            mono_ms or 0,
        ),
    )
    if any(line.state is State.PARKED for line in earlier) or tx.value(_HELD_ACTION, (mutation.group,)):
        outbox_order.settle(tx, [(mutation.table, mutation.row_id)])
    return mid


_INSERT = "INSERT INTO outbox (grp, tbl, row_id, op, patch, base_ver, base, edit_ms, seen_server_ms, schema,"
_HELD_ACTION = "SELECT 1 FROM outbox INDEXED BY outbox_parked WHERE state = 'parked' AND grp = ? LIMIT 1"


def _content(mutation: wire.Mutation) -> tuple[object, ...]:
    return (
        mutation.group,
        mutation.table,
        mutation.row_id,
        mutation.op.value,
        rows.dumps(mutation.patch),
        mutation.base_ver,
        rows.dumps(mutation.base),
        mutation.edit_ms,
        mutation.seen_server_ms,
        mutation.schema,
    )


def put_back(tx: database.Transaction, line: Line) -> None:
    """What was dropped is there again, in its place; twice is once."""
    tx.execute(
        f"{_INSERT} mid, urgent, state, attempts, code, message)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (mid) DO NOTHING",
        (
            *_content(line.mutation),
            line.mid,
            int(line.urgent),
            line.state,
            line.attempts,
            line.code,
            line.message,
        ),
    )
    tx.touch("outbox")


def mark_inflight(tx: database.Transaction, mids: Iterable[int]) -> None:
    tx.executemany(
        "UPDATE outbox SET state = 'inflight', attempts = attempts + 1 WHERE mid = ? AND state <> 'acked'",
        [(mid,) for mid in mids],
    )


def mark_unanswered(tx: database.Transaction, mid: int) -> None:
    """The server did not say what became of it: to be sent again, under its number."""
    tx.execute("UPDATE outbox SET state = 'pending' WHERE mid = ? AND state = 'inflight'", (mid,))
    tx.touch("outbox")


def mark_acked(tx: database.Transaction, mid: int, now_ms: int) -> None:
    tx.execute(
        "UPDATE outbox SET state = 'acked', acked_ms = ?, code = '', message = '' WHERE mid = ?",
        (now_ms, mid),
    )
    tx.touch("outbox")


def mark_parked(tx: database.Transaction, mid: int, *, code: str, message: str) -> None:
    """Parks a change with those that build on it; the rest of the queue moves on."""
    mark_refused(tx, [wire.Result(mid=mid, status=wire.Status.PARKED, code=code, message=message)])


def mark_refused(tx: database.Transaction, results: Sequence[wire.Result]) -> None:
    """Parks what the server refused with what builds on it. A refusal that may be older than the row's return counts as
    one before it."""
    found = outbox.lines(tx, [result.mid for result in results])
    codes = {result.mid: result.code for result in results}
    depend = {line.group or line.mid for line in found if codes[line.mid] == outbox.BLOCKED}
    # What the server calls dependent waits by itself only where it is known here for what; with its whole action.
    codes |= {line.mid: outbox.ORPHANED for line in found if (line.group or line.mid) in depend}
    early = {line.mid for line in found if line.code == outbox_order.CAME_BACK}
    tx.executemany(
        "UPDATE outbox SET state = 'parked', code = ?, message = ? WHERE mid = ?",
        [(codes[result.mid], result.message, result.mid) for result in results],
    )
    tx.touch("outbox")
    outbox_order.settle(tx, {line.row for line in found})
    missed = early & {mid for mid, code in codes.items() if code == outbox.NOT_FOUND}
    if missed:
        outbox_order.send_again(tx, outbox.lines(tx, sorted(missed)))


def drop(tx: database.Transaction, mids: Iterable[int]) -> None:
    """Take changes out for good: a person discarded them. Then: `outbox_order.settle`."""
    tx.executemany("DELETE FROM outbox WHERE mid = ?", [(mid,) for mid in mids])
    tx.touch("outbox")


def renumber(tx: database.Transaction) -> None:
    """All unconfirmed changes get new mids above every old one, in the same order; the journal goes."""
    tx.execute("DELETE FROM outbox WHERE state = 'acked'")
    top = tx.value("SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'outbox'") or 0
    tx.execute(f"UPDATE outbox SET mid = mid + ?, {outbox_order.FRESH}", (top,))  # noqa: S608 - fixed words
    tx.execute(
        "UPDATE sqlite_sequence SET seq = max(seq, (SELECT coalesce(max(mid), 0) FROM outbox)) WHERE name = 'outbox'"
    )
    tx.execute("UPDATE outbox SET state = 'pending' WHERE state = 'inflight'")
    tx.touch("outbox")


def prune(tx: database.Transaction, now_ms: int) -> int:
    """Forget confirmed changes older than 14 days."""
    return tx.execute("DELETE FROM outbox WHERE state = 'acked' AND acked_ms < ?", (now_ms - JOURNAL_MS,))


def park_unreadable(tx: database.Transaction) -> int:
    """Changes whose values no longer read as JSON (a damaged file) wait for a person, and hold up no other action."""
    found = tx.rows(
        "SELECT mid, grp FROM outbox INDEXED BY outbox_by_row WHERE state <> 'acked' AND state <> 'parked'"
        " AND NOT (json_valid(patch) AND json_valid(base))"
    )
    for row in found:
        tx.execute(
            "UPDATE outbox SET state = 'parked', code = 'group' WHERE grp = ? AND state <> 'acked'",
            (row["grp"],),
        )
    for row in found:
        mark_parked(tx, row["mid"], code=outbox.UNREADABLE, message=outbox.DAMAGED)
    return len(found)
