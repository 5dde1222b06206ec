"""From stored rows to what screens show of a lead."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from domain import contact, deals
from domain import leads as rules
from services import lead_answers
from services.leads import values
from services.sync_words import Words
from storage import deals as stored_deals
from storage import interactions, leads, properties

Names = Mapping[str, str]


def item(lead: leads.Lead, people: Names, words: Words) -> values.LeadItem:
    return values.LeadItem(
        id=lead.id,
        name=lead.name,
        kind=lead.kind,
        stage=lead.stage,
        temperature=lead.temperature or "",
        score=lead.score,
        phone=lead.phone or "",
        email=lead.email or "",
        address=lead.address or "",
        price_cents=lead.price_cents,
        agent_id=lead.agent_id or "",
        agent_name=people.get(lead.agent_id or "", ""),
        source=lead.source or "",
        opted_out=bool(lead.opted_out),
        qualified=lead_answers.is_qualified(lead),
        last_touch_at=lead.last_touch_at,
        answer_due_at=lead.answer_due_at,
        created_at=lead.created_at,
        sync=words(lead.id),
    )


def facts(lead: leads.Lead, people: Names, location_name: str) -> values.LeadFacts:
    return values.LeadFacts(
        id=lead.id,
        location_id=lead.location_id,
        location_name=location_name,
        created_at=lead.created_at,
        agent_id=lead.agent_id or "",
        agent_name=people.get(lead.agent_id or "", ""),
        kind=lead.kind,
        name=lead.name,
        phone=lead.phone or "",
        email=lead.email or "",
        address=lead.address or "",
        city=lead.city or "",
        state=lead.state or "",
        zip=lead.zip or "",
        lat=lead.lat,
        lon=lead.lon,
        stage=lead.stage,
        stage_reason=lead.stage_reason or "",
        source=lead.source or "",
        motivation=lead.motivation or "",
        timeline_days=lead.timeline_days,
        condition=lead.condition or "",
        financing=lead.financing or "",
        area=lead.area or "",
        price_cents=lead.price_cents,
        price_on=lead.price_on,
        tags=lead.tags or (),
        opted_out=bool(lead.opted_out),
        opted_out_at=lead.opted_out_at,
        opted_out_words=lead.opted_out_words or "",
        consent_text=lead.consent_text,
        consent_call=lead.consent_call,
        consent_words=lead.consent_words or "",
        consent_at=lead.consent_at,
        last_inbound_at=lead.last_inbound_at,
        last_touch_at=lead.last_touch_at,
        answer_due_at=lead.answer_due_at,
    )


def qualification(lead: leads.Lead) -> values.Qualification:
    given = lead_answers.known(lead)
    return values.Qualification(
        questions=tuple(
            (name, str(given[name]) if name in given else None)
            for name in rules.QUESTIONS[rules.Kind(lead.kind)]
        ),
        quality=lead.answer_quality,
        is_qualified=lead_answers.is_qualified(lead),
    )


def contact_state(lead: leads.Lead, now: datetime, *, opted_out: bool) -> values.ContactState:
    place = contact.Place(state=lead.state, zip=lead.zip, phone=lead.phone)

    def decision(channel: contact.Channel) -> contact.Decision:
        return contact.may_contact(
            channel,
            place,
            now,
            opted_out=opted_out,
            consent_text=lead.consent_text,
            consent_call=lead.consent_call,
        )

    return values.ContactState(
        call=decision(contact.Channel.CALL),
        text=decision(contact.Channel.TEXT),
        window=contact.window(place, now),
    )


def timeline(
    found: Sequence[interactions.Interaction], limit: int, people: Names, words: Words
) -> values.Timeline:
    """One page; what happened in the same moment stays on one page."""
    end = min(limit, len(found))
    while end < len(found) and found[end].occurred_at == found[end - 1].occurred_at:
        end += 1
    more = end < len(found)
    return values.Timeline(
        items=tuple(_event(entry, people, words) for entry in found[:end]),
        next_before=found[end - 1].occurred_at.isoformat() if more else None,
    )


def _event(entry: interactions.Interaction, people: Names, words: Words) -> values.TimelineItem:
    return values.TimelineItem(
        id=entry.id,
        kind=entry.kind,
        direction=entry.direction or "",
        channel=entry.channel or "",
        at=entry.occurred_at,
        body=entry.body or "",
        outcome=entry.outcome or "",
        seconds=entry.seconds,
        who=entry.bot_id or people.get(entry.agent_id or "", ""),
        sync=words(entry.id),
    )


def property_item(found: properties.Property) -> values.PropertyItem:
    return values.PropertyItem(
        id=found.id,
        status=found.status,
        address=found.address or "",
        price_cents=found.price_cents,
        price_on=found.price_on,
        beds=found.beds,
        baths=found.baths,
        sqft=found.sqft,
        year_built=found.year_built,
    )


def deal_item(found: stored_deals.Deal, kind: str, *, can_edit: bool) -> values.DealItem:
    odds = deals.odds(found.stage, kind)
    return values.DealItem(
        id=found.id,
        stage=found.stage,
        side_held=found.side_held,
        price_cents=found.price_cents,
        gross_cents=found.gross_cents,
        net_cents=found.net_cents,
        chance=odds.value,
        chance_is_default=odds.is_default,
        expected_close_on=found.expected_close_on,
        closed_on=found.closed_on,
        can_edit=can_edit,
    )
