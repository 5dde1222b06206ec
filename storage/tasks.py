"""Tasks as this device has them."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from domain import tables, values
from storage import database, rows


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    id: str
    ver: int
    location_id: str
    created_at: datetime
    lead_id: str | None = None
    agent_id: str | None = None
    title: str
    kind: str
    due_at: datetime | None = None
    done_at: datetime | None = None
    text: str | None = None


def get(reads: database.Reads, task_id: str) -> Task | None:
    found = _tasks(reads.rows("SELECT * FROM tasks WHERE id = ?", (task_id,)))
    return found[0] if found else None


def open_tasks(
    reads: database.Reads,
    *,
    agent_id: str | None = None,
    due_before: datetime | None = None,
    limit: int = 500,
) -> list[Task]:
    """Not done yet: the soonest due first, those without a date last."""
    return _tasks(
        reads.rows(
            "SELECT * FROM tasks WHERE done_at IS NULL AND (?1 IS NULL OR agent_id = ?1)"
            " AND (?2 IS NULL OR due_at < ?2) ORDER BY due_at IS NULL, due_at, id LIMIT ?3",
            (agent_id, values.time_text(due_before) if due_before else None, limit),
        )
    )


def done(reads: database.Reads, *, agent_id: str | None = None, limit: int = 100) -> list[Task]:
    """The last done first."""
    return _tasks(
        reads.rows(
            "SELECT * FROM tasks WHERE done_at IS NOT NULL AND (?1 IS NULL OR agent_id = ?1)"
            " ORDER BY done_at DESC, id LIMIT ?2",
            (agent_id, limit),
        )
    )


def of_lead(reads: database.Reads, lead_id: str) -> list[Task]:
    """Open ones first, by date."""
    return _tasks(
        reads.rows(
            "SELECT * FROM tasks WHERE lead_id = ? ORDER BY done_at IS NOT NULL, due_at IS NULL, due_at, id",
            (lead_id,),
        )
    )


def _tasks(found: Iterable[sqlite3.Row]) -> list[Task]:
    return rows.as_values(Task, tables.TASKS, found)
