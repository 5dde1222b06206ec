"""Changes on their way to the server: written with the row, sent in order, kept as a journal for 14 days."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from domain import tables, wire
from storage import database, rows

JOURNAL_MS = 14 * 24 * 3600 * 1000
BLOCKED = "depends"
"""The code of a change that only waits for another one (the server's word for it, too)."""
UNREADABLE = "unreadable"
_DAMAGED = "This change can't be read any more: the file of this store is damaged there."


class State(StrEnum):
    PENDING = "pending"
    INFLIGHT = "inflight"  # sent, no answer yet; after a restart the same as pending
    ACKED = "acked"
    PARKED = "parked"  # the server can't apply it: a person must look


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One change and what became of it."""

    mutation: wire.Mutation
    state: State
    urgent: bool = False
    attempts: int = 0
    code: str = ""
    message: str = ""

    @property
    def group(self) -> str:
        return self.mutation.group

    @property
    def row(self) -> tuple[str, str]:
        return self.mutation.table, self.mutation.row_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    pending: int
    parked: int


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
    blocked = _is_blocked(mutation, earlier)
    tx.touch("outbox")
    return tx.insert(
        "INSERT INTO outbox (grp, tbl, row_id, op, patch, base_ver, base, edit_ms, seen_server_ms, schema,"
        " urgent, state, code, boot_id, boot_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
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
            int(urgent),
            State.PARKED if blocked else State.PENDING,
            BLOCKED if blocked else "",
            "" if mono_ms is None else tx.session,
            mono_ms or 0,
        ),
    )


def of_row(reads: database.Reads, table: str, row_id: str) -> list[Line]:
    """Unconfirmed changes of a row, oldest first."""
    found = reads.rows(
        "SELECT * FROM outbox WHERE tbl = ? AND row_id = ? AND state <> 'acked' ORDER BY mid", (table, row_id)
    )
    return [line(row) for row in found]


def get(reads: database.Reads, mid: int) -> Line | None:
    row = reads.row("SELECT * FROM outbox WHERE mid = ?", (mid,))
    return line(row) if row else None


def lines(reads: database.Reads, mids: Sequence[int]) -> list[Line]:
    """The changes of these numbers, in this order."""
    found = reads.rows(
        "SELECT * FROM outbox WHERE mid IN (SELECT value FROM json_each(?))", (rows.dumps(list(mids)),)
    )
    known = {row["mid"]: line(row) for row in found}
    return [known[mid] for mid in mids if mid in known]


def listed(reads: database.Reads, *, state: State | None = None, limit: int = 500) -> list[Line]:
    """For the sync centre: parked first, then in the order of sending."""
    wanted = "= ?" if state else "<> ?"
    found = reads.rows(
        f"SELECT * FROM outbox WHERE state {wanted} ORDER BY state = 'parked' DESC, mid LIMIT ?",  # noqa: S608 - fixed words
        (state or State.ACKED, limit),
    )
    return [line(row) for row in found]


def unsent_rows(reads: database.Reads, table: str) -> dict[str, State]:
    """Rows of a table that carry unsent work: the mark beside each. Parked outweighs pending."""
    found = reads.rows(
        "SELECT row_id, max(state = 'parked') AS parked FROM outbox WHERE tbl = ? AND state <> 'acked'"
        " GROUP BY row_id",
        (table,),
    )
    return {row["row_id"]: State.PARKED if row["parked"] else State.PENDING for row in found}


def counts(reads: database.Reads) -> Counts:
    """Part of what each write costs: both numbers come from the indexes alone."""
    row = reads.row(
        "SELECT (SELECT count(*) FROM outbox INDEXED BY outbox_by_row WHERE state <> 'acked') AS unsent,"
        " (SELECT count(*) FROM outbox INDEXED BY outbox_parked WHERE state = 'parked') AS parked"
    )
    assert row is not None
    return Counts(pending=row["unsent"] - row["parked"], parked=row["parked"])


def oldest_ms(reads: database.Reads) -> int | None:
    """When the oldest change that waits to be sent was made; None = none waits."""
    found: int | None = reads.value(
        "SELECT min(edit_ms) FROM outbox INDEXED BY outbox_by_row WHERE state <> 'acked' AND state <> 'parked'"
    )
    return found


def mark_inflight(tx: database.Transaction, mids: Iterable[int]) -> None:
    tx.executemany(
        "UPDATE outbox SET state = 'inflight', attempts = attempts + 1 WHERE mid = ? AND state <> 'acked'",
        [(mid,) for mid in mids],
    )


def mark_acked(tx: database.Transaction, mid: int, now_ms: int) -> None:
    tx.execute(
        "UPDATE outbox SET state = 'acked', acked_ms = ?, code = '', message = '' WHERE mid = ?",
        (now_ms, mid),
    )
    tx.touch("outbox")


def mark_parked(tx: database.Transaction, mid: int, *, code: str, message: str) -> None:
    """Parks a change with those that build on it; the rest of the queue moves on."""
    tx.execute(
        "UPDATE outbox SET state = 'parked', code = ?, message = ? WHERE mid = ?", (code, message, mid)
    )
    tx.touch("outbox")
    parked = get(tx, mid)
    if parked is not None:
        block_dependants(tx, *parked.row)


def _next_mid(tx: database.Transaction) -> int:
    """A number that was never used, as AUTOINCREMENT would give it."""
    tx.execute("UPDATE sqlite_sequence SET seq = seq + 1 WHERE name = 'outbox'")
    return int(tx.value("SELECT seq FROM sqlite_sequence WHERE name = 'outbox'"))


def mark_waiting(tx: database.Transaction, mid: int) -> None:
    """To be sent (again). A parked one takes a new number, behind all: the server answers the old one as before."""
    known = get(tx, mid)
    parked = known is not None and known.state is State.PARKED
    tx.execute(
        "UPDATE outbox SET mid = ?, state = 'pending', code = '', message = '' WHERE mid = ?",
        (_next_mid(tx) if parked else mid, mid),
    )
    tx.touch("outbox")


def block_dependants(tx: database.Transaction, table: str, row_id: str) -> None:
    """Bring the marks of a row's changes in line: what builds on a parked change waits, the rest may go."""
    before: list[Line] = []
    for item in of_row(tx, table, row_id):
        held = _is_blocked(item.mutation, before)
        if held and item.state is not State.PARKED:
            tx.execute(
                "UPDATE outbox SET state = 'parked', code = ? WHERE mid = ?", (BLOCKED, item.mutation.mid)
            )
        elif not held and item.state is State.PARKED and item.code == BLOCKED:
            mark_waiting(tx, item.mutation.mid)
        fresh = get(tx, item.mutation.mid)
        before += [fresh] if fresh else []


def drop(tx: database.Transaction, mids: Iterable[int]) -> None:
    """Take changes out for good: a person discarded them."""
    tx.executemany("DELETE FROM outbox WHERE mid = ?", [(mid,) for mid in mids])
    tx.touch("outbox")


def renumber(tx: database.Transaction) -> None:
    """All unconfirmed changes get new mids above every old one, in the same order; the journal goes."""
    tx.execute("DELETE FROM outbox WHERE state = 'acked'")
    top = tx.value("SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'outbox'") or 0
    tx.execute("UPDATE outbox SET mid = mid + ?", (top,))
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
        mark_parked(tx, row["mid"], code=UNREADABLE, message=_DAMAGED)
    return len(found)


def line(row: sqlite3.Row) -> Line:
    """One that can't be read is shown as parked, without its values."""
    try:
        return _line(row, patch=json.loads(row["patch"]), base=json.loads(row["base"]))
    except ValueError:
        damaged = _line(row, patch={}, base={})
        return replace(damaged, state=State.PARKED, code=UNREADABLE, message=_DAMAGED)


def _line(row: sqlite3.Row, *, patch: Mapping[str, Any], base: Mapping[str, Any]) -> Line:
    return Line(
        mutation=wire.Mutation(
            mid=row["mid"],
            group=row["grp"],
            table=row["tbl"],
            row_id=row["row_id"],
            op=wire.Op(row["op"]),
            patch=patch,
            base_ver=row["base_ver"],
            base=base,
            edit_ms=row["edit_ms"],
            seen_server_ms=row["seen_server_ms"],
            schema=row["schema"],
        ),
        state=State(row["state"]),
        urgent=bool(row["urgent"]),
        attempts=row["attempts"],
        code=row["code"],
        message=row["message"],
    )


def _is_blocked(mutation: wire.Mutation, earlier: Iterable[Line]) -> bool:
    """Builds on a parked change: of a row that is not made yet, or of the same unit."""
    mine = units(mutation)
    return any(
        item.state is State.PARKED
        and (
            item.mutation.op is not wire.Op.PATCH
            or mutation.op is not wire.Op.PATCH
            or mine & units(item.mutation)
        )
        for item in earlier
    )


def units(mutation: wire.Mutation) -> set[str]:
    """The merge units that a change touches."""
    known = tables.BY_NAME[mutation.table].by_name if mutation.table in tables.BY_NAME else {}
    return {known[name].unit if name in known else name for name in mutation.patch}
