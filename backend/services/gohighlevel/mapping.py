"""From GoHighLevel's words to our events. The same webhook gives the same events, ids included, whenever it comes."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Literal
from uuid import UUID

from backend.events import CommissionEvent, Event, LeadInteraction
from backend.events.kinds import MOST_CENTS, Stage
from backend.services.gohighlevel import payload as payloads
from backend.services.gohighlevel.config import Config, Pipeline
from backend.services.gohighlevel.payload import Payload
from domain import errors

NAMESPACE = uuid.UUID("6d1f3a52-5a0e-5f5c-9f0e-0d8a3a1f7c11")
_CHANNELS = {
    "sms": "sms", "email": "email", "call": "phone", "voicemail": "phone", "fb": "facebook", "ig": "instagram",
    "gmb": "google", "whatsapp": "whatsapp", "live_chat": "chat", "live chat": "chat", "custom": "custom",
}  # fmt: skip
_WENT_WELL = frozenset({"delivered", "completed", "read", "opened", "clicked", "answered", "connected"})
_FAILED = frozenset(
    {"failed", "undelivered", "bounced", "busy", "no-answer", "canceled", "voicemail", "rejected"}
)
_NOT_COME = frozenset({"noshow", "no_show", "no-show"})
_STATES = _NOT_COME | {"new", "booked", "confirmed", "showed", "cancelled", "invalid", "active", "completed"}
_WON, _OVER = "won", frozenset({"lost", "abandoned"})


class UnmappedError(errors.InputError):
    """A word of theirs that the source's table does not know yet."""

    code = "unmapped"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Whose webhook it is. `lead_id`: ours, of the contact it is about (`lead_of` where we know none)."""

    source_id: str
    location_id: UUID
    lead_id: UUID | None
    config: Config


def contact_of(payload: Payload) -> str | None:
    """The contact it is about, by their id."""
    if payload.appointment is not None:
        return payload.appointment.contact_id
    return payload.id if payload.type.startswith("Contact") else payload.contact_id


def lead_of(location_id: UUID, contact_id: str) -> UUID:
    """The id of a lead that we do not have: always the same for the same contact."""
    return uuid.uuid5(NAMESPACE, f"lead:{location_id}:{contact_id}")


def location_of(payload: Payload, config: Config, locations: Sequence[str]) -> UUID:
    """Ours for theirs: by the table, or the only one the source has. Raises: UnmappedError."""
    found = config.locations.get(payload.location_id)
    if found is not None:
        return found
    if not config.locations and len(locations) == 1:
        return UUID(locations[0])
    raise _unmapped("locations", payload.location_id, "locationId", "the id of one of our locations")


def events_of(payload: Payload, place: Place) -> Sequence[Event]:
    """None for a type that tells us nothing. Raises: UnmappedError, InputError."""
    make = _MAKERS.get(payload.type)
    return make(payload, place) if make else ()


def _contact(payload: Payload, place: Place) -> Sequence[Event]:
    created = payload.type == "ContactCreate"
    return [
        LeadInteraction(
            event_id=_id(payload, place, "contact"),
            occurred_at=payloads.moment(payload.date_added, "dateAdded")
            if created and payload.date_added
            else payload.at,
            event_type="form" if created else "note",
            location_id=place.location_id,
            lead_id=_lead(place),
            agent_id=_agent(payload.assigned_to, place),
            channel="crm",
            direction="inbound" if created else None,
        )
    ]


def _message(payload: Payload, place: Place) -> Sequence[Event]:
    kind = (payload.message_type or "").lower()
    call = kind in ("call", "voicemail")
    direction: Literal["inbound", "outbound"] = "inbound" if payload.type == "InboundMessage" else "outbound"
    status = (payload.status or "").lower()
    talk = payload.conversation_id
    return [
        LeadInteraction(
            event_id=_id(payload, place, "message"),
            occurred_at=payloads.moment(payload.date_added, "dateAdded")
            if payload.date_added
            else payload.at,
            event_type="call" if call else "message",
            location_id=place.location_id,
            lead_id=_lead(place),
            agent_id=_agent(payload.user_id, place),
            conversation_id=uuid.uuid5(NAMESPACE, f"conversation:{talk}") if talk else None,
            channel=_CHANNELS.get(kind, "other"),
            direction=direction,
            success=True if status in _WENT_WELL else False if status in _FAILED else None,
            props={"seconds": payload.call_duration} if payload.call_duration is not None else None,
        )
    ]


def _appointment(payload: Payload, place: Place) -> Sequence[Event]:
    """A meeting counts when people met (or one did not come), at the time it was for; until then it is a note."""
    meeting = payload.appointment
    if meeting is None:
        raise errors.InputError(
            "There is no `appointment` in it.", where="appointment", hint="See docs/events.md."
        )
    status = (meeting.appointment_status or "").lower()
    met = status == "showed"
    over = met or status in _NOT_COME
    kind = place.config.calendars.get(meeting.calendar_id or "", "visit")
    return [
        LeadInteraction(
            event_id=_id(payload, place, "appointment"),
            occurred_at=_meeting_time(payload, over=over),
            event_type=kind if over else "note",
            location_id=place.location_id,
            lead_id=_lead(place),
            agent_id=_agent(meeting.assigned_user_id, place),
            channel="calendar",
            success=met if over else None,
            props={"appointment": status if status in _STATES else "other", "kind": kind},
        )
    ]


def _meeting_time(payload: Payload, *, over: bool) -> datetime:
    meeting = payload.appointment
    assert meeting is not None
    if over and meeting.start_time:
        return min(payloads.moment(meeting.start_time, "appointment.startTime"), payload.at)
    if payload.type == "AppointmentCreate" and meeting.date_added:
        return min(payloads.moment(meeting.date_added, "appointment.dateAdded"), payload.at)
    return payload.at


def _opportunity(payload: Payload, place: Place) -> Sequence[Event]:
    """`dateAdded` is when the opportunity was made, not when it moved: the moment is the webhook's own."""
    deal_id = uuid.uuid5(NAMESPACE, f"deal:{place.location_id}:{payload.id}")
    stage = _stage(payload, place.config)
    agent = _agent(payload.assigned_to, place)
    told: list[Event] = [_deal(payload, place, deal_id=deal_id, stage=stage, agent=agent)]
    if place.lead_id is not None:
        told.append(
            LeadInteraction(
                event_id=_id(payload, place, "stage"),
                occurred_at=payload.at,
                event_type="stage_changed",
                location_id=place.location_id,
                lead_id=place.lead_id,
                agent_id=agent,
                deal_id=deal_id,
                channel="crm",
                stage=stage,
            )
        )
    return told


def _deal(
    payload: Payload, place: Place, *, deal_id: UUID, stage: Stage, agent: UUID | None
) -> CommissionEvent:
    pipelines = place.config.pipelines
    pipeline = pipelines.get(payload.pipeline_id or "") or pipelines.get("*") or Pipeline()
    cents = _cents(payload.monetary_value)
    return CommissionEvent(
        event_id=_id(payload, place, "deal"),
        occurred_at=payload.at,
        location_id=place.location_id,
        deal_id=deal_id,
        stage=stage,
        side_held=pipeline.side,
        price_cents=cents if pipeline.value == "price" else 0,
        gross_cents=cents if pipeline.value == "gross" else None,
        rate_bp=pipeline.rate_bp,
        lead_id=place.lead_id,
        agent_id=agent,
        source="gohighlevel",
    )


def _stage(payload: Payload, config: Config) -> Stage:
    """Raises: UnmappedError."""
    status = (payload.status or "open").lower()
    if status == _WON:
        return "closed"
    if status in _OVER:
        return "lost"
    for word in (payload.pipeline_stage_id, payload.pipeline_stage):
        if word and word in config.stages:
            return config.stages[word]
    raise _unmapped(
        "stages",
        payload.pipeline_stage_id or payload.pipeline_stage or "",
        "pipelineStageId",
        "one of our stages",
    )


def _unmapped(table: str, word: str, where: str, value: str) -> UnmappedError:
    return UnmappedError(
        f"The source's table does not say what {word!r:.80} is.",
        where=where,
        hint=f"PATCH /api/admin/sources/{{id}} with config.gohighlevel.{table}: {{{word!r:.80}: {value}}}, then replay it.",
    )


def _cents(value: Decimal | None) -> int:
    if value is None:
        return 0
    cents = (
        (value * 100).quantize(Decimal(1), ROUND_HALF_EVEN)
        if value.is_finite() and abs(value) <= MOST_CENTS
        else -1
    )
    if not 0 <= cents <= MOST_CENTS:
        raise errors.InputError("This is no amount.", where="monetaryValue", hint="Dollars, at least 0.")
    return int(cents)


def _lead(place: Place) -> UUID:
    if place.lead_id is None:
        raise errors.InputError(
            "It names no contact.", where="contactId", hint="Send HighLevel's own payload."
        )
    return place.lead_id


def _agent(user_id: str | None, place: Place) -> UUID | None:
    return place.config.agents.get(user_id) if user_id else None


def _id(payload: Payload, place: Place, part: str) -> UUID:
    return uuid.uuid5(NAMESPACE, f"{place.source_id}:{payload.webhook_id}:{part}")


_MAKERS: Mapping[str, Callable[[Payload, Place], Sequence[Event]]] = {
    "ContactCreate": _contact,
    "ContactUpdate": _contact,
    "InboundMessage": _message,
    "OutboundMessage": _message,
    "AppointmentCreate": _appointment,
    "AppointmentUpdate": _appointment,
    "OpportunityCreate": _opportunity,
    "OpportunityUpdate": _opportunity,
    "OpportunityStageUpdate": _opportunity,
    "OpportunityStatusUpdate": _opportunity,
    "OpportunityMonetaryValueUpdate": _opportunity,
}
KNOWN: Sequence[str] = tuple(_MAKERS)
