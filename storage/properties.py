"""Properties and sales as this device has them."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from domain import tables
from storage import database, leads, rows


@dataclass(frozen=True, slots=True, kw_only=True)
class Property:
    id: str
    ver: int
    location_id: str
    created_at: datetime
    lead_id: str | None = None
    status: str
    source: str | None = None
    address: str | None = None
    city: str | None = None
    state: str | None = None
    zip: str | None = None
    lat: float | None = None
    lon: float | None = None
    price_cents: int | None = None
    price_on: date | None = None
    beds: float | None = None
    baths: float | None = None
    sqft: int | None = None
    lot_sqft: int | None = None
    floors: float | None = None
    year_built: int | None = None
    year_renovated: int | None = None
    condition: int | None = None
    grade: int | None = None
    waterfront: bool | None = None
    view: int | None = None
    external_id: str | None = None


def get(reads: database.Reads, property_id: str) -> Property | None:
    found = _properties(reads.rows("SELECT * FROM properties WHERE id = ?", (property_id,)))
    return found[0] if found else None


def many(reads: database.Reads, property_ids: Sequence[str]) -> dict[str, Property]:
    """Those that are here, by id; ask for a page of them."""
    found = reads.rows(
        "SELECT * FROM properties WHERE id IN (SELECT value FROM json_each(?))",
        (rows.dumps(list(property_ids)),),
    )
    return {one.id: one for one in _properties(found)}


def of_lead(reads: database.Reads, lead_id: str) -> list[Property]:
    return _properties(
        reads.rows("SELECT * FROM properties WHERE lead_id = ? ORDER BY created_at, id", (lead_id,))
    )


def sold_in_box(
    reads: database.Reads, box: leads.Box, *, since: date | None = None, limit: int = 20_000
) -> list[Property]:
    """Sales with a price and a date inside the rectangle, for comparables."""
    where, params = leads.box_test(box)
    return _properties(
        reads.rows(
            f"SELECT * FROM properties WHERE {where} AND status = 'sold' AND price_cents IS NOT NULL"  # noqa: S608 - fixed words
            " AND price_on >= coalesce(?, '') LIMIT ?",
            [*params, since.isoformat() if since else None, limit],
        )
    )


def in_box(reads: database.Reads, box: leads.Box, *, limit: int = 20_000) -> list[Property]:
    """All properties inside the rectangle."""
    where, params = leads.box_test(box)
    return _properties(reads.rows(f"SELECT * FROM properties WHERE {where} LIMIT ?", [*params, limit]))  # noqa: S608 - fixed words


def _properties(found: Iterable[sqlite3.Row]) -> list[Property]:
    return rows.as_values(Property, tables.PROPERTIES, found)
