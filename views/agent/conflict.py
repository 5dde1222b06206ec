"""One conflict: both values, what was there before, the history of the row, and the choice."""

from __future__ import annotations

from collections.abc import Callable
from zoneinfo import ZoneInfo

import flet as ft

from services import conflicts
from services.conflicts import ConflictItem, Kind
from views import component, context, live, routes, shell, strings, theme
from views.agent import conflict_words, orphan, pair
from views.parts import buttons, cards, conflict_card, toasts, words


def chooser(page: ft.Page, service: conflicts.Conflicts, item: ConflictItem) -> Callable[[str, str], None]:
    """What a touch on one of the two sides does. The action raises: RuleError, ForbiddenError."""
    one_is_winner = item.mine_won is True

    def choose(conflict_id: str, which: str) -> None:
        wins = one_is_winner is (which == "one")
        (service.keep_winner if wins else service.restore_loser)(conflict_id)
        toasts.show(page, strings.t("sync.conflict.done"))

    return choose


@component.component
def conflict_row(
    item: ConflictItem, zone: ZoneInfo, key: str = "", opens: bool = True, on_lead: bool = False
) -> ft.Control:
    """In a list; a touch beside the buttons opens the whole story. `on_lead`: it stands on the lead itself."""
    del key
    app = context.use_app()
    service = app.service(conflicts.Conflicts)
    if item.kind is Kind.ORPHAN:
        return orphan.orphan_card(item) if item.open else ft.Container(height=0)
    return conflict_card.conflict_card(
        conflict_words.sides(item, app.now(), zone, on_lead=on_lead),
        on_choose=chooser(ft.context.page, service, item),
        on_open=(lambda found: app.go(routes.conflict(found))) if opens else None,
    )


@component.screen
def conflict_screen() -> ft.View:
    app = context.use_app()
    service = app.service(conflicts.Conflicts)
    zone = service.desk.zone()
    conflict_id = ft.use_route_params().get("conflict_id", "")

    def read() -> tuple[ConflictItem, tuple[ConflictItem, ...], conflicts.Pair]:
        item = service.get(conflict_id)
        history = service.of_row(item.table, item.row_id, open_only=False)
        return item, history, service.pair(conflict_id)

    item, history, both = live.use_live(read, conflict_id, tables=("conflicts", "leads", "people"))
    if item.kind is Kind.DUPLICATE:
        rows: list[ft.Control] = [pair.pair_card(both, key=item.id)]
    else:
        rows = [conflict_row(item, zone, key=item.id, opens=False), _before(item)]
    if item.lead_id and item.lead_name:
        way = routes.lead(item.lead_id)
        text = strings.t("sync.parked.open_lead")
        rows.append(cards.line(buttons.outlined(text, lambda: app.go(way), id="conflict-lead")))
    past = tuple(old for old in history if old.id != item.id and old.kind is not Kind.DUPLICATE)
    if past:
        rows.append(_history(past, zone))
    return shell.frame(strings.t("sync.conflict.title"), cards.page(*rows), within=routes.Screen.SYNC)


def _before(item: ConflictItem) -> ft.Control:
    return cards.card(
        cards.stack(
            words.label(strings.t("sync.conflict.before"), color=theme.INK_SOFT),
            words.body(conflict_words.values(item.fields, "base")),
            gap=4,
        )
    )


def _history(past: tuple[ConflictItem, ...], zone: ZoneInfo) -> ft.Control:
    rows: list[ft.Control] = [conflict_row(item, zone, key=item.id) for item in past]
    return cards.section(strings.t("sync.conflict.history"), rows, gap=theme.GAP_S)
