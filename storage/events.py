"""A diary of sync for the sync centre and for support: names and numbers, never contents."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from domain import values
from storage import database, rows

KEPT = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    id: int
    at: datetime
    level: str
    event: str
    detail: Mapping[str, Any] = field(hash=False)


def add(
    tx: database.Transaction, event: str, *, level: str = "info", at: datetime | None = None, **detail: Any
) -> None:
    tx.execute(
        "INSERT INTO sync_events (at, level, event, detail) VALUES (?, ?, ?, ?)",
        (values.time_text(at or datetime.now(UTC)), level, event, rows.dumps(detail)),
    )
    tx.touch("sync_events")


def recent(reads: database.Reads, *, limit: int = 200) -> list[Event]:
    """Newest first."""
    return [
        Event(
            id=row["id"],
            at=values.parse_time(row["at"]),
            level=row["level"],
            event=row["event"],
            detail=json.loads(row["detail"]),
        )
        for row in reads.rows("SELECT * FROM sync_events ORDER BY id DESC LIMIT ?", (limit,))
    ]


def prune(tx: database.Transaction) -> int:
    """Keep the newest 2,000."""
    return tx.execute("DELETE FROM sync_events WHERE id <= (SELECT max(id) FROM sync_events) - ?", (KEPT,))
