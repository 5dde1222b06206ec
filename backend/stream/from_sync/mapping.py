"""A synced row as an event. Ids are made from the row and its version: whoever makes them again makes the same."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from backend.events import CommissionEvent, Event, LeadInteraction
from backend.events.kinds import LONGEST_TEXT, MOST_CENTS
from backend.storage.warehouse import synced
from domain import leads

if TYPE_CHECKING:
    import asyncpg

    from backend.storage.warehouse.feed_aside import Row

_STAGES = frozenset(leads.Stage)
_TEMPERATURES = frozenset(leads.Temperature)
_KINDS = frozenset({"message", "call", "visit", "showing", "open_house", "note", "bot_turn", "form"})
_LIKE = {"text": "message", "sms": "message", "email": "message", "meeting": "visit", "appointment": "visit"}
_BOT = re.compile(r"[a-z0-9][a-z0-9._-]{0,59}")
_CHANNEL = re.compile(r"[a-z][a-z0-9_-]{0,29}")
_MOST_BP = 10_000


def interaction(row: asyncpg.Record) -> LeadInteraction:
    """Of `synced.interactions`. A kind that we do not know counts as a note, a channel that is no plain word as none."""
    kind: Any = row["kind"] if row["kind"] in _KINDS else _LIKE.get(row["kind"].lower(), "note")
    return LeadInteraction(
        event_id=row["id"],
        occurred_at=row["occurred_at"],
        event_type=kind,
        location_id=row["location_id"],
        lead_id=row["lead_id"],
        agent_id=row["agent_id"],
        bot_id=_matching(_BOT, row["bot_id"]),
        channel=_matching(_CHANNEL, row["channel"]),
        direction=row["direction"] if row["direction"] in ("inbound", "outbound") else None,
        stage=_one_of(_STAGES, row["stage"]),
        temperature=_one_of(_TEMPERATURES, row["temperature"]),
    )


def stage_change(row: asyncpg.Record) -> LeadInteraction:
    """Of `synced.stage_changes`."""
    return LeadInteraction(
        event_id=synced.stage_id(row["id"], row["ver"]),
        occurred_at=row["occurred_at"],
        event_type="stage_changed",
        location_id=row["location_id"],
        lead_id=row["id"],
        agent_id=row["agent_id"],
        stage=_one_of(_STAGES, row["stage"]),
        temperature=_one_of(_TEMPERATURES, row["temperature"]),
    )


def deal_state(row: asyncpg.Record, *, oldest: datetime) -> CommissionEvent:
    """Of `synced.deals`. The ledger orders states by their moments: a deal's never go back, whatever its devices' clocks said.

    `oldest`: facts are kept from then on; a deal that stands longer is known since then.
    """
    known: datetime | None = row["known_until"]
    at: datetime = max(row["edited_at"], oldest)
    closed = row["stage"] == leads.Stage.CLOSED and row["closed_on"]
    rate, gross = _rate(row), _cents(row["gross_cents"])
    if gross is None and rate is None:
        rate = gross = 0  # nothing is known: the market's default would be an invention
    return CommissionEvent(
        event_id=synced.state_id(row["id"], row["ver"]),
        occurred_at=at if known is None or known < at else known + timedelta(microseconds=1),
        location_id=row["location_id"],
        deal_id=row["id"],
        stage=row["stage"],
        side_held=row["side_held"],
        price_cents=_cents(row["price_cents"]) or 0,
        rate_bp=rate,
        gross_cents=gross,
        company_cents=_cents(row["net_cents"]),
        closed_on=row["closed_on"].isoformat() if closed else None,
        lead_id=row["lead_id"],
        agent_id=row["agent_id"],
        source=(row["source"] or "")[:LONGEST_TEXT] or None,
    )


def row_of(event: Event) -> Row:
    """The row that an event was made from."""
    match event:
        case CommissionEvent():
            return "deals", event.deal_id
        case LeadInteraction(event_type="stage_changed"):
            return "leads", event.lead_id
        case _:
            return "interactions", event.event_id


def _rate(row: asyncpg.Record) -> int | None:
    """Of the sides that are held, together."""
    names = {"listing": ("listing_rate_bp",), "buyer": ("buyer_rate_bp",)}.get(
        row["side_held"], ("listing_rate_bp", "buyer_rate_bp")
    )
    rates = [row[name] for name in names if row[name] is not None]
    return min(max(sum(rates), 0), _MOST_BP) if rates else None


def _cents(amount: int | None) -> int | None:
    return None if amount is None else min(max(amount, 0), MOST_CENTS)


def _matching(form: re.Pattern[str], text: str | None) -> str | None:
    return text if text and form.fullmatch(text) else None


def _one_of(words: frozenset[Any], text: str | None) -> Any:
    return text if text in words else None
