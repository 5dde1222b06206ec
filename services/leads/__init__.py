"""Leads: see one with all its reasons, list them, change them, add one in the street."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from domain import errors, ids, phones, scoring, tables
from domain import leads as rules
from domain import values as wire_values
from services import conflicts, lead_changes, lead_fields, places, tasks
from services.desk import Desk
from services.lead_changes import Edited
from services.leads import comps, shown
from services.leads.values import (
    CompItem,
    CompsView,
    ContactState,
    DealItem,
    Duplicate,
    Filter,
    LeadFacts,
    LeadItem,
    LeadList,
    LeadView,
    NewLead,
    PropertyItem,
    Qualification,
    Sort,
    Timeline,
    TimelineItem,
)
from services.notes import Notes
from storage import deals, edits, interactions, lead_lists, leads, locations, people, properties, rows

__all__ = [
    "CompItem",
    "CompsView",
    "ContactState",
    "DealItem",
    "Duplicate",
    "Edited",
    "Filter",
    "LeadFacts",
    "LeadItem",
    "LeadList",
    "LeadView",
    "Leads",
    "NewLead",
    "PropertyItem",
    "Qualification",
    "Sort",
    "Timeline",
    "TimelineItem",
]
_TIMELINE_PAGE = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Leads:
    """What a person can see and do with leads."""

    desk: Desk
    places: places.Places
    tasks: tasks.Tasks
    notes: Notes
    conflicts: conflicts.Conflicts

    def view(self, lead_id: str) -> LeadView:
        """Raises: NotFoundError."""
        lead, db, now = self._lead(lead_id), self.desk.db, self.desk.now()
        location = locations.get(db, lead.location_id)
        names = people.names(db)
        disputes = [
            item
            for item in self.conflicts.of_row(tables.LEADS.name, lead_id, open_only=False)
            if item.kind is not conflicts.Kind.DUPLICATE
        ]
        return LeadView(
            facts=shown.facts(lead, names, location.name if location else ""),
            score=self._score(lead_id, now),
            temperature=lead.temperature or "",
            qualification=shown.qualification(lead),
            contact=shown.contact_state(lead, now, opted_out=leads.is_opted_out(self.desk.db, lead)),
            timeline=self.timeline(lead_id),
            tasks=self.tasks.of_lead(lead_id),
            notes=self.notes.of_lead(lead_id),
            properties=tuple(shown.property_item(found) for found in properties.of_lead(db, lead_id)),
            deals=tuple(
                shown.deal_item(found, lead.kind, can_edit=self.desk.user.is_executive)
                for found in deals.of_lead(db, lead_id)
            ),
            conflicts=tuple(item for item in disputes if item.open),
            decided=tuple(item for item in disputes if not item.open),
            lost=tuple(item for item in self.conflicts.lost() if item.lead_id == lead_id),
            pairs=self.conflicts.pairs_of(lead_id),
            sync=self.desk.words(tables.LEADS.name)(lead_id),
            mine=lead.agent_id == self.desk.user.id,
        )

    def timeline(self, lead_id: str, *, before: str | None = None, limit: int = _TIMELINE_PAGE) -> Timeline:
        """Newest first; `before` is the page's `next_before`."""
        found = interactions.timeline(
            self.desk.db,
            lead_id,
            before=datetime.fromisoformat(before) if before else None,
            limit=limit + 20,
        )
        words = self.desk.words(tables.INTERACTIONS.name)
        return shown.timeline(found, limit, people.names(self.desk.db), words)

    def comps(self, lead_id: str) -> CompsView:
        """What the lead's house is worth by sales around. A long read: run it in an executor.

        Raises: NotFoundError.
        """
        with self.desk.db.reader() as reads:
            return comps.view(reads, lead_id, self.desk.now())

    def list(
        self, wanted: Filter | None = None, *, sort: Sort = Sort.SCORE, limit: int = 50, offset: int = 0
    ) -> LeadList:
        """One page of what the filter lets through."""
        stored, db = self._wanted(wanted or Filter()), self.desk.db
        names, words = people.names(db), self.desk.words(tables.LEADS.name)
        found = lead_lists.page(db, stored, order=sort.value, limit=limit, offset=offset)
        return LeadList(
            items=tuple(shown.item(lead, names, words) for lead in found),
            total=lead_lists.count(db, stored),
            offset=offset,
            as_of=self.desk.as_of(),
        )

    def sources(self) -> tuple[str, ...]:
        """Where leads came from, for a filter."""
        return tuple(lead_lists.sources(self.desk.db))

    def edit(self, lead_id: str, **changes: Any) -> Edited:
        """Change fields by name; the address, price and stage units follow. Raises: InputError, RuleError, NotFoundError."""
        with self.desk.action() as edit:
            return lead_changes.apply(edit, lead_id, self._placed(edit, lead_id, changes))

    def undo(self, edited: Edited) -> None:
        """Puts back what an edit changed. Raises: NotFoundError, RuleError for an opt-out."""
        if edited.after.get("opted_out"):
            raise errors.RuleError(
                "An opt-out is not undone.", where="leads.opted_out", hint="Only the lead can."
            )
        if not edited.changed:
            return
        with self.desk.action() as edit:
            row = lead_changes.stored(edit, edited.lead_id)
            lead_changes.write(edit, edited.lead_id, row, edited.before)

    def set_stage(self, lead_id: str, stage: str, reason: str = "") -> Edited:
        """Raises: InputError, RuleError where a reason is needed, NotFoundError."""
        return self.edit(lead_id, stage=stage, stage_reason=reason)

    def ways_out(self, lead_id: str) -> tuple[tuple[str, str], ...]:
        """Other locations (id, name) that this person may move the lead to: managers, to their own. Raises: NotFoundError."""
        here = self._lead(lead_id).location_id
        if not self.desk.user.is_executive or here not in self.desk.user.location_ids:
            return ()
        found = (locations.get(self.desk.db, place) for place in self.desk.user.location_ids if place != here)
        return tuple((place.id, place.name) for place in found if place is not None)

    def move(self, lead_id: str, location_id: str) -> None:
        """The lead changes its location; what belongs to it follows on the server. Raises: NotFoundError, ForbiddenError."""
        if location_id not in {place for place, _ in self.ways_out(lead_id)}:
            raise errors.ForbiddenError(
                "You can't move this lead there.",
                where="leads.location_id",
                hint="Managers move leads between locations that they have both.",
            )
        with self.desk.action() as edit:
            edit.patch(tables.LEADS.name, lead_id, {"location_id": location_id})

    def opt_out(self, lead_id: str, words: str) -> Edited:
        """No more contact, at once. `words`: what they said. Raises: NotFoundError."""
        with self.desk.action() as edit:
            return lead_changes.opt_out(edit, lead_id, words)

    def duplicates(
        self, *, phone: str = "", email: str = "", name: str = "", except_id: str = ""
    ) -> tuple[Duplicate, ...]:
        """Leads here that may be the same person, the surest first; half-typed values find nothing."""
        numbers = set(phones.numbers(phone))
        found: dict[str, Duplicate] = {}
        for lead in leads.same_contact(self.desk.db, phone=phone, email=email, except_id=except_id):
            same = "same e-mail" if numbers.isdisjoint(lead.ways) else "same phone"
            found[lead.id] = _duplicate(lead, same)
        if name.strip():
            for lead in lead_lists.namesakes(self.desk.db, " ".join(name.split())):
                if lead.id != except_id:
                    found.setdefault(lead.id, _duplicate(lead, "same name"))
        return tuple(found.values())

    def quick_add(self, new: NewLead) -> str:
        """A new lead of this person's; its id. Raises: InputError, ForbiddenError."""
        with self.desk.action() as edit:
            lead_id = ids.new_id(edit.edit_ms)
            edit.put(tables.LEADS.name, lead_id, self._new_row(edit, new))
            if new.note.strip():
                self.notes.add_text(edit, lead_id=lead_id, text=new.note)
        return lead_id

    def _new_row(self, edit: edits.Edit, new: NewLead) -> dict[str, Any]:
        typed = {name: getattr(new, name) for name in _QUICK if getattr(new, name) not in ("", None)}
        if not typed.keys() & {"phone", "email", "address", "lat"}:
            raise errors.InputError(
                "There is no way to find this person again.",
                where="leads.phone",
                hint="Give a phone, an e-mail or an address.",
            )
        cleaned = lead_fields.clean({"name": new.name, "kind": new.kind, **typed})
        cleaned = {**cleaned, **self._position(cleaned)}
        if new.consent_text or new.consent_call:
            cleaned |= {
                "consent_text": new.consent_text,
                "consent_call": new.consent_call or None,
                "consent_words": new.consent_words.strip() or None,
                "consent_at": wire_values.time_text(edit.now),
            }
        row = {
            "location_id": self.desk.home_location(new.location_id),
            "agent_id": self.desk.user.id,
            "stage": rules.Stage.NEW.value,
            **cleaned,
        }
        return row | lead_changes.first_score(row, edit.now)

    def _placed(self, edit: edits.Edit, lead_id: str, changes: Mapping[str, Any]) -> Mapping[str, Any]:
        """A new address without a position gets the best one that this device knows."""
        if not changes.keys() & {"address", "city", "state", "zip"} or changes.keys() & {"lat", "lon"}:
            return changes
        row = lead_changes.stored(edit, lead_id)
        typed = lead_fields.clean({name: changes[name] for name in changes if name in lead_fields.ADDRESS})
        if all(row.get(name) == value for name, value in typed.items()):
            return changes
        place = self.places.of_address({**row, **typed})
        lat, lon = place if place else (None, None)
        return {**changes, "lat": lat, "lon": lon}

    def _position(self, cleaned: Mapping[str, Any]) -> dict[str, float]:
        if cleaned.get("lat") is not None or not (cleaned.get("address") or cleaned.get("zip")):
            return {}
        place = self.places.of_address(cleaned)
        return {"lat": place[0], "lon": place[1]} if place else {}

    def _score(self, lead_id: str, now: datetime) -> scoring.Score:
        found = rows.get(self.desk.db, tables.LEADS, lead_id)
        return lead_changes.score_of(found[1] if found else {}, now)

    def _wanted(self, wanted: Filter) -> lead_lists.Wanted:
        return lead_lists.Wanted(
            words=wanted.words,
            kind=wanted.kind,
            temperature=wanted.temperature,
            stage=wanted.stage,
            source=wanted.source,
            location_id=wanted.location_id,
            agent_id=self.desk.user.id if wanted.mine else wanted.agent_id,
            open_only=wanted.open_only,
            late_at=self.desk.now() if wanted.late_only else None,
        )

    def _lead(self, lead_id: str) -> leads.Lead:
        found = leads.get(self.desk.db, lead_id)
        if found is None:
            raise errors.NotFoundError(
                "This lead is not on this device (any more).",
                where=f"leads {lead_id}",
                hint="Go back and open it from the list again.",
            )
        return found


_QUICK = ("phone", "email", "address", "city", "state", "zip", "lat", "lon", "source")


def _duplicate(lead: leads.Lead, why: str) -> Duplicate:
    return Duplicate(id=lead.id, name=lead.name, phone=lead.phone or "", email=lead.email or "", why=why)
