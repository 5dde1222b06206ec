"""Leads filtered and sorted, one page at a time, with the count of all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from domain import tables, values
from storage import database, leads, rows

ORDERS: Mapping[str, str] = {
    "score": "score IS NULL, score DESC, id",
    "name": "name COLLATE NOCASE, id",
    "newest": "created_at DESC, id",
    "last_touch": "last_touch_at IS NULL, last_touch_at DESC, id",
    "answer_due": "answer_due_at IS NULL, answer_due_at, id",
}
_WHERE = (
    "(:agent_id = '' OR agent_id = :agent_id) AND (:location_id = '' OR location_id = :location_id)"
    " AND (:kind = '' OR kind = :kind) AND (:temperature = '' OR temperature = :temperature)"
    " AND (:stage = '' OR stage = :stage) AND (:source = '' OR coalesce(source, '') = :source)"
    " AND (NOT :open_only OR (stage NOT IN ('closed', 'lost') AND opted_out IS NOT 1))"
    " AND (:late_at = '' OR answer_due_at < :late_at)"
    " AND (:words = '' OR name LIKE :words ESCAPE '\\' OR phone LIKE :words ESCAPE '\\'"
    " OR email LIKE :words ESCAPE '\\' OR address LIKE :words ESCAPE '\\')"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What the list lets through; empty = all."""

    words: str = ""
    kind: str = ""
    temperature: str = ""
    stage: str = ""
    source: str = ""
    location_id: str = ""
    agent_id: str = ""
    open_only: bool = False
    late_at: datetime | None = None

    def params(self) -> dict[str, object]:
        return {
            "words": _like(self.words),
            "kind": self.kind,
            "temperature": self.temperature,
            "stage": self.stage,
            "source": self.source,
            "location_id": self.location_id,
            "agent_id": self.agent_id,
            "open_only": int(self.open_only),
            "late_at": values.time_text(self.late_at) if self.late_at else "",
        }


def page(
    reads: database.Reads, wanted: Wanted, *, order: str = "score", limit: int = 50, offset: int = 0
) -> list[leads.Lead]:
    """Raises: KeyError for an order that is none of ORDERS."""
    found = reads.rows(
        f"SELECT * FROM leads WHERE {_WHERE} ORDER BY {ORDERS[order]} LIMIT :limit OFFSET :offset",  # noqa: S608 - fixed words
        {**wanted.params(), "limit": limit, "offset": offset},
    )
    return rows.as_values(leads.Lead, tables.LEADS, found)


def count(reads: database.Reads, wanted: Wanted) -> int:
    return int(reads.value(f"SELECT count(*) FROM leads WHERE {_WHERE}", wanted.params()))  # noqa: S608 - fixed words


def sources(reads: database.Reads) -> list[str]:
    """Where leads came from, the most frequent first, for a filter's choices."""
    found = reads.rows(
        "SELECT source FROM leads WHERE source IS NOT NULL GROUP BY source ORDER BY count(*) DESC, source LIMIT 50"
    )
    return [row["source"] for row in found]


def namesakes(reads: database.Reads, name: str, *, limit: int = 20) -> list[leads.Lead]:
    """Leads of this name, whatever the case."""
    found = reads.rows(
        "SELECT * FROM leads WHERE name = ? COLLATE NOCASE ORDER BY created_at LIMIT ?", (name, limit)
    )
    return rows.as_values(leads.Lead, tables.LEADS, found)


def _like(words: str) -> str:
    text = " ".join(words.split())
    escaped = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%" if text else ""


def names_for_speech(reads: database.Reads, agent_id: str, *, limit: int) -> list[str]:
    """Names that may be heard: this agent's leads first, then those of the same locations."""
    found = reads.rows(
        "SELECT name FROM leads ORDER BY agent_id IS NOT ?1, last_touch_at DESC LIMIT ?2", (agent_id, limit)
    )
    return [row["name"] for row in found]


def words_for_speech(reads: database.Reads, agent_id: str, *, limit: int) -> list[str]:
    """Names and streets for the speech engine: this agent's open leads, the latest met first."""
    found = reads.rows(
        "SELECT name, ltrim(address, '0123456789 -#') AS street FROM leads"
        " WHERE stage NOT IN ('closed', 'lost') ORDER BY agent_id IS NOT ?1, last_touch_at DESC LIMIT ?2",
        (agent_id, limit),
    )
    return [word for row in found for word in (row["name"], row["street"]) if word]
