"""A waiting change in a person's words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from domain import tables, wire
from storage import outbox


def human(item: outbox.Line, values: Mapping[str, Any] | None) -> str:
    """One change in words: "Changed price of Ann Lee"."""
    change = item.mutation
    if change.table == "notes" and change.op is wire.Op.PATCH:
        return "Words of a note" if "transcript" in change.patch else "Review of a note"
    source = values or change.patch
    name = str(source.get("name") or source.get("title") or source.get("text") or source.get("body") or "")
    noun = _NOUNS.get(change.table, change.table)
    if change.op is not wire.Op.PATCH:
        verb = "New" if change.op is wire.Op.PUT else "Deleted"
        return f"{verb} {noun} {name[:60]}".rstrip()
    what = ", ".join(_told(change)) or noun
    return f"Changed {what} of {name[:60]}" if name else f"Changed {what}"


def _told(change: wire.Mutation) -> list[str]:
    """The units that a person changed; what our rules worked out from them is no news to anybody."""
    known = tables.BY_NAME[change.table].by_name
    typed = {
        known[name].unit if name in known else name
        for name in change.patch
        if name not in known or known[name].policy is not tables.Policy.DERIVED
    }
    return [_UNITS.get(unit, unit.replace("_", " ")) for unit in sorted(typed)]


_UNITS = {
    "done_at": "done mark", "due_at": "due date", "opt_out": "opt-out", "timeline_days": "timeline",
    "agent_id": "agent", "lead_id": "lead", "location_id": "location",
}  # fmt: skip
_NOUNS = {
    "leads": "lead",
    "interactions": "entry",
    "tasks": "task",
    "notes": "note",
    "properties": "property",
    "deals": "deal",
    "conflicts": "decision",
}
