"""Recordings of others that were fetched to be heard here: a cache of files, the longest unheard goes first."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from storage import database, rows


@dataclass(frozen=True, slots=True, kw_only=True)
class Download:
    """`complete`: all of it is at `path`, and it is what the note says. Until then the file grows."""

    note_id: str
    location_id: str
    path: Path
    sha256: str
    size: int
    complete: bool
    at_ms: int


def of_note(reads: database.Reads, note_id: str) -> Download | None:
    row = reads.row("SELECT * FROM downloads WHERE note_id = ?", (note_id,))
    return _download(row) if row else None


def put(tx: database.Transaction, one: Download) -> None:
    """A new one, or what is known of it now."""
    tx.execute(
        "INSERT INTO downloads (note_id, location_id, path, sha256, size, complete, at_ms)"
        " VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (note_id) DO UPDATE SET location_id = excluded.location_id,"
        " path = excluded.path, sha256 = excluded.sha256, size = excluded.size, complete = excluded.complete,"
        " at_ms = excluded.at_ms",
        (one.note_id, one.location_id, str(one.path), one.sha256, one.size, int(one.complete), one.at_ms),
    )
    tx.touch("downloads")


def total_bytes(reads: database.Reads) -> int:
    return int(reads.value("SELECT coalesce(sum(size), 0) FROM downloads"))


def make_room(tx: database.Transaction, *, most_bytes: int, keep: str) -> list[Path]:
    """Forget the longest unheard until all take `most_bytes`, but never `keep`; files to delete after the commit."""
    over = total_bytes(tx) - most_bytes
    gone = []
    for row in tx.rows(
        "SELECT note_id, size FROM downloads WHERE note_id <> ? ORDER BY at_ms, note_id", (keep,)
    ):
        if over <= 0:
            break
        over -= row["size"]
        gone.append(row["note_id"])
    return forget(tx, gone)


def forget(tx: database.Transaction, note_ids: Sequence[str]) -> list[Path]:
    """Files to delete after the commit."""
    found = tx.rows(
        "DELETE FROM downloads WHERE note_id IN (SELECT value FROM json_each(?)) RETURNING path",
        (rows.dumps(list(note_ids)),),
    )
    if found:
        tx.touch("downloads")
    return [Path(row["path"]) for row in found]


def forget_elsewhere(tx: database.Transaction, location_ids: Sequence[str]) -> list[Path]:
    """What belongs to none of these locations; files to delete after the commit."""
    found = tx.rows(
        "DELETE FROM downloads WHERE coalesce((SELECT location_id FROM notes WHERE id = note_id), location_id)"
        " NOT IN (SELECT value FROM json_each(?)) RETURNING path",
        (rows.dumps(list(location_ids)),),
    )
    return [Path(row["path"]) for row in found]


def _download(row: sqlite3.Row) -> Download:
    return Download(
        note_id=row["note_id"],
        location_id=row["location_id"],
        path=Path(row["path"]),
        sha256=row["sha256"],
        size=row["size"],
        complete=bool(row["complete"]),
        at_ms=row["at_ms"],
    )
