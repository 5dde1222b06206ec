"""Changes on their way to the server, as they lie in the store: one line each, in the order in which they are sent.

Written by `storage/outbox_writes.py`; what waits for what is worked out in `storage/outbox_order.py`.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from domain import tables, wire
from storage import database, rows

BLOCKED = "depends"
"""The code of a change that waits for another one, and goes by itself after it (the server's word for it, too)."""
ORPHANED = "orphaned"
"""The server says that it builds on a parked change, of which this store knows nothing (any more)."""
NOT_FOUND = "not_found"
"""The server's code for a change of a row that is not there, or not for this person: until it comes (back)."""
UNREADABLE = "unreadable"
DAMAGED = "This change can't be read any more: the file of this store is damaged there."


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
    def mid(self) -> int:
        return self.mutation.mid

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


def of_row(reads: database.Reads, table: str, row_id: str) -> list[Line]:
    """Unconfirmed changes of a row, oldest first."""
    found = reads.rows(
        "SELECT * FROM outbox WHERE tbl = ? AND row_id = ? AND state <> 'acked' ORDER BY mid", (table, row_id)
    )
    return [line(row) for row in found]


def under_way(reads: database.Reads, table: str) -> frozenset[str]:
    """Rows of a table with a change that was sent and has no answer yet."""
    unsent = "SELECT row_id FROM outbox WHERE tbl = ? AND state <> 'acked' AND state = 'inflight'"  # so by its index
    found = reads.each(unsent, (table,))
    return frozenset(row[0] for row in found)


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


def line(row: sqlite3.Row) -> Line:
    """One that can't be read is shown as parked, without its values."""
    try:
        return _line(row, patch=json.loads(row["patch"]), base=json.loads(row["base"]))
    except ValueError:
        damaged = _line(row, patch={}, base={})
        return replace(damaged, state=State.PARKED, code=UNREADABLE, message=DAMAGED)


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


def units(mutation: wire.Mutation) -> set[str]:
    """The merge units that a change touches."""
    known = tables.BY_NAME[mutation.table].by_name if mutation.table in tables.BY_NAME else {}
    return {known[name].unit if name in known else name for name in mutation.patch}
