"""What two people changed at once: both values, who and when, and what was decided."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from domain import tables
from storage import database, rows


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflict:
    id: str
    ver: int
    location_id: str
    created_at: datetime
    tbl: str
    row_id: str
    lead_id: str | None = None
    unit: str
    policy: str
    base: Mapping[str, Any] | None = field(default=None, hash=False)
    winner: Mapping[str, Any] | None = field(default=None, hash=False)
    loser: Mapping[str, Any] | None = field(default=None, hash=False)
    winner_by: str | None = None
    winner_at: datetime | None = None
    loser_by: str | None = None
    loser_at: datetime | None = None
    status: str
    resolution: str | None = None
    resolved_by: str | None = None
    resolved_at: datetime | None = None


def get(reads: database.Reads, conflict_id: str) -> Conflict | None:
    found = _conflicts(reads.rows("SELECT * FROM conflicts WHERE id = ?", (conflict_id,)))
    return found[0] if found else None


def open_conflicts(reads: database.Reads, *, limit: int = 500) -> list[Conflict]:
    """Not decided yet, the oldest first."""
    return _conflicts(
        reads.rows("SELECT * FROM conflicts WHERE status = 'open' ORDER BY created_at, id LIMIT ?", (limit,))
    )


def of_row(reads: database.Reads, tbl: str, row_id: str) -> list[Conflict]:
    """All of one row, newest first: its history."""
    return _conflicts(
        reads.rows(
            "SELECT * FROM conflicts WHERE tbl = ? AND row_id = ? ORDER BY created_at DESC, id", (tbl, row_id)
        )
    )


def count_open(reads: database.Reads) -> int:
    return int(reads.value("SELECT count(*) FROM conflicts WHERE status = 'open'"))


def _conflicts(found: Iterable[sqlite3.Row]) -> list[Conflict]:
    return rows.as_values(Conflict, tables.CONFLICTS, found)
