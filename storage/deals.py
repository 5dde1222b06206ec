"""Deals as this device has them."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from domain import tables
from storage import database, rows


@dataclass(frozen=True, slots=True, kw_only=True)
class Deal:
    id: str
    ver: int
    location_id: str
    created_at: datetime
    lead_id: str | None = None
    agent_id: str | None = None
    property_id: str | None = None
    source: str | None = None
    stage: str
    stage_reason: str | None = None
    side_held: str
    who_pays: str | None = None
    price_cents: int | None = None
    listing_rate_bp: int | None = None
    buyer_rate_bp: int | None = None
    gross_cents: int | None = None
    net_cents: int | None = None
    expected_close_on: date | None = None
    closed_on: date | None = None


def get(reads: database.Reads, deal_id: str) -> Deal | None:
    found = _deals(reads.rows("SELECT * FROM deals WHERE id = ?", (deal_id,)))
    return found[0] if found else None


def of_lead(reads: database.Reads, lead_id: str) -> list[Deal]:
    return _deals(reads.rows("SELECT * FROM deals WHERE lead_id = ? ORDER BY created_at, id", (lead_id,)))


def listed(
    reads: database.Reads, *, location_id: str | None = None, open_only: bool = False, limit: int = 5000
) -> list[Deal]:
    """Newest first."""
    return _deals(
        reads.rows(
            "SELECT * FROM deals WHERE (?1 IS NULL OR location_id = ?1)"
            " AND (NOT ?2 OR stage NOT IN ('closed', 'lost')) ORDER BY created_at DESC, id LIMIT ?3",
            (location_id, int(open_only), limit),
        )
    )


def _deals(found: Iterable[sqlite3.Row]) -> list[Deal]:
    return rows.as_values(Deal, tables.DEALS, found)
