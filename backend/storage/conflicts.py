"""Conflict records: both values of a unit that two people changed, as a synced row of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from backend.storage import rows
from domain import merge, tables, values

WHOLE_ROW = "row"
"""The unit of a conflict between an edit and a deletion."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """What one of the two wanted, who and when (Unix ms)."""

    values: Mapping[str, Any]
    by: str | None
    at_ms: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    unit: str
    policy: str
    base: Mapping[str, Any]
    winner: Side
    loser: Side
    open: bool = False
    lead_id: str = ""
    """The lead that the record belongs to; "" = the row's own."""


def of_merge(found: merge.Conflict, actor_id: str) -> Record:
    """The record of what the merge decided, or left to a person."""
    mine = Side(values=found.incoming, by=actor_id, at_ms=found.incoming_at_ms)
    theirs = Side(values=found.server, by=found.server_change.by, at_ms=found.server_change.at_ms)
    return Record(
        unit=found.unit,
        policy=found.policy.value,
        base=found.base,
        winner=mine if found.applied else theirs,
        loser=theirs if found.applied else mine,
        open=found.open,
    )


def values_of(row: rows.Stored, record: Record, *, now: datetime) -> dict[str, Any]:
    """The fields of the record's row."""
    own = row.id if row.table is tables.LEADS else row.values.get("lead_id")
    return {
        "location_id": row.scope,
        "created_at": values.time_text(now),
        "tbl": row.table.name,
        "row_id": row.id,
        "lead_id": record.lead_id or own,
        "unit": record.unit,
        "policy": record.policy,
        "base": record.base,
        "winner": record.winner.values,
        "loser": record.loser.values,
        "winner_by": record.winner.by,
        "winner_at": _time(record.winner.at_ms),
        "loser_by": record.loser.by,
        "loser_at": _time(record.loser.at_ms),
        "status": "open" if record.open else "settled",
    }


def _time(ms: int | None) -> str | None:
    return None if ms is None else values.time_text(datetime.fromtimestamp(ms / 1000, UTC))
