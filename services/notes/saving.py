"""Saving a review: the lead, the follow-up, the opt-out and the note in one transaction."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from typing import Any

from domain import contact, errors, ids, tables, values
from domain.proposals import Field
from services import lead_changes, tasks
from services.desk import Desk
from services.notes import proposed
from services.notes.values import NoteSaved, NoteState
from storage import edits, notes

_FOLLOW_UP_AT = time(10, 0)


def save(desk: Desk, note: notes.Note, wanted: Mapping[str, Any], lead_id: str) -> NoteSaved:
    """All or nothing. Raises: InputError, RuleError, NotFoundError."""
    fields = {field.value: wanted[field.value] for field in proposed.ON_LEAD if field.value in wanted}
    opted_out = bool(wanted.get(Field.OPTED_OUT.value))
    if (fields or opted_out) and not lead_id:
        raise errors.RuleError(
            "These changes have no lead.",
            where="notes.lead_id",
            hint="Choose whom the note is about, or drop them.",
        )
    with desk.action() as edit:
        changed = dict(lead_changes.apply(edit, lead_id, fields).after) if fields else {}
        task_id = ""
        if Field.FOLLOW_UP.value in wanted and not opted_out:
            task_id = _follow_up(edit, desk, note, str(wanted[Field.FOLLOW_UP.value]), lead_id)
        if opted_out:
            found = next(
                (item.words for item in proposed.from_json(note.proposals) if item.field is Field.OPTED_OUT),
                "",
            )
            changed |= lead_changes.opt_out(edit, lead_id, found).after
        if lead_id:
            _log(edit, desk, note, lead_id)
        edit.patch(tables.NOTES.name, note.id, {"state": NoteState.SAVED.value, "lead_id": lead_id or None})
    return NoteSaved(lead_id=lead_id, changed=changed, task_id=task_id, opted_out=opted_out)


def _follow_up(edit: edits.Edit, desk: Desk, note: notes.Note, day: str, lead_id: str) -> str:
    lead = lead_changes.stored(edit, lead_id) if lead_id else {}
    name = lead.get("name")
    return tasks.add(
        edit,
        desk,
        title=f"Follow up with {name}" if name else "Follow up on a note",
        lead_id=lead_id,
        due_at=_due(desk, lead, day),
        kind="follow_up",
        text=(note.transcript or "")[:500],
    )


def _due(desk: Desk, lead: Mapping[str, Any], day: str) -> datetime:
    """Ten in the morning of that day, moved into the lead's legal window."""
    try:
        wanted = date.fromisoformat(day[:10])
    except ValueError:
        raise errors.InputError(
            "This is no date.", where="follow_up_on", hint="Give it as 2026-11-30."
        ) from None
    place = contact.Place(state=lead.get("state"), zip=lead.get("zip"), phone=lead.get("phone"))
    zone = place.zone if lead and place.known else desk.zone()
    return contact.next_open(place, datetime.combine(wanted, _FOLLOW_UP_AT, zone).astimezone(UTC))


def _log(edit: edits.Edit, desk: Desk, note: notes.Note, lead_id: str) -> None:
    """The note stands in the lead's timeline."""
    lead = lead_changes.stored(edit, lead_id)
    edit.put(
        tables.INTERACTIONS.name,
        ids.new_id(edit.edit_ms),
        {
            "location_id": lead["location_id"],
            "lead_id": lead_id,
            "agent_id": desk.user.id,
            "kind": "note",
            "channel": "voice" if note.audio_sha256 else "text",
            "occurred_at": values.time_text(note.created_at),
            "body": note.transcript or note.text,
            "seconds": None if note.audio_seconds is None else round(note.audio_seconds),
        },
    )
