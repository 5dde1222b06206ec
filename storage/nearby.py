"""What lies around a place: only what a ranking needs, so that thousands are read in milliseconds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from domain import values
from storage import database, leads


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadPoint:
    """A lead as the ranking sees it."""

    id: str
    lat: float | None
    lon: float | None
    score: float | None
    answer_due_at: datetime | None
    task_due_at: datetime | None
    state: str | None
    zip: str | None
    phone: str | None


_OPEN = "stage NOT IN ('closed', 'lost') AND opted_out IS NOT 1"
_FILTERS = " AND (?1 IS NULL OR agent_id = ?1) AND (NOT ?2 OR temperature = 'hot')"


def leads_in_box(
    reads: database.Reads, box: leads.Box, *, agent_id: str | None, hot_only: bool, limit: int = 10_000
) -> list[LeadPoint]:
    """Open leads that may be contacted, inside the rectangle."""
    return _points(
        reads,
        "lat BETWEEN ?3 AND ?4 AND lon BETWEEN ?5 AND ?6",
        [agent_id, int(hot_only), box.south, box.north, box.west, box.east, limit],
    )


def leads_anywhere(
    reads: database.Reads, *, agent_id: str | None, hot_only: bool, limit: int = 10_000
) -> list[LeadPoint]:
    """Open leads that may be contacted, with or without a position."""
    return _points(reads, "?3 IS NULL", [agent_id, int(hot_only), None, None, None, None, limit])


def count_unplaced(reads: database.Reads, *, agent_id: str | None) -> int:
    """Open leads that no map can show."""
    sql = f"SELECT count(*) FROM leads WHERE lat IS NULL AND {_OPEN} AND (?1 IS NULL OR agent_id = ?1)"  # noqa: S608 - fixed words
    return int(reads.value(sql, (agent_id,)))


def _points(reads: database.Reads, where: str, params: list[object]) -> list[LeadPoint]:
    found = reads.rows(
        "SELECT id, lat, lon, score, answer_due_at, state, zip, phone,"  # noqa: S608 - fixed words
        " (SELECT min(due_at) FROM tasks WHERE lead_id = leads.id AND done_at IS NULL) AS task_due_at"
        f" FROM leads WHERE {where} AND {_OPEN}{_FILTERS} LIMIT ?7",
        params,
    )
    return [
        LeadPoint(
            id=row["id"],
            lat=row["lat"],
            lon=row["lon"],
            score=row["score"],
            answer_due_at=_time(row["answer_due_at"]),
            task_due_at=_time(row["task_due_at"]),
            state=row["state"],
            zip=row["zip"],
            phone=row["phone"],
        )
        for row in found
    ]


def _time(text: str | None) -> datetime | None:
    return None if text is None else values.parse_time(text)


SalePoint = tuple[Any, ...]
"""Id, latitude, longitude, price in cents: str, float, float, int."""


def sales_in_box(
    reads: database.Reads, box: leads.Box, *, since: date | None = None, limit: int = 50_000
) -> Iterator[SalePoint]:
    """Sold properties with a price inside the rectangle, one by one: they may be ten thousand."""
    return reads.each(
        "SELECT id, lat, lon, price_cents FROM properties WHERE lat BETWEEN ?1 AND ?2 AND lon BETWEEN ?3 AND ?4"
        " AND status = 'sold' AND price_cents IS NOT NULL AND (?5 IS NULL OR price_on >= ?5) LIMIT ?6",
        (box.south, box.north, box.west, box.east, since.isoformat() if since else None, limit),
    )


def address_like(reads: database.Reads, words: str, *, limit: int = 5) -> list[tuple[str, float, float]]:
    """Known addresses (label, latitude, longitude) of properties and leads that begin like this."""
    found = reads.rows(
        "SELECT label, lat, lon FROM ("
        " SELECT trim(address || ', ' || coalesce(city, ''), ', ') AS label, lat, lon FROM leads"
        "  WHERE address LIKE ?1 ESCAPE '\\' AND lat IS NOT NULL AND lon IS NOT NULL"
        " UNION SELECT trim(address || ', ' || coalesce(city, ''), ', '), lat, lon FROM properties"
        "  WHERE address LIKE ?1 ESCAPE '\\' AND lat IS NOT NULL AND lon IS NOT NULL"
        ") ORDER BY length(label), label LIMIT ?2",
        (_like(words), limit),
    )
    return [(row["label"], row["lat"], row["lon"]) for row in found]


def _like(words: str) -> str:
    escaped = words.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"{escaped}%"


def newest_sale(reads: database.Reads, box: leads.Box) -> date | None:
    """The day of the newest sale inside the rectangle."""
    found = reads.value(
        "SELECT max(price_on) FROM properties WHERE lat BETWEEN ?1 AND ?2 AND lon BETWEEN ?3 AND ?4"
        " AND status = 'sold' AND price_cents IS NOT NULL",
        (box.south, box.north, box.west, box.east),
    )
    return date.fromisoformat(found) if found else None
