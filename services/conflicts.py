"""A conflict as a person decides it: both values, by whom, when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ConflictField:
    """One field of the unit that two people changed: before, what stands now, and what lost."""

    name: str
    base: object
    winner: object
    loser: object


@dataclass(frozen=True, slots=True, kw_only=True)
class ConflictItem:
    """Two versions of one unit. `mine_won`: True, False, or None where neither version is this person's."""

    id: str
    table: str
    row_id: str
    lead_id: str
    lead_name: str
    unit: str
    policy: str
    fields: tuple[ConflictField, ...]
    winner_by: str
    winner_at: datetime | None
    loser_by: str
    loser_at: datetime | None
    mine_won: bool | None
    status: str
    created_at: datetime
