"""Colleagues: the names behind ids."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from domain import tables
from storage import database, rows


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """A user in one location; `user_id` is what other rows call agent_id, winner_by and so on."""

    id: str
    ver: int
    location_id: str
    created_at: datetime
    user_id: str
    name: str
    role: str


def listed(reads: database.Reads, *, location_id: str | None = None) -> list[Person]:
    """By name."""
    found = reads.rows(
        "SELECT * FROM people WHERE ?1 IS NULL OR location_id = ?1 ORDER BY name COLLATE NOCASE, id",
        (location_id,),
    )
    return rows.as_values(Person, tables.PEOPLE, found)


def names(reads: database.Reads) -> dict[str, str]:
    """Name by user id."""
    return {row["user_id"]: row["name"] for row in reads.rows("SELECT user_id, name FROM people")}
