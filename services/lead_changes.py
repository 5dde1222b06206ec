"""A change of a lead with all that follows from it by rule: whole units, score, temperature, answer clock."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from domain import errors, facts, optouts, scoring, tables, values
from domain import leads as rules
from services import lead_fields
from storage import edits, tasks

ENDED_BY_OPT_OUT = frozenset({"call", "text", "email", "follow_up"})
_SCORED = frozenset(
    {
        "kind",
        "motivation",
        "timeline_days",
        "condition",
        "price_cents",
        "financing",
        "area",
        "answers",
        "last_inbound_at",
        "last_touch_at",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Edited:
    """What one action changed in a lead, so that it can be undone."""

    lead_id: str
    before: Mapping[str, Any]
    after: Mapping[str, Any]
    temperature_before: str = ""
    temperature_after: str = ""

    @property
    def changed(self) -> bool:
        return bool(self.after)


def stored(edit: edits.Edit, lead_id: str) -> dict[str, Any]:
    """The lead as it is now. Raises: NotFoundError."""
    found = edit.row(tables.LEADS, lead_id)
    if found is None:
        raise errors.NotFoundError(
            "This lead is not on this device (any more).",
            where=f"leads {lead_id}",
            hint="Go back and open it from the list again.",
        )
    return found


def apply(edit: edits.Edit, lead_id: str, changes: Mapping[str, Any]) -> Edited:
    """One patch with the typed values and what the rules make of them. Raises: InputError, RuleError, NotFoundError."""
    row = stored(edit, lead_id)
    cleaned = lead_fields.clean(changes)
    _check_stage(row, cleaned)
    wanted = with_rules(row, whole_units(cleaned, edit.now), edit.now)
    return write(edit, lead_id, row, wanted)


def write(edit: edits.Edit, lead_id: str, row: Mapping[str, Any], wanted: Mapping[str, Any]) -> Edited:
    """Stores what is really another value."""
    after = {name: value for name, value in wanted.items() if row.get(name) != value}
    edit.patch(tables.LEADS.name, lead_id, after)
    return Edited(
        lead_id=lead_id,
        before={name: row.get(name) for name in after},
        after=after,
        temperature_before=row.get("temperature") or "",
        temperature_after=after.get("temperature", row.get("temperature")) or "",
    )


def touched(edit: edits.Edit, lead_id: str) -> Edited:
    """We reached out: the answer clock stops."""
    row = stored(edit, lead_id)
    return write(edit, lead_id, row, {"last_touch_at": values.time_text(edit.now), "answer_due_at": None})


def opt_out(edit: edits.Edit, lead_id: str, words: str) -> Edited:
    """No more contact, at once and for good; open calls and texts to this lead end with it."""
    row = stored(edit, lead_id)
    at = values.time_text(edit.now)
    said = " ".join(words.split())[:500] or "opted out"
    for task in tasks.of_lead(edit.tx, lead_id):
        if task.done_at is None and task.kind in ENDED_BY_OPT_OUT:
            text = "\n".join(part for part in (task.text, "Ended: the lead opted out.") if part)
            edit.patch(tables.TASKS.name, task.id, {"done_at": at, "text": text})
    wanted = {"opted_out": True, "opted_out_at": at, "opted_out_words": said, "answer_due_at": None}
    if row.get("opted_out"):
        wanted = {}
    return write(edit, lead_id, row, wanted)


def opt_out_if_said(edit: edits.Edit, lead_id: str, message: str) -> bool:
    """The legal keywords and phrases in a lead's own message count at once."""
    found = optouts.in_message(message)
    if found is not None:
        opt_out(edit, lead_id, found.words)
    return found is not None


def with_rules(row: Mapping[str, Any], changes: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """The changes with score, temperature and answer clock brought in line, where an input of theirs changed."""
    if not any(name in _SCORED and row.get(name) != value for name, value in changes.items()):
        return dict(changes)
    after = {**row, **changes}
    score = round(score_of(after, now).value, 1)
    temperature = rules.temperature(score, facts.text(row.get("temperature"))).value
    return {
        **changes,
        "score": score,
        "temperature": temperature,
        "answer_due_at": answer_due_text(after, temperature),
    }


def score_of(row: Mapping[str, Any], now: datetime) -> scoring.Score:
    """The score of a stored lead, with its reasons; what its own fields answer counts as answered."""
    return scoring.lead_score(scoring.inputs({**row, "answers": rules.answers_known(row)}, now))


def first_score(row: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """Score and temperature of a lead that is just being made."""
    score = round(score_of(row, now).value, 1)
    return {"score": score, "temperature": rules.temperature(score).value}


def answer_due_text(row: Mapping[str, Any], temperature: str) -> str | None:
    """When the answer to their last word is due; None where we answered, or no clock runs."""
    inbound, touch = facts.moment(row.get("last_inbound_at")), facts.moment(row.get("last_touch_at"))
    if inbound is None or row.get("opted_out") or (touch is not None and touch >= inbound):
        return None
    due = rules.answer_due(temperature, inbound)
    return None if due is None else values.time_text(due)


def whole_units(changes: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """A new price carries its date, a new consent its time, a new stage its reason."""
    whole = dict(changes)
    if "price_cents" in whole and "price_on" not in whole:
        whole["price_on"] = None if whole["price_cents"] is None else now.date().isoformat()
    if {"consent_text", "consent_call", "consent_words"} & whole.keys():
        whole["consent_at"] = values.time_text(now)
    if "stage" in whole:
        whole.setdefault("stage_reason", None)
    return whole


def _check_stage(row: Mapping[str, Any], changes: Mapping[str, Any]) -> None:
    """Losing a lead, and taking back a closed or lost one, needs a reason."""
    new, old = changes.get("stage"), row["stage"]
    if new is None or new == old or changes.get("stage_reason"):
        return
    if new == rules.Stage.LOST or not rules.is_open(old):
        raise errors.RuleError(
            "This change of stage needs a reason.", where="leads.stage", hint="Say in a few words why."
        )
