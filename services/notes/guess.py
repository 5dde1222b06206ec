"""Which lead a note is about: the one it was made for, the one it names, the house it names, the one just met."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta

from domain.proposals import Field, Proposal
from services.desk import Desk
from services.notes.values import LeadGuess
from storage import lead_lists, leads, notes

_JUST_MET = timedelta(hours=3)
_MOST = 4


def leads_of(desk: Desk, note: notes.Note, proposals: Sequence[Proposal]) -> tuple[LeadGuess, ...]:
    """The surest first, each once."""
    found: dict[str, LeadGuess] = {}
    for lead, why, sure in _candidates(desk, note, proposals):
        found.setdefault(lead.id, LeadGuess(lead_id=lead.id, name=lead.name, why=why, sure=sure))
        if len(found) >= _MOST:
            break
    return tuple(found.values())


def _candidates(
    desk: Desk, note: notes.Note, proposals: Sequence[Proposal]
) -> Iterator[tuple[leads.Lead, str, bool]]:
    given = leads.get(desk.db, note.lead_id) if note.lead_id else None
    if given is not None:
        yield given, "this note was made for them", True
    for proposal in proposals:
        for lead in _named(desk, proposal):
            yield lead, f"you said “{proposal.words}”", True
    yield from ((lead, "you were in touch just before", False) for lead in _just_met(desk, note))


def _named(desk: Desk, proposal: Proposal) -> list[leads.Lead]:
    """Leads that the words name: by name, house or number."""
    value = str(proposal.value)
    match proposal.field:
        case Field.NAME:
            return lead_lists.namesakes(desk.db, value)
        case Field.ADDRESS:
            return lead_lists.page(desk.db, lead_lists.Wanted(words=value), limit=3)
        case Field.PHONE:
            return leads.same_contact(desk.db, phone=value, email=None)
        case _:
            return []


def _just_met(desk: Desk, note: notes.Note) -> list[leads.Lead]:
    recent = lead_lists.Wanted(agent_id=desk.user.id, open_only=True)
    found = lead_lists.page(desk.db, recent, order="last_touch", limit=3)
    return [
        lead
        for lead in found
        if lead.last_touch_at is not None and abs(note.created_at - lead.last_touch_at) <= _JUST_MET
    ]
