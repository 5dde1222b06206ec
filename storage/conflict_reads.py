"""Conflicts seen from a person's side: where their value lost, and leads that may be one person twice."""

from __future__ import annotations

from datetime import datetime

from domain import tables, values
from storage import conflicts, database, rows

DUPLICATE = "duplicate"
"""The unit of a conflict between two leads that may be the same person."""


def lost_by(reads: database.Reads, user_id: str, *, since: datetime, limit: int) -> list[conflicts.Conflict]:
    """Decided by a rule or by somebody else, and not for this person's value; newest first.

    Texts are left out: there both sides' words are kept.
    """
    return _read(
        reads,
        "status <> 'open' AND policy NOT IN ('text', 'duplicate') AND winner_by IS NOT loser_by"
        " AND coalesce(resolved_by, '') <> :me AND coalesce(resolved_at, created_at) >= :since"
        " AND :me = CASE WHEN resolution = 'restored' THEN winner_by ELSE loser_by END"
        " ORDER BY coalesce(resolved_at, created_at) DESC, id LIMIT :limit",
        {"me": user_id, "since": values.time_text(since), "limit": limit},
    )


def duplicates_of(reads: database.Reads, lead_id: str) -> list[conflicts.Conflict]:
    """Undecided pairs that this lead is one of."""
    return _read(
        reads,
        "status = 'open' AND unit = 'duplicate' AND"
        " :lead IN (row_id, json_extract(winner, '$.id'), json_extract(loser, '$.id')) ORDER BY created_at, id",
        {"lead": lead_id},
    )


_TO_SETTLE = (
    "status = 'open' AND (:me IN (winner_by, loser_by) OR EXISTS (SELECT 1 FROM leads WHERE"
    " leads.id IN (conflicts.lead_id, json_extract(winner, '$.id'), json_extract(loser, '$.id'))"
    " AND (agent_id = :me OR (:of_nobody AND agent_id IS NULL))) OR (:of_nobody AND lead_id IS NULL))"
)


def to_settle(
    reads: database.Reads, user_id: str, *, of_nobody: bool, limit: int
) -> list[conflicts.Conflict]:
    """Undecided ones of this person's values and leads, the oldest first; `of_nobody`: of unassigned leads, too."""
    given = {"me": user_id, "of_nobody": of_nobody, "limit": limit}
    return _read(reads, f"{_TO_SETTLE} ORDER BY created_at, id LIMIT :limit", given)


def count_to_settle(reads: database.Reads, user_id: str, *, of_nobody: bool) -> int:
    given = {"me": user_id, "of_nobody": of_nobody}
    return int(reads.value(f"SELECT count(*) FROM conflicts WHERE {_TO_SETTLE}", given))  # noqa: S608 - this file's


def _read(reads: database.Reads, where: str, given: dict[str, object]) -> list[conflicts.Conflict]:
    found = reads.rows(f"SELECT * FROM conflicts WHERE {where}", given)  # noqa: S608 - texts of this file
    return rows.as_values(conflicts.Conflict, tables.CONFLICTS, found)
