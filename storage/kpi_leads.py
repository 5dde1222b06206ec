"""The leads behind the figures, lean enough to be counted by the thousand."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from domain import values
from storage import database

ACTIVE_DAYS = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One lead behind a figure, with what it may be grouped by; amounts only where the figure is money."""

    lead_id: str
    kind: str
    stage: str
    temperature: str
    source: str
    agent_id: str
    location_id: str
    late: bool = False
    bot: str = ""
    deal_id: str = ""
    side_held: str = ""
    gross_cents: int = 0
    net_cents: int = 0


def active(reads: database.Reads, now: datetime, *, location_id: str = "") -> list[Case]:
    """Contact within 30 days, or an open task due within 30 days; not closed, lost or opted out. As the server counts."""
    found = reads.rows(
        "SELECT id, kind, stage, coalesce(temperature, '') AS temperature, coalesce(source, '') AS source,"
        " coalesce(agent_id, '') AS agent_id, location_id, coalesce(answer_due_at < :now, 0) AS late"
        " FROM leads WHERE stage NOT IN ('closed', 'lost') AND opted_out IS NOT 1"
        " AND (:location_id = '' OR location_id = :location_id)"
        " AND (last_touch_at > :since OR last_inbound_at > :since"
        "  OR EXISTS (SELECT 1 FROM interactions WHERE lead_id = leads.id AND occurred_at > :since"
        "   AND occurred_at <= :now)"
        "  OR EXISTS (SELECT 1 FROM tasks WHERE lead_id = leads.id AND done_at IS NULL AND due_at <= :until))"
        " ORDER BY score IS NULL, score DESC, id",
        {
            "now": values.time_text(now),
            "since": values.time_text(now - timedelta(days=ACTIVE_DAYS)),
            "until": values.time_text(now + timedelta(days=ACTIVE_DAYS)),
            "location_id": location_id,
        },
    )
    return [
        Case(
            lead_id=row["id"],
            kind=row["kind"],
            stage=row["stage"],
            temperature=row["temperature"],
            source=row["source"],
            agent_id=row["agent_id"],
            location_id=row["location_id"],
            late=bool(row["late"]),
        )
        for row in found
    ]


def any_lead(reads: database.Reads, *, location_id: str = "") -> bool:
    """Whether there are leads at all: then no active one is 0, else no data."""
    return _any(reads, "SELECT 1 FROM leads WHERE ?1 = '' OR location_id = ?1 LIMIT 1", location_id)


def any_deal(reads: database.Reads, *, location_id: str = "") -> bool:
    """Whether there are deals at all, open or not."""
    return _any(reads, "SELECT 1 FROM deals WHERE ?1 = '' OR location_id = ?1 LIMIT 1", location_id)


def _any(reads: database.Reads, query: str, location_id: str) -> bool:
    return bool(reads.rows(query, (location_id,)))


def in_pipe(reads: database.Reads, *, location_id: str = "") -> list[Case]:
    """One for each open deal; a deal's own stage, agent and source come before its lead's."""
    found = reads.rows(
        "SELECT d.id AS deal_id, coalesce(d.lead_id, '') AS lead_id, d.stage, d.side_held, d.location_id,"
        " coalesce(l.kind, '') AS kind, coalesce(l.temperature, '') AS temperature,"
        " coalesce(d.source, l.source, '') AS source, coalesce(d.agent_id, l.agent_id, '') AS agent_id,"
        " coalesce(d.gross_cents, 0) AS gross, coalesce(d.net_cents, 0) AS net"
        " FROM deals AS d LEFT JOIN leads AS l ON l.id = d.lead_id"
        " WHERE d.stage NOT IN ('closed', 'lost') AND (?1 = '' OR d.location_id = ?1) ORDER BY net DESC, d.id",
        (location_id,),
    )
    return [
        Case(
            lead_id=row["lead_id"],
            kind=row["kind"],
            stage=row["stage"],
            temperature=row["temperature"],
            source=row["source"],
            agent_id=row["agent_id"],
            location_id=row["location_id"],
            deal_id=row["deal_id"],
            side_held=row["side_held"],
            gross_cents=row["gross"],
            net_cents=row["net"],
        )
        for row in found
    ]


def talked(reads: database.Reads, *, since: datetime, until: datetime, location_id: str = "") -> list[Case]:
    """One for each bot and lead that it talked with in the period and that replied at least once."""
    found = reads.rows(
        "SELECT i.bot_id, l.id, l.kind, l.stage, coalesce(l.temperature, '') AS temperature,"
        " coalesce(l.source, '') AS source, coalesce(l.agent_id, '') AS agent_id, l.location_id"
        " FROM interactions AS i JOIN leads AS l ON l.id = i.lead_id"
        " WHERE i.bot_id IS NOT NULL AND i.occurred_at >= :since AND i.occurred_at < :until"
        " AND (:location_id = '' OR l.location_id = :location_id)"
        " GROUP BY i.bot_id, l.id HAVING EXISTS (SELECT 1 FROM interactions AS r WHERE r.lead_id = l.id"
        "  AND r.direction = 'inbound' AND r.occurred_at >= :since AND r.occurred_at < :until)",
        {
            "since": values.time_text(since),
            "until": values.time_text(until),
            "location_id": location_id,
        },
    )
    return [
        Case(
            lead_id=row["id"],
            kind=row["kind"],
            stage=row["stage"],
            temperature=row["temperature"],
            source=row["source"],
            agent_id=row["agent_id"],
            location_id=row["location_id"],
            bot=row["bot_id"],
        )
        for row in found
    ]
