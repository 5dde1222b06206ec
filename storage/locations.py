"""The offices that this person may see."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from domain import tables
from storage import database, rows


@dataclass(frozen=True, slots=True, kw_only=True)
class Location:
    id: str
    ver: int
    location_id: str
    created_at: datetime
    name: str
    state: str | None = None
    zone: str | None = None
    lat: float | None = None
    lon: float | None = None


def get(reads: database.Reads, location_id: str) -> Location | None:
    found = rows.as_values(
        Location, tables.LOCATIONS, reads.rows("SELECT * FROM locations WHERE id = ?", (location_id,))
    )
    return found[0] if found else None


def listed(reads: database.Reads) -> list[Location]:
    """By name."""
    return rows.as_values(
        Location, tables.LOCATIONS, reads.rows("SELECT * FROM locations ORDER BY name COLLATE NOCASE, id")
    )
