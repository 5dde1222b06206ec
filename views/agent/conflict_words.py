"""A conflict as its card says it: whose value is which, by whom and when."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from services.conflicts import ConflictField, ConflictItem
from views import strings
from views.agent import review_words
from views.parts import conflict_card, formats


def _t(key: str, **values: object) -> str:
    return strings.t(f"agent_work.conflict.{key}", **values)


def unit(item: ConflictItem) -> str:
    """The name of what two people changed."""
    return review_words.field_name(item.unit)


def values(fields: tuple[ConflictField, ...], side: str) -> str:
    """All fields of the unit, since they belong together; the field's name only where there are several."""
    shown = []
    for field in fields:
        text = review_words.value(field.name, getattr(field, side)) or formats.NOTHING
        shown.append(text if len(fields) == 1 else f"{review_words.field_name(field.name)}: {text}")
    return "\n".join(shown) or formats.NOTHING


def sides(item: ConflictItem, now: datetime, zone: ZoneInfo) -> conflict_card.Conflict:
    """Mine left, the other right; where neither is mine, what lost is left and what stands is right."""
    winner = conflict_card.Side(
        value=values(item.fields, "winner"),
        author=item.winner_by or _t("somebody"),
        when=formats.moment(item.winner_at, now, zone),
    )
    loser = conflict_card.Side(
        value=values(item.fields, "loser"),
        author=item.loser_by or _t("somebody"),
        when=formats.moment(item.loser_at, now, zone),
    )
    mine, theirs = (winner, loser) if item.mine_won else (loser, winner)
    return conflict_card.Conflict(
        id=item.id,
        lead=item.lead_name or _t("no_lead"),
        field=unit(item),
        yours=mine,
        office=theirs,
        effect=stands(item),
    )


def stands(item: ConflictItem) -> str:
    """Which of them counts until somebody decides."""
    if item.mine_won is None:
        return _t("stands.other", name=item.winner_by or _t("somebody"))
    return _t("stands.mine" if item.mine_won else "stands.theirs")
