"""Something written for a lead that was deleted meanwhile: it is kept, and a person says what becomes of it."""

from __future__ import annotations

import flet as ft

from services import conflicts
from services.conflicts import ConflictItem
from views import component, context, routes, strings
from views.agent import conflict_words
from views.parts import buttons, cards, chips, formats, marks, toasts, words


def _t(key: str, **values: object) -> str:
    return strings.t(f"sync.orphan.{key}", **values)


@component.component
def orphan_card(item: ConflictItem, key: str = "") -> ft.Control:
    del key
    app = context.use_app()
    page = ft.context.page
    service = app.service(conflicts.Conflicts)

    def keep() -> None:
        service.keep_winner(item.id)
        toasts.show(page, _t("kept"))

    head = ft.Row(
        [words.name(_t("title"), expand=True), chips.sync_state("needs_you")],
        vertical_alignment=ft.CrossAxisAlignment.START,
    )
    who = f"{conflict_words.author(item, 'loser')} · {formats.moment(item.loser_at, app.now())}"
    rows: list[ft.Control] = [head]
    if item.about:
        rows.append(words.body(f"“{item.about}”", lines=4))
    rows += [words.fine(who), words.soft(_t("text"), lines=3)]
    ways: list[ft.Control] = []
    if item.table == "notes":
        way = routes.review(item.row_id)
        ways.append(buttons.secondary(_t("choose"), lambda: app.go(way), id=f"orphan-open-{item.id}"))
    ways.append(buttons.outlined(_t("keep"), keep, id=f"orphan-keep-{item.id}"))
    rows.append(cards.line(*ways, wrap=True))
    return marks.mark(f"orphan-{item.id}", cards.card(cards.stack(*rows)))
