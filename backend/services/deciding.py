"""Conflicts are decided by people: what they may say, and what the server knows better (who decided, and when)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from backend.services.work import Refused, Work
from backend.storage.rows import Stored
from domain import duplicates, tables, values

OPEN = "open"
_SAID = ("status", "resolution")
_KNOWN = frozenset({"resolved_by", "resolved_at"})


def checked(work: Work, row: Stored, patch: Mapping[str, Any], edit_ms: int) -> Mapping[str, Any]:
    """What a change of this record writes; of other tables the change itself. Raises: Refused."""
    if row.table is not tables.CONFLICTS:
        return patch
    _check(row, patch)
    rest = {name: value for name, value in patch.items() if name not in _KNOWN}
    if all(rest.get(name, row.values[name]) == row.values[name] for name in _SAID):
        return rest  # it says nothing that is not said already
    at = datetime.fromtimestamp(edit_ms / 1000, UTC)
    return {**rest, "resolved_by": work.actor.id, "resolved_at": values.time_text(at)}


def _check(row: Stored, patch: Mapping[str, Any]) -> None:
    """A decision may be turned round by who saw it, never taken back; two leads that are one by now stay one."""
    before = {name: row.values[name] for name in _SAID}
    after = {name: patch.get(name, before[name]) for name in _SAID}
    reopened = before["status"] != OPEN and after["status"] == OPEN
    unsaid = before["resolution"] is not None and after["resolution"] is None
    parted = before["resolution"] == duplicates.MERGE != after["resolution"]
    if reopened or unsaid or parted:
        raise Refused("decided", "This is decided, and stays so.", ver=row.ver)
    if after["resolution"] == duplicates.MERGE and row.values["unit"] != duplicates.UNIT:
        raise Refused("bad_value", "Only two leads that may be one person can be merged.", ver=row.ver)
