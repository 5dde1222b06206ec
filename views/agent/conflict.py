"""One conflict: both values, what was there before, the history of the row, and the choice."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import flet as ft

from services import conflicts
from services.conflicts import ConflictItem
from views import component, context, live, routes, shell, strings, theme
from views.agent import conflict_words
from views.parts import buttons, cards, chips, conflict_card, formats, marks, toasts, words


def choose(page: ft.Page, service: conflicts.Conflicts, item: ConflictItem, choice: str) -> None:
    """ "mine" or "office", by name where neither version is this person's. Raises: RuleError, ForbiddenError."""
    if item.mine_won is None:
        (service.restore_loser if choice == "mine" else service.keep_winner)(item.id)
    else:
        (service.keep_mine if choice == "mine" else service.keep_theirs)(item.id)
    toasts.show(page, strings.t("agent_work.conflict.decided"))


@component.component
def conflict_row(item: ConflictItem, zone: ZoneInfo, key: str = "") -> ft.Control:
    """In a list; a touch beside the buttons opens the whole story."""
    del key
    app = context.use_app()
    page = ft.context.page
    service = app.service(conflicts.Conflicts)
    return conflict_card.conflict_card(
        conflict_words.sides(item, app.now(), zone),
        on_choose=lambda _id, choice: choose(page, service, item, choice),
        on_open=lambda found: app.go(routes.conflict(found)),
    )


@component.screen
def conflict_screen() -> ft.View:
    app = context.use_app()
    service = app.service(conflicts.Conflicts)
    zone = service.desk.zone()
    conflict_id = ft.use_route_params().get("conflict_id", "")

    def read() -> tuple[ConflictItem, tuple[ConflictItem, ...]]:
        item = service.get(conflict_id)
        return item, service.of_row(item.table, item.row_id, open_only=False)

    item, history = live.use_live(read, conflict_id, tables=("conflicts", "leads", "people"))
    rows: list[ft.Control] = [_before(item)]
    if item.status == "open":
        rows.insert(0, conflict_row(item, zone, key=item.id))
    else:
        rows.insert(0, _decided(item, app.now(), zone))
    if item.lead_id:
        way = routes.lead(item.lead_id)
        text = strings.t("agent_work.sync.open_lead")
        rows.append(cards.line(buttons.outlined(text, lambda: app.go(way), id="conflict-lead")))
    rows.append(_history(history, app.now(), zone))
    return shell.frame(strings.t("agent_work.conflict.title"), cards.page(*rows), within=routes.Screen.SYNC)


def _decided(item: ConflictItem, now: datetime, zone: ZoneInfo) -> ft.Control:
    sides = conflict_words.sides(item, now, zone)
    lines = [
        cards.line(
            words.name(f"{sides.field} · {sides.lead}", expand=True),
            chips.chip(strings.t("agent_work.conflict.settled"), tone=theme.GOOD_TONE, icon=ft.Icons.CHECK),
        ),
        words.soft(_line(item, now, zone)),
    ]
    return marks.mark("conflict-decided", cards.card(cards.stack(*lines)))


def _before(item: ConflictItem) -> ft.Control:
    text = conflict_words.values(item.fields, "base")
    return cards.card(
        cards.stack(
            words.label(strings.t("agent_work.conflict.before"), color=theme.INK_SOFT),
            words.body(text),
            gap=4,
        )
    )


def _line(item: ConflictItem, now: datetime, zone: ZoneInfo) -> str:
    somebody = strings.t("agent_work.conflict.somebody")
    parts = []
    for side, who, when in (
        ("winner", item.winner_by, item.winner_at),
        ("loser", item.loser_by, item.loser_at),
    ):
        value = conflict_words.values(item.fields, side).replace("\n", ", ")
        parts.append(f"{value} – {who or somebody}, {formats.moment(when, now, zone)}")
    return "\n".join(parts)


def _history(history: tuple[ConflictItem, ...], now: datetime, zone: ZoneInfo) -> ft.Control:
    rows = [
        cards.card(
            cards.stack(
                cards.line(
                    words.name(conflict_words.unit(item), expand=True),
                    chips.sync_state("needs_you")
                    if item.status == "open"
                    else chips.chip(strings.t("agent_work.conflict.settled"), tone=theme.GOOD_TONE),
                ),
                words.fine(_line(item, now, zone), lines=6),
                gap=4,
            ),
            padding=theme.GAP,
            key=item.id,
        )
        for item in history
    ]
    return cards.section(strings.t("agent_work.conflict.history"), rows, gap=theme.GAP_S)
