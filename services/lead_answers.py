"""A lead's answers to the four questions, and whether they qualify it."""

from __future__ import annotations

from domain import leads as rules
from storage import leads


def is_qualified(lead: leads.Lead) -> bool:
    return rules.is_qualified(known(lead), lead.answer_quality, lead.timeline_days)


def known(lead: leads.Lead) -> dict[str, object]:
    """As given, else in the words of the lead's own fields."""
    days, cents = lead.timeline_days, lead.price_cents
    row = {
        "kind": lead.kind,
        "answers": lead.answers,
        "motivation": lead.motivation,
        "condition": lead.condition,
        "financing": lead.financing,
        "area": lead.area,
        "timeline_days": None if days is None else f"{days} days",
        "price_cents": None if cents is None else f"${cents / 100:,.0f}",
    }
    return rules.answers_known(row)
