"""News for the one whose value lost: what counts now, by whom or by which rule, and the way to have one's own back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

import flet as ft

from services import conflicts
from services.conflicts import ConflictItem, Kind
from views import component, context, routes, strings, theme
from views.agent import conflict_words
from views.parts import buttons, cards, chips, formats, marks, toasts, words


def _t(key: str, **values: object) -> str:
    return strings.t(f"sync.lost.{key}", **values)


def lost_section(items: Sequence[ConflictItem], zone: ZoneInfo) -> ft.Control:
    rows: list[ft.Control] = [lost_card(item, zone, key=item.id) for item in items]
    count = chips.chip(formats.number(len(items)), tone=theme.BRANDED)
    return cards.section(_t("title"), rows, action=count, note=_t("note"), gap=theme.GAP_S)


@component.component
def lost_card(item: ConflictItem, zone: ZoneInfo, on_lead: bool = False, key: str = "") -> ft.Control:
    """`on_lead`: it stands on the lead itself, whose name need not be said."""
    del key
    app = context.use_app()
    page = ft.context.page
    service = app.service(conflicts.Conflicts)

    def seen() -> None:
        service.seen([item.id])

    def take() -> None:
        (service.restore_loser if item.mine_won is False else service.keep_winner)(item.id)
        toasts.show(page, _t("taken"))

    mine, theirs = ("winner", "loser") if item.mine_won else ("loser", "winner")
    head = conflict_words.unit(item)
    if item.lead_name and not on_lead:
        head = f"{head} · {item.lead_name}"
    rows: list[ft.Control] = [
        words.name(head),
        _value(conflict_words.author(item, theirs), _counts(item, theirs), _when(item, app.now(), zone)),
        _value(strings.t("sync.conflict.yours"), conflict_words.values(item.fields, mine), ""),
    ]
    ways: list[ft.Control] = []
    if item.kind is Kind.VALUES:
        ways.append(buttons.outlined(_t("take"), take, icon=ft.Icons.UNDO, id=f"take-back-{item.id}"))
    ways.append(buttons.quiet(_t("seen"), seen, icon=ft.Icons.CHECK, id=f"seen-{item.id}"))
    if item.lead_name and not on_lead:
        way = routes.lead(item.lead_id)
        ways.append(
            buttons.quiet(strings.t("sync.parked.open"), lambda: app.go(way), id=f"lost-open-{item.id}")
        )
    rows.append(cards.line(*ways, wrap=True))
    return marks.mark(f"lost-{item.id}", cards.card(cards.stack(*rows, gap=6)))


def _counts(item: ConflictItem, side: str) -> str:
    if item.kind is Kind.DELETED:
        return strings.t("sync.conflict.deleted")
    return conflict_words.values(item.fields, side)


def _when(item: ConflictItem, now: datetime, zone: ZoneInfo) -> str:
    """By rule, or who decided; and when."""
    how = _t("person", name=item.resolved_by or _t("somebody")) if item.resolution else _t("rule")
    if item.kind is Kind.DELETED:
        how = _t("deleted", name=item.winner_by or _t("somebody"))
    return f"{how} · {formats.moment(item.resolved_at or item.created_at, now, zone)}"


def _value(who: str, value: str, small: str) -> ft.Control:
    lines: list[ft.Control] = [words.body(value, lines=4)]
    if small:
        lines.append(words.fine(small, lines=2))
    label = ft.Container(words.label(who, color=theme.INK_SOFT), width=96)
    return ft.Row(
        [label, cards.stack(*lines, gap=0, expand=True)],
        spacing=theme.GAP_S,
        vertical_alignment=ft.CrossAxisAlignment.START,
    )
