"""Voice files on their way up: a queue of their own that never holds up rows."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from domain import ids
from storage import database, rows, settings

DEFAULT_MOST_BYTES = 50 * 1024 * 1024
_MOST = "server.upload_most_bytes"
_HELD_BACK = "Its note was discarded, so it is not sent. Export it, or discard it as well."


class State(StrEnum):
    WAITING = "waiting"
    SENDING = "sending"
    SENT = "sent"
    FAILED = "failed"  # the server refuses this file: a person must look


@dataclass(frozen=True, slots=True, kw_only=True)
class Blob:
    id: str
    note_id: str
    location_id: str
    path: Path
    sha256: str
    size: int
    sent: int
    url: str
    media_type: str
    state: State
    attempts: int
    error: str


def add(
    tx: database.Transaction,
    *,
    note_id: str,
    location_id: str,
    path: Path,
    sha256: str,
    size: int,
    media_type: str,
) -> str:
    """Queue a file that is on disk already; its blob id. In the transaction that writes the note."""
    blob_id = ids.new_id()
    tx.execute(
        "INSERT INTO blobs (id, note_id, location_id, path, sha256, size, media_type) VALUES (?, ?, ?, ?, ?, ?, ?)",
        (blob_id, note_id, location_id, str(path), sha256, size, media_type),
    )
    tx.touch("blobs")
    return blob_id


def waiting(reads: database.Reads, *, limit: int = 50, last: Collection[str] = ()) -> list[Blob]:
    """Small first, those of the ids `last` after all others; each where its note is now.

    A file is sent only after its note is on the server.
    """
    return _blobs(
        reads.rows(
            "SELECT b.id, note_id, coalesce(n.location_id, b.location_id) AS location_id, path, sha256, size, sent,"
            " url, media_type, b.state, attempts, b.error FROM blobs AS b LEFT JOIN notes AS n ON n.id = note_id"
            " WHERE b.state IN ('waiting', 'sending') AND NOT EXISTS (SELECT 1 FROM outbox"
            " WHERE tbl = 'notes' AND row_id = note_id AND op = 'put' AND outbox.state <> 'acked')"
            " ORDER BY b.id IN (SELECT value FROM json_each(?)), size, b.id LIMIT ?",
            (rows.dumps(list(last)), limit),
        )
    )


def next_file(reads: database.Reads, *, metered_ok: bool, last: Collection[str] = ()) -> Blob | None:
    """Which file goes next; None where none waits, or all of them wait for Wi-Fi.

    `metered_ok`: the connection costs nothing by the byte, or the person doesn't mind. `last`: files that failed by
    no fault of their own just now: the others don't wait behind them.
    """
    found = waiting(reads, limit=1, last=last) if metered_ok else []
    return found[0] if found else None


def most_bytes(reads: database.Reads) -> int:
    """The largest file that the server takes, as it said last."""
    return int(settings.get(reads, _MOST, DEFAULT_MOST_BYTES))


def put_most_bytes(tx: database.Transaction, size: int) -> None:
    settings.put(tx, _MOST, size)


def unsent(reads: database.Reads) -> list[Blob]:
    """All that is not on the server, for the sync centre."""
    return _blobs(reads.rows("SELECT * FROM blobs WHERE state <> 'sent' ORDER BY id"))


def unsent_one(reads: database.Reads, blob_id: str) -> Blob | None:
    found = _blobs(reads.rows("SELECT * FROM blobs WHERE id = ? AND state <> 'sent'", (blob_id,)))
    return found[0] if found else None


def count_unsent(reads: database.Reads) -> int:
    return int(reads.value("SELECT count(*) FROM blobs WHERE state <> 'sent'"))


def of_note(reads: database.Reads, note_id: str) -> Blob | None:
    found = _blobs(reads.rows("SELECT * FROM blobs WHERE note_id = ?", (note_id,)))
    return found[0] if found else None


def progressed(tx: database.Transaction, blob_id: str, *, url: str, sent: int) -> None:
    """The server has so much of it. Where that is more than before, it takes this file: what it refused is forgotten."""
    tx.execute(
        "UPDATE blobs SET attempts = CASE WHEN ?2 > sent THEN 0 ELSE attempts END, url = ?1, sent = ?2, state = 'sending', error = ''"
        " WHERE id = ?3",
        (url, sent, blob_id),
    )
    tx.touch("blobs")


def finished(tx: database.Transaction, blob_id: str) -> None:
    tx.execute("UPDATE blobs SET state = 'sent', sent = size, error = '' WHERE id = ?", (blob_id,))
    tx.touch("blobs")


def failed(tx: database.Transaction, blob_id: str, error: str, *, for_good: bool) -> None:
    """`for_good`: only a person can go on (`again`)."""
    tx.execute(
        "UPDATE blobs SET state = ?, attempts = attempts + 1, error = ? WHERE id = ?",
        (State.FAILED if for_good else State.WAITING, error, blob_id),
    )
    tx.touch("blobs")


def again(tx: database.Transaction, blob_id: str) -> None:
    """Send it anew from the start."""
    tx.execute(
        "UPDATE blobs SET state = 'waiting', url = '', sent = 0, attempts = 0, error = '' WHERE id = ?",
        (blob_id,),
    )
    tx.touch("blobs")


def hold_back(tx: database.Transaction, note_ids: Collection[str]) -> None:
    """Of notes that their person gave up before the server had them: nothing of those goes up, nothing is lost either."""
    tx.execute(
        "UPDATE blobs SET state = 'failed', error = ? WHERE state <> 'sent' AND note_id IN (SELECT value FROM json_each(?))",
        (_HELD_BACK, rows.dumps(list(note_ids))),
    )
    tx.touch("blobs")


def let_go_on(tx: database.Transaction, note_ids: Collection[str]) -> None:
    """They were not given up after all."""
    tx.execute(
        "UPDATE blobs SET state = 'waiting', error = '' WHERE state = 'failed' AND error = ?"
        " AND note_id IN (SELECT value FROM json_each(?))",
        (_HELD_BACK, rows.dumps(list(note_ids))),
    )
    tx.touch("blobs")


def _blobs(found: Iterable[sqlite3.Row]) -> list[Blob]:
    return [
        Blob(
            id=row["id"],
            note_id=row["note_id"],
            location_id=row["location_id"],
            path=Path(row["path"]),
            sha256=row["sha256"],
            size=row["size"],
            sent=row["sent"],
            url=row["url"],
            media_type=row["media_type"],
            state=State(row["state"]),
            attempts=row["attempts"],
            error=row["error"],
        )
        for row in found
    ]


def forget(tx: database.Transaction, note_id: str) -> None:
    """The note is discarded: its file is not sent any more. The caller deletes the file after the commit."""
    tx.execute("DELETE FROM blobs WHERE note_id = ?", (note_id,))
    tx.touch("blobs")
