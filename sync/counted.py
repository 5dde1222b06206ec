"""What the store alone can tell of sync: counts of what waits, the first load, the last comparison."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any

from storage import agreed, blobs, conflicts, cursor, database, outbox

TABLES = frozenset({"outbox", "blobs", "conflicts", "sync_state"})


def counted(db: database.Database, touched: Collection[str]) -> dict[str, Any]:
    """Fields of SyncStatus that a change of these tables may have changed."""
    found: dict[str, Any] = {}
    if "outbox" in touched:
        counts = outbox.counts(db)
        found |= {"pending": counts.pending, "parked": counts.parked}
    if "conflicts" in touched:
        found["conflicts"] = conflicts.count_open(db)
    if "blobs" in touched:
        found["files"] = blobs.count_unsent(db)
    if "sync_state" in touched:
        place, compared = cursor.place(db), agreed.last(db)
        found |= {
            "first_done": place.first_done,
            "first_total": place.first_total,
            "first_complete": place.first_complete,
            "compared_at": _time(compared.at_ms),
            "compared_equal": compared.equal if compared.at_ms else None,
            "compared_rows": compared.rows,
        }
    return found


def _time(ms: int) -> datetime | None:
    return datetime.fromtimestamp(ms / 1000, UTC) if ms else None
