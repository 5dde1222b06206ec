"""The four kinds of events, field by field. A new field is optional, or it is a new version."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated, Any, Literal, TypeAlias
from uuid import UUID

import msgspec
from msgspec import Meta

VERSION = 1
LONGEST_TEXT = 200
MOST_CENTS = 10**13
MOST_MS = 3_600_000.0

Moment = Annotated[datetime, Meta(tz=True, description="RFC 3339 with an offset; the moment it happened.")]
Share = Annotated[float, Meta(ge=0, le=1)]
Score = Annotated[float, Meta(ge=0, le=100)]
Milliseconds = Annotated[float, Meta(ge=0, le=MOST_MS)]
Cents = Annotated[int, Meta(ge=0, le=MOST_CENTS, description="Whole cents.")]
BasisPoints = Annotated[int, Meta(ge=0, le=10_000, description="Hundredths of a percent: 300 is 3 %.")]
Text = Annotated[str, Meta(max_length=LONGEST_TEXT)]
BotId = Annotated[str, Meta(min_length=1, max_length=60, pattern="^[a-z0-9][a-z0-9._-]*$")]
Stage = Literal["new", "contacted", "qualified", "agreement", "offer", "contract", "closed", "lost"]
Temperature = Literal["hot", "warm", "lukewarm", "cold", "ice_cold"]
LeadEvent = Literal[
    "message", "call", "visit", "showing", "open_house", "note", "bot_turn", "form", "stage_changed"
]
BotEvent = Literal[
    "conversation_started", "turn", "scored", "qualified", "handoff", "error", "conversation_ended"
]


class _Common(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    forbid_unknown_fields=True,
    omit_defaults=True,
    tag_field="stream",
):
    """A repeat with the same `event_id` and `occurred_at` changes nothing: make both once, and send them again as they are."""

    event_id: Annotated[UUID, Meta(description="Made by the sender, once; UUIDv7 is best.")]
    occurred_at: Moment
    v: Literal[1] = 1
    props: dict[str, Any] | None = None


class LeadInteraction(_Common, frozen=True, kw_only=True, tag="lead_interactions"):
    """Anything that happened with a lead."""

    event_type: LeadEvent
    location_id: UUID
    lead_id: UUID
    agent_id: UUID | None = None
    bot_id: BotId | None = None
    deal_id: UUID | None = None
    conversation_id: UUID | None = None
    channel: Text | None = None
    direction: Literal["inbound", "outbound"] | None = None
    stage: Stage | None = None
    temperature: Temperature | None = None
    confidence: Share | None = None
    frs: Score | None = None
    pcs: Score | None = None
    processing_ms: Milliseconds | None = None
    success: bool | None = None


class CommissionEvent(_Common, frozen=True, kw_only=True, tag="commission_events"):
    """What a deal is from this moment on. Without `gross_cents` it is price times rate; without `company_cents`, unknown (0)."""

    event_type: Literal["deal_state"] = "deal_state"
    location_id: UUID
    deal_id: UUID
    stage: Stage
    side_held: Literal["listing", "buyer", "both"]
    price_cents: Cents = 0
    rate_bp: BasisPoints | None = None
    gross_cents: Cents | None = None
    company_cents: Cents | None = None
    closed_on: Annotated[str, Meta(pattern=r"^\d{4}-\d{2}-\d{2}$")] | None = None
    lead_id: UUID | None = None
    agent_id: UUID | None = None
    source: Text | None = None

    def __post_init__(self) -> None:
        if self.closed_on is not None and not 2000 <= date.fromisoformat(self.closed_on).year <= 2050:
            raise ValueError("`closed_on` lies outside the years 2000 to 2050")


class BotPerformance(_Common, frozen=True, kw_only=True, tag="bot_performance"):
    """What a bot did, and how well. `replied` marks a turn that answers a reply of the lead; `to_bot_id` is who a hand-off goes to."""

    event_type: BotEvent
    location_id: UUID
    bot_id: BotId
    to_bot_id: BotId | None = None
    lead_id: UUID | None = None
    conversation_id: UUID | None = None
    confidence: Share | None = None
    quality: Share | None = None
    processing_ms: Milliseconds | None = None
    success: bool | None = None
    replied: bool | None = None
    reason: Text | None = None

    def __post_init__(self) -> None:
        if (self.event_type == "handoff") != (self.to_bot_id is not None):
            raise ValueError("a hand-off names `to_bot_id`, and nothing else does")


class SystemHealth(_Common, frozen=True, kw_only=True, tag="system_health"):
    """How a part of the system is. Without `location_id` it concerns every office."""

    event_type: Literal["heartbeat", "status", "measurement"]
    component: Annotated[str, Meta(min_length=1, max_length=60, pattern="^[a-z0-9][a-z0-9._-]*$")]
    status: Literal["ok", "degraded", "down"] = "ok"
    location_id: UUID | None = None
    value: float | None = None
    unit: Annotated[str, Meta(max_length=20)] | None = None
    message: Text | None = None


Event: TypeAlias = LeadInteraction | CommissionEvent | BotPerformance | SystemHealth

STREAMS: Mapping[str, type[Event]] = {
    "lead_interactions": LeadInteraction,
    "commission_events": CommissionEvent,
    "bot_performance": BotPerformance,
    "system_health": SystemHealth,
}
"""Stream name, without `bi:stream:` → what its events are."""
