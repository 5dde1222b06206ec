"""A conflict as its card says it: whose value is which, by whom and when."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from services.conflicts import ConflictField, ConflictItem, Kind
from views import strings
from views.agent import review_words
from views.parts import conflict_card, formats


def _t(key: str, **values: object) -> str:
    return strings.t(f"sync.conflict.{key}", **values)


def unit(item: ConflictItem) -> str:
    """The name of what two people changed."""
    if item.kind is Kind.DELETED:
        return _t("deleted.title")
    if item.kind is Kind.VALUES and len(item.fields) == 1:
        return review_words.field_name(item.fields[0].name)
    return review_words.field_name(item.unit)


def values(fields: tuple[ConflictField, ...], side: str) -> str:
    """All fields of the unit, since they belong together; the field's name only where there are several."""
    shown = []
    whole = {field.name for field in fields}
    fields = tuple(field for field in fields if field.name != "price_on" or "price_cents" not in whole)
    for field in fields:
        text = review_words.value(field.name, getattr(field, side)) or formats.NOTHING
        shown.append(text if len(fields) == 1 else f"{review_words.field_name(field.name)}: {text}")
    return "\n".join(shown) or formats.NOTHING


def author(item: ConflictItem, side: str) -> str:
    """A name, or "Somebody" where the server did it or the name is not on this device."""
    return (item.winner_by if side == "winner" else item.loser_by) or _t("somebody")


def sides(
    item: ConflictItem, now: datetime, zone: ZoneInfo, *, on_lead: bool = False
) -> conflict_card.Conflict:
    """This person's first; where neither is theirs, what lost is first and what won second."""
    one, other = ("winner", "loser") if item.mine_won else ("loser", "winner")
    return conflict_card.Conflict(
        id=item.id,
        lead="" if on_lead else item.lead_name,
        field=unit(item),
        one=_side(item, one, now, zone),
        other=_side(item, other, now, zone),
        effect=stands(item) if item.open else decided_by(item, now, zone),
        decided=not item.open,
    )


def _side(item: ConflictItem, side: str, now: datetime, zone: ZoneInfo) -> conflict_card.Side:
    mine = item.mine_won is not None and item.mine_won is (side == "winner")
    counts = item.loser_stands is (side == "loser")
    name = author(item, side)
    return conflict_card.Side(
        title=_t("yours") if mine else name,
        value=_t("deleted") if _is_gone(item, side) else values(item.fields, side),
        when=formats.moment(item.winner_at if side == "winner" else item.loser_at, now, zone),
        counts=counts,
        take=_button(item, side, mine=mine, counts=counts),
    )


def _is_gone(item: ConflictItem, side: str) -> bool:
    return item.kind is Kind.DELETED and side == "winner"


def _button(item: ConflictItem, side: str, *, mine: bool, counts: bool) -> str:
    """Nothing to press on what counts already and is decided."""
    if item.kind is Kind.DELETED:
        return _deleted_button(item, side, mine=mine)
    if counts and not item.open:
        return ""
    if mine:
        return _t("keep_mine" if counts else "take_mine")
    return _t("keep" if counts else "take", name=author(item, side))


def _deleted_button(item: ConflictItem, side: str, *, mine: bool) -> str:
    """Only the device that still has the edit can bring the row back."""
    if side == "winner":
        return _t("deleted.leave") if item.open else ""
    return _t("deleted.restore") if mine and not item.loser_stands else ""


def stands(item: ConflictItem) -> str:
    """Which of them counts until somebody decides."""
    if item.kind is Kind.DELETED:
        return ""
    name = _t("stands.mine") if item.mine_won else _t("stands.theirs", name=author(item, "winner"))
    return _t("stands", name=name)


def decided_by(item: ConflictItem, now: datetime, zone: ZoneInfo) -> str:
    """Who settled it and when, or by which rule."""
    if not item.resolution:
        return "" if item.kind is Kind.DELETED else _t("by_rule")
    who = item.resolved_by or _t("somebody")
    return _t("by", name=who, when=formats.moment(item.resolved_at, now, zone))
