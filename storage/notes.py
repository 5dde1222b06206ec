"""Voice and text notes as this device has them."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from domain import tables
from storage import database, rows


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    id: str
    ver: int
    location_id: str
    created_at: datetime
    agent_id: str
    audio_sha256: str | None = None
    audio_bytes: int | None = None
    audio_seconds: float | None = None
    audio_type: str | None = None
    lead_id: str | None = None
    state: str
    engine: str | None = None
    proposals: tuple[Mapping[str, Any], ...] | Mapping[str, Any] | None = field(default=None, hash=False)
    error: str | None = None
    text: str | None = None
    transcript: str | None = None


def get(reads: database.Reads, note_id: str) -> Note | None:
    found = _notes(reads.rows("SELECT * FROM notes WHERE id = ?", (note_id,)))
    return found[0] if found else None


def recent(reads: database.Reads, *, agent_id: str | None = None, limit: int = 100) -> list[Note]:
    """Newest first."""
    return _notes(
        reads.rows(
            "SELECT * FROM notes WHERE ?1 IS NULL OR agent_id = ?1 ORDER BY created_at DESC, id DESC LIMIT ?2",
            (agent_id, limit),
        )
    )


def of_lead(reads: database.Reads, lead_id: str, *, limit: int = 100) -> list[Note]:
    """Newest first."""
    return _notes(
        reads.rows(
            "SELECT * FROM notes WHERE lead_id = ? ORDER BY created_at DESC, id DESC LIMIT ?",
            (lead_id, limit),
        )
    )


def in_states(reads: database.Reads, states: Sequence[str]) -> list[Note]:
    """The oldest first: what waits for transcription or review."""
    return _notes(
        reads.rows(
            "SELECT * FROM notes WHERE state IN (SELECT value FROM json_each(?)) ORDER BY created_at, id",
            (rows.dumps(list(states)),),
        )
    )


def _notes(found: Iterable[sqlite3.Row]) -> list[Note]:
    return rows.as_values(Note, tables.NOTES, found)
