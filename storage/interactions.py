"""What happened with leads, as this device has it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from domain import tables, values
from storage import database, rows


@dataclass(frozen=True, slots=True, kw_only=True)
class Interaction:
    id: str
    ver: int
    location_id: str
    created_at: datetime
    lead_id: str
    agent_id: str | None = None
    bot_id: str | None = None
    kind: str
    direction: str | None = None
    channel: str | None = None
    occurred_at: datetime
    body: str | None = None
    outcome: str | None = None
    seconds: int | None = None


def timeline(
    reads: database.Reads, lead_id: str, *, before: datetime | None = None, limit: int = 100
) -> list[Interaction]:
    """Newest first; `before` pages on."""
    found = reads.rows(
        "SELECT * FROM interactions WHERE lead_id = ?1 AND (?2 IS NULL OR occurred_at < ?2)"
        " ORDER BY occurred_at DESC, id DESC LIMIT ?3",
        (lead_id, values.time_text(before) if before else None, limit),
    )
    return rows.as_values(Interaction, tables.INTERACTIONS, found)


def get(reads: database.Reads, interaction_id: str) -> Interaction | None:
    found = rows.as_values(
        Interaction,
        tables.INTERACTIONS,
        reads.rows("SELECT * FROM interactions WHERE id = ?", (interaction_id,)),
    )
    return found[0] if found else None
