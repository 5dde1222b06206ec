"""Changes of this lead that two people made at once: both values, and who decides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

import flet as ft

from services import conflicts
from views import component, context, routes, strings
from views.agent import lead_words
from views.parts import buttons, cards, conflict_card, formats, toasts, words


@component.component
def disputes_part(found: Sequence[conflicts.ConflictItem], now: datetime) -> ft.Control:
    """Where neither version is this person's, the conflict's own page asks by name."""
    app = context.use_app()
    page = ft.context.page
    service = app.service(conflicts.Conflicts)

    def choose(conflict_id: str, which: str) -> None:
        (service.keep_mine if which == "mine" else service.keep_theirs)(conflict_id)
        toasts.show(page, strings.t("agent_field.conflict.done"))

    rows = [
        _theirs(item, app)
        if item.mine_won is None
        else conflict_card.conflict_card(shown(item, now), on_choose=choose)
        for item in found
    ]
    return cards.section(strings.t("agent_field.lead.conflicts"), rows)


def _theirs(item: conflicts.ConflictItem, app: context.AppContext) -> ft.Control:
    both = strings.t("agent_field.conflict.others", one=item.winner_by, other=item.loser_by)
    look = buttons.outlined(
        strings.t("kit.look"), lambda: app.go(routes.conflict(item.id)), id=f"conflict-open-{item.id}"
    )
    rows = [words.name(field_words(item)), words.soft(both), ft.Row([look])]
    return ft.Container(cards.card(cards.stack(*rows)), key=item.id)


def shown(item: conflicts.ConflictItem, now: datetime) -> conflict_card.Conflict:
    """A conflict in words, mine on the left."""
    won = _side(_values(item, "winner"), item.winner_by, item.winner_at, now)
    lost = _side(_values(item, "loser"), item.loser_by, item.loser_at, now)
    yours, office = (won, lost) if item.mine_won else (lost, won)
    return conflict_card.Conflict(
        id=item.id,
        lead=item.lead_name,
        field=field_words(item),
        yours=yours,
        office=office,
        effect=strings.t("agent_field.conflict.mine" if item.mine_won else "agent_field.conflict.office"),
    )


def _side(values: Mapping[str, object], by: str, at: datetime | None, now: datetime) -> conflict_card.Side:
    value = lead_words.joined(*[value_words(name, value) for name, value in values.items()])
    return conflict_card.Side(
        value=value or formats.NOTHING,
        author=by or strings.t("agent_field.conflict.nobody"),
        when=formats.moment(at, now),
    )


def _values(item: conflicts.ConflictItem, side: str) -> dict[str, object]:
    return {field.name: getattr(field, side) for field in item.fields}


def field_words(item: conflicts.ConflictItem) -> str:
    """The names of what differs."""
    names = [strings.t(f"agent_field.field.{field.name}") for field in item.fields]
    return ", ".join(names) or item.unit


def value_words(name: str, value: object) -> str:
    """A stored value as people read it."""
    if value is None or value == "":
        return formats.NOTHING
    if name.endswith("_cents") and isinstance(value, int):
        return formats.money(value, exact=True)
    if name == "stage":
        return lead_words.stage(str(value))
    if isinstance(value, bool):
        return strings.t("agent_field.word.yes" if value else "agent_field.word.no")
    return str(value)
