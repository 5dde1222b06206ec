"""A proposal of a note as its row says it: old and new in words."""

from __future__ import annotations

from datetime import date

from services.notes import ProposedChange
from views import strings
from views.parts import formats, proposal_row

OPT_OUT = "opted_out"
FOLLOW_UP = "follow_up_on"
_NAMES = {
    "timeline_days": "agent_work.review.timeline",  # its value says that it is days
    "opted_out": "agent_work.review.opt_out",
    "opt_out": "agent_work.review.opt_out",
    "opted_out_words": "agent_work.review.opt_out.words",
}


def row_of(change: ProposedChange, taken: bool) -> proposal_row.Proposal:
    return proposal_row.Proposal(
        id=change.id,
        field=label(change),
        old="" if change.field == FOLLOW_UP else value(change.field, change.old),
        new=change.display,
        heard=change.words,
        confidence=change.confidence,
        taken=taken,
    )


def label(change: ProposedChange) -> str:
    """The name of what is changed."""
    own = {FOLLOW_UP: "agent_work.review.task", "timeline_days": "agent_work.review.timeline"}
    key = own.get(change.field)
    return strings.t(key) if key else change.label


def value(field: str, stored: object) -> str:
    """A stored value for people; empty = there is none."""
    if stored is None or stored == "":
        return ""
    if field.endswith("_cents") and isinstance(stored, int):
        return formats.money(stored, exact=True)
    if field == "timeline_days":
        return strings.t("agent_work.review.days", n=stored)
    if field == "phone":
        return formats.phone(str(stored))
    if field.endswith("_on"):
        return _day(str(stored))
    return _plain(stored)


def _day(text: str) -> str:
    """`2026-11-20` → `20 Nov 2026`."""
    try:
        return f"{date.fromisoformat(text[:10]):%-d %b %Y}"
    except ValueError:
        return text


def _plain(stored: object) -> str:
    if isinstance(stored, bool):
        return strings.t("agent_work.yes" if stored else "agent_work.no")
    if isinstance(stored, list | tuple):
        return ", ".join(map(str, stored))
    text = str(stored).replace("_", " ")
    return text[:1].upper() + text[1:]


def field_name(field: str) -> str:
    """As the lead's page names it: `price_cents` → `Price`."""
    key = _NAMES.get(field, f"agent_field.field.{field}")
    if key in strings.table():
        return strings.t(key)
    text = field.removesuffix("_cents").removesuffix("_on").removesuffix("_at").replace("_", " ")
    return text[:1].upper() + text[1:]
