"""Leads as this device has them."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from domain import contact, duplicates, tables, values
from storage import database, rows


@dataclass(frozen=True, slots=True, kw_only=True)
class Lead:
    id: str
    ver: int
    location_id: str
    created_at: datetime
    agent_id: str | None = None
    kind: str
    name: str
    phone: str | None = None
    email: str | None = None
    address: str | None = None
    city: str | None = None
    state: str | None = None
    zip: str | None = None
    lat: float | None = None
    lon: float | None = None
    stage: str
    stage_reason: str | None = None
    source: str | None = None
    motivation: str | None = None
    timeline_days: int | None = None
    condition: str | None = None
    financing: str | None = None
    area: str | None = None
    price_cents: int | None = None
    price_on: date | None = None
    answers: Mapping[str, Any] | None = field(default=None, hash=False)
    answer_quality: float | None = None
    frs: float | None = None
    pcs: float | None = None
    score: float | None = None
    temperature: str | None = None
    tags: tuple[str, ...] | None = None
    opted_out: bool | None = None
    opted_out_at: datetime | None = None
    opted_out_words: str | None = None
    consent_text: bool | None = None
    consent_call: bool | None = None
    consent_words: str | None = None
    consent_at: datetime | None = None
    last_inbound_at: datetime | None = None
    last_touch_at: datetime | None = None
    answer_due_at: datetime | None = None
    external_id: str | None = None

    @property
    def ways(self) -> tuple[str, ...]:
        """Its numbers and e-mails, in the one form that is compared."""
        return duplicates.ways({"phone": self.phone, "email": self.email})


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """A rectangle of the map. West may be greater than east: it crosses the date line."""

    south: float
    west: float
    north: float
    east: float


def get(reads: database.Reads, lead_id: str) -> Lead | None:
    found = reads.rows("SELECT * FROM leads WHERE id = ?", (lead_id,))
    return _leads(found)[0] if found else None


def many(reads: database.Reads, lead_ids: Sequence[str]) -> dict[str, Lead]:
    """Those that are here, by id."""
    found = reads.rows(
        "SELECT * FROM leads WHERE id IN (SELECT value FROM json_each(?))", (rows.dumps(list(lead_ids)),)
    )
    return {lead.id: lead for lead in _leads(found)}


def listed(
    reads: database.Reads,
    *,
    agent_id: str | None = None,
    location_id: str | None = None,
    stages: Sequence[str] = (),
    temperatures: Sequence[str] = (),
    limit: int = 200,
    offset: int = 0,
) -> list[Lead]:
    """Best score first, unscored last."""
    found = reads.rows(
        "SELECT * FROM leads WHERE (?1 IS NULL OR agent_id = ?1) AND (?2 IS NULL OR location_id = ?2)"
        " AND (?3 = '[]' OR stage IN (SELECT value FROM json_each(?3)))"
        " AND (?4 = '[]' OR temperature IN (SELECT value FROM json_each(?4)))"
        " ORDER BY score IS NULL, score DESC, id LIMIT ?5 OFFSET ?6",
        (agent_id, location_id, rows.dumps(list(stages)), rows.dumps(list(temperatures)), limit, offset),
    )
    return _leads(found)


def in_box(reads: database.Reads, box: Box, *, limit: int = 20_000) -> list[Lead]:
    """Leads inside the rectangle, by the index on place."""
    where, params = box_test(box)
    return _leads(reads.rows(f"SELECT * FROM leads WHERE {where} LIMIT ?", [*params, limit]))  # noqa: S608 - fixed words


def box_test(box: Box) -> tuple[str, list[float]]:
    joined = "AND" if box.west <= box.east else "OR"
    return f"lat BETWEEN ? AND ? AND (lon >= ? {joined} lon <= ?)", [box.south, box.north, box.west, box.east]


_SAME_CONTACT = """SELECT * FROM leads WHERE rowid IN (
    SELECT rowid FROM leads WHERE phone IN (SELECT value FROM json_each(?1))
    UNION SELECT rowid FROM leads WHERE email COLLATE NOCASE IN (SELECT value FROM json_each(?1))
    UNION SELECT rowid FROM leads WHERE phone IS NOT NULL AND phone IS NOT '+' || CAST(phone AS INTEGER)
    UNION SELECT rowid FROM leads WHERE email GLOB '*[^-a-zA-Z0-9.@_+]*' OR email GLOB '*@*@*')
    ORDER BY created_at, id"""


def same_contact(
    reads: database.Reads, *, phone: str | None, email: str | None, except_id: str = ""
) -> list[Lead]:
    """Leads with the same number or e-mail, by the server's rules: however these fields and theirs are written.

    What is stored in the usual form is found by its index; the few others are compared here.
    """
    ways = set(duplicates.ways({"phone": phone, "email": email}))
    found = _leads(reads.rows(_SAME_CONTACT, (rows.dumps(sorted(ways)),))) if ways else []
    return [lead for lead in found if lead.id != except_id and not ways.isdisjoint(lead.ways)]


def is_opted_out(reads: database.Reads, lead: Lead) -> bool:
    """An opt-out belongs to the number and the e-mail: also one that another lead here has and the server has not spread yet."""
    twins = same_contact(reads, phone=lead.phone, email=lead.email)
    return contact.opted_out_last(one.opted_out for one in (lead, *twins))


def overdue(reads: database.Reads, now: datetime, *, limit: int = 200) -> list[Lead]:
    """Leads whose first answer is past due, the longest first."""
    return _leads(
        reads.rows(
            "SELECT * FROM leads WHERE answer_due_at IS NOT NULL AND answer_due_at < ? ORDER BY answer_due_at LIMIT ?",
            (values.time_text(now), limit),
        )
    )


def count(reads: database.Reads, *, agent_id: str | None = None) -> int:
    return int(reads.value("SELECT count(*) FROM leads WHERE ?1 IS NULL OR agent_id = ?1", (agent_id,)))


def names(reads: database.Reads, lead_ids: Iterable[str | None]) -> dict[str, str]:
    """Names by id, for lists that only mention leads."""
    wanted = sorted({lead_id for lead_id in lead_ids if lead_id})
    found = reads.rows(
        "SELECT id, name FROM leads WHERE id IN (SELECT value FROM json_each(?))", (rows.dumps(wanted),)
    )
    return {row["id"]: row["name"] for row in found}


def _leads(found: Iterable[sqlite3.Row]) -> list[Lead]:
    return rows.as_values(Lead, tables.LEADS, found)
