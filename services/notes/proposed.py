"""Proposals of a note: kept as JSON with it, and laid beside what the lead has now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from domain import facts, phones
from domain.proposals import Field, Proposal, propose
from services.desk import Desk
from services.notes.values import ProposedChange
from storage import lead_lists, notes

SURE = 0.7
_NAMES = 2000
LABELS: Mapping[str, str] = {
    Field.PRICE: "Price",
    Field.TIMELINE: "Timeline (days)",
    Field.MOTIVATION: "Motivation",
    Field.CONDITION: "Condition",
    Field.FOLLOW_UP: "Follow-up",
    Field.PHONE: "Phone",
    Field.OPTED_OUT: "No more contact",
    Field.ADDRESS: "Address",
}
ON_LEAD = (Field.PRICE, Field.TIMELINE, Field.MOTIVATION, Field.CONDITION, Field.PHONE, Field.ADDRESS)

_FOUND_AGAIN_BY = (Field.PHONE, Field.ADDRESS)  # a misheard one would lose the person: never taken by itself


def as_json(proposals: Sequence[Proposal]) -> list[dict[str, Any]]:
    """As `notes.proposals` holds them."""
    return [{**asdict(proposal), "field": proposal.field.value} for proposal in proposals]


def from_json(stored: object) -> tuple[Proposal, ...]:
    """What a newer or older app or the server wrote otherwise is passed over."""
    if not isinstance(stored, list | tuple):
        return ()
    return tuple(proposal for item in stored if (proposal := _proposal(item)) is not None)


def of_note(desk: Desk, note: notes.Note) -> tuple[Proposal, ...]:
    """As kept with the note; the server's transcript comes without any, so they are read here."""
    if note.proposals is None and note.transcript:
        return read(desk, note.transcript)
    return from_json(note.proposals)


def changes(proposals: Sequence[Proposal], lead: Mapping[str, Any]) -> tuple[ProposedChange, ...]:
    """Old → new for each; what the lead has already is not proposed. `lead` empty = no lead chosen."""
    made = [_change(proposal, lead) for proposal in proposals if proposal.field.value in LABELS]
    return tuple(change for change in made if change.new != change.old)


def _change(proposal: Proposal, lead: Mapping[str, Any]) -> ProposedChange:
    field = proposal.field.value
    needs_lead = proposal.field in (*ON_LEAD, Field.OPTED_OUT) and not lead
    old = _old(proposal.field, lead)
    replaces = proposal.field in _FOUND_AGAIN_BY and bool(old)
    return ProposedChange(
        id=field,
        field=field,
        label=LABELS[field],
        old=old,
        new=proposal.value,
        display=proposal.display,
        words=proposal.words,
        confidence=proposal.confidence,
        checked=proposal.field is Field.OPTED_OUT
        or (proposal.confidence >= SURE and not needs_lead and not replaces),
        why_not="choose a lead first" if needs_lead else "",
    )


def _old(field: Field, lead: Mapping[str, Any]) -> Any:
    if field is Field.OPTED_OUT:
        return bool(lead.get("opted_out"))
    if field is Field.PHONE:
        known = facts.text(lead.get("phone"))
        return phones.parse(known) if known else None
    return lead.get(field.value)


def _proposal(item: object) -> Proposal | None:
    if not isinstance(item, Mapping):
        return None
    try:
        return Proposal(
            field=Field(item["field"]),
            value=item["value"],
            display=str(item["display"]),
            words=str(item["words"]),
            start=int(item["start"]),
            end=int(item["end"]),
            confidence=float(item["confidence"]),
        )
    except (KeyError, TypeError, ValueError):
        return None


def read(desk: Desk, transcript: str) -> tuple[Proposal, ...]:
    """What the words propose, on this person's clock, with the names of the leads that may be meant."""
    names = lead_lists.names_for_speech(desk.db, desk.user.id, limit=_NAMES)
    return propose(transcript, desk.now().astimezone(desk.zone()), names=names)
