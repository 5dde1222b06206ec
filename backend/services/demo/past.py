"""The demo's year as the warehouse would have watched it: what happened, when, and what each lead was then."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from itertools import pairwise
from typing import Any
from uuid import UUID, uuid5

from backend.events import CommissionEvent, Event, LeadInteraction
from backend.services.demo import bots
from backend.services.demo.history import Past
from backend.storage.warehouse import synced
from backend.storage.warehouse.dimensions import Version
from domain import leads

_IDS = UUID("5f2d7a0c-93c5-5a3b-8a60-0f4c1f7d2b11")


def events(past: Past) -> Iterator[Event]:
    yield from _interactions(past)
    yield from _stage_changes(past)
    yield from _deal_states(past)
    yield from bots.events(past.story)


def versions(past: Past) -> Iterator[Version]:
    """One for each stage that is over."""
    stages = past.story.stages
    for (start, stage), (end, _) in pairwise(stages):
        if start < end:
            yield Version(
                lead_id=UUID(past.story.lead_id),
                valid_from=start,
                valid_to=end,
                stage=stage.value,
                temperature=past.temperature(start).value,
                opted_out=past.opted_out(start),
            )


def _interactions(past: Past) -> Iterator[LeadInteraction]:
    for item in past.story.interactions:
        at = item["occurred_at"]
        stage = past.stage(at)
        yield LeadInteraction(
            event_id=UUID(item["id"]),
            occurred_at=at,
            event_type=item["kind"],
            location_id=UUID(past.story.location_id),
            lead_id=UUID(past.story.lead_id),
            agent_id=UUID(item["agent_id"]) if item["agent_id"] else None,
            bot_id=item["bot_id"],
            channel=item["channel"],
            direction=item["direction"],
            stage=stage.value if stage else None,
            temperature=past.temperature(at).value,
        )


def _stage_changes(past: Past) -> Iterator[LeadInteraction]:
    story = past.story
    for number, (at, stage) in enumerate(story.stages[1:], 1):
        yield LeadInteraction(
            event_id=uuid5(_IDS, f"{story.lead_id} {number}"),
            occurred_at=at,
            event_type="stage_changed",
            location_id=UUID(story.location_id),
            lead_id=UUID(story.lead_id),
            agent_id=UUID(story.agent_id),
            stage=stage.value,
            temperature=past.temperature(at).value,
        )


def _deal_states(past: Past) -> Iterator[CommissionEvent]:
    """The last one is the row's, as whoever follows the synced tables would tell it."""
    deal = past.deal
    if deal is None:
        return
    began: datetime = deal["created_at"]
    moves = [(began, past.stage(began) or leads.Stage.NEW)]
    moves += [(at, stage) for at, stage in past.story.stages if at > began]
    for number, (at, stage) in enumerate(moves, 1):
        last = number == len(moves)
        yield CommissionEvent(
            event_id=synced.state_id(deal["id"], 1) if last else uuid5(_IDS, f"{deal['id']} {number}"),
            occurred_at=at,
            stage=stage.value,
            closed_on=deal["closed_on"].isoformat() if last and deal["closed_on"] else None,
            **_terms(deal),
        )


def _terms(deal: dict[str, Any]) -> dict[str, Any]:
    rates = {
        "listing": deal["listing_rate_bp"],
        "buyer": deal["buyer_rate_bp"],
        "both": deal["listing_rate_bp"] + deal["buyer_rate_bp"],
    }
    return {
        "location_id": UUID(deal["location_id"]),
        "deal_id": UUID(deal["id"]),
        "lead_id": UUID(deal["lead_id"]),
        "agent_id": UUID(deal["agent_id"]),
        "side_held": deal["side_held"],
        "source": deal["source"],
        "price_cents": deal["price_cents"],
        "rate_bp": rates[deal["side_held"]],
        "gross_cents": deal["gross_cents"],
        "company_cents": deal["net_cents"],
    }
