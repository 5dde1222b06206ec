"""Search over leads, notes, transcripts, tasks and what was said; all of it on this device."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import flet as ft

from services import search
from views import cells, component, context, live, routes, shell, strings, theme
from views.parts import buttons, cards, chips, empty_state, marks, text_field, words

_TABLES = ("leads", "notes", "interactions", "tasks")
_PAGE = 30
_ICONS = {
    "leads": ft.Icons.PERSON_OUTLINE,
    "notes": ft.Icons.MIC_NONE,
    "interactions": ft.Icons.FORUM_OUTLINED,
    "tasks": ft.Icons.CHECK_CIRCLE_OUTLINE,
}


@component.screen
def search_screen() -> ft.View:
    app = context.use_app()
    service = app.service(search.Search)
    typed, table, limit = cells.use_cell(""), cells.use_cell(""), cells.use_cell(_PAGE)
    wanted = (table.value,) if table.value else ()
    found = live.use_live(
        lambda: service.find(typed.value, tables=wanted, limit=limit.value),
        *(typed.value, table.value, limit.value),
        tables=_TABLES,
    )
    recent = live.use_live(service.recent)

    def ask(text: str) -> None:
        limit.set(_PAGE)
        typed.set(text)

    def open_hit(hit: search.Hit) -> None:
        service.remember(typed.value)
        app.go(_address(hit))

    field = text_field.text_field(
        strings.t("agent_field.search.field"),
        typed.value,
        on_change=ask,
        icon=ft.Icons.SEARCH,
    )
    top = [field, _kinds(table)]
    if not typed.value.strip():
        body = cards.page(*top, _recent(recent, ask, service.forget))
    else:
        body = cards.page(
            *top, *_results(found, open_hit, lambda: limit.set(limit.value + _PAGE)), gap=theme.GAP
        )
    return shell.frame(strings.t("agent_field.search.title"), body, tab=routes.Screen.SEARCH)


def _address(hit: search.Hit) -> str:
    """A note opens itself; all else opens the lead that it is about."""
    if hit.table == "notes":
        return routes.review(hit.id, under=routes.SEARCH)
    if hit.lead_id or hit.table == "leads":
        return routes.lead(hit.lead_id or hit.id, under=routes.SEARCH)
    return routes.TASKS


def _kinds(table: cells.Cell[str]) -> ft.Control:
    def pick(name: str) -> Callable[[], None]:
        return lambda: table.set("" if table.value == name else name)

    items: list[ft.Control] = [
        chips.choice(
            strings.t(f"agent_field.search.{name}"),
            table.value == name,
            pick(name),
            id=f"search-{name}",
            icon=_ICONS[name],
        )
        for name in _TABLES
    ]
    return ft.Row(items, spacing=theme.GAP_S, scroll=ft.ScrollMode.HIDDEN)


def _recent(recent: Sequence[str], ask: Callable[[str], None], forget: Callable[[], None]) -> ft.Control:
    if not recent:
        return empty_state.empty_state(
            ft.Icons.MANAGE_SEARCH,
            strings.t("agent_field.search.start.title"),
            strings.t("agent_field.search.start.text"),
            id="search-start",
        )

    def again(text: str) -> Callable[[], None]:
        return lambda: ask(text)

    rows: list[ft.Control] = [
        chips.choice(text, chosen=False, on_click=again(text), id=f"recent-{i}", icon=ft.Icons.HISTORY)
        for i, text in enumerate(recent)
    ]
    clear = buttons.quiet(strings.t("agent_field.search.forget"), lambda: forget(), id="forget")
    line = ft.Row(rows, spacing=theme.GAP_S, run_spacing=theme.GAP_S, wrap=True)
    return cards.section(strings.t("agent_field.search.recent"), [line], action=clear)


def _results(
    found: search.Found, open_hit: Callable[[search.Hit], None], more: Callable[[], None]
) -> list[ft.Control]:
    if not found.hits:
        none = empty_state.empty_state(
            ft.Icons.SEARCH_OFF,
            strings.t("agent_field.search.none.title", words=found.words.strip()[:40]),
            strings.t("agent_field.search.none.text"),
            id="no-hits",
        )
        return [none]
    rows: list[ft.Control] = [_hit_row(hit, open_hit) for hit in found.hits]
    if found.more:
        rows.append(buttons.outlined(strings.t("agent_field.search.more"), more, id="show-more"))
    return rows


def _hit_row(hit: search.Hit, open_hit: Callable[[search.Hit], None]) -> ft.Control:
    kind = strings.t(f"agent_field.search.one.{hit.table}")
    about = hit.lead_name if hit.lead_name and hit.lead_name != hit.title else ""
    title = hit.title or strings.t("agent_field.search.untitled")
    head = ft.Row([words.name(title, expand=True), words.fine(kind)], spacing=theme.GAP_S)
    lines: list[ft.Control] = [head]
    if about:
        lines.append(words.fine(about))
    lines.append(snippet(hit.snippet))
    row = ft.Row(
        [
            ft.Icon(_ICONS.get(hit.table, ft.Icons.ARTICLE_OUTLINED), color=theme.INK_SOFT, size=24),
            cards.stack(*lines, gap=2, expand=True),
        ],
        spacing=theme.GAP,
        vertical_alignment=ft.CrossAxisAlignment.START,
    )
    card = cards.card(row, on_click=lambda: open_hit(hit))
    return ft.Container(marks.mark(f"hit-{hit.id}", card), key=f"{hit.table}-{hit.id}")


def snippet(text: str) -> ft.Control:
    """The words around the find, with the found ones bold."""
    spans: list[ft.TextSpan] = []
    for i, part in enumerate(text.replace("\n", " ").split("\x02")):
        bold, _, rest = part.partition("\x03") if i else ("", "", part)
        if bold:
            spans.append(ft.TextSpan(bold, ft.TextStyle(weight=ft.FontWeight.W_700, color=theme.INK)))
        if rest:
            spans.append(ft.TextSpan(rest))
    return ft.Text(
        spans=spans,
        theme_style=ft.TextThemeStyle.BODY_MEDIUM,
        color=theme.INK_SOFT,
        max_lines=3,
        overflow=ft.TextOverflow.ELLIPSIS,
    )
