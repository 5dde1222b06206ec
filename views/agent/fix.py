"""A change that the server refused, where the work is done: its reason, and the value ready to be put right."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import flet as ft

from domain import errors
from services import sync_centre
from services.sync_centre import ParkedChange, ParkedItem
from views import cells, component, context, live, routes, shell, strings, theme
from views.agent import change_words, review_words
from views.agent.lead import typed
from views.parts import (
    buttons,
    cards,
    chips,
    empty_state,
    error_card,
    formats,
    marks,
    text_field,
    toasts,
    words,
)

_PARSERS: Mapping[str, Callable[[str], object]] = {"price_cents": typed.cents, "timeline_days": typed.days}

Draft = Mapping[tuple[str, str], str]
"""What stands in the fields, by row and field."""


def _t(key: str, **values: object) -> str:
    return strings.t(f"sync.fix.{key}", **values)


@component.component
def fix_card(item: ParkedItem, key: str = "") -> ft.Control:
    """Every field that may be typed, as it was written; sent as a whole."""
    del key
    app = context.use_app()
    page = ft.context.page
    service = app.service(sync_centre.SyncCentre)
    fields = [change for change in item.changes if is_typed(change)]
    first = {_place(change): as_typed(change) for change in fields}
    draft: cells.Cell[Draft] = cells.use_cell(first)
    problem = cells.use_cell("")

    def send() -> None:
        try:
            service.correct(item.group, _changed(first, draft.value))
        except errors.JorgeError as error:
            problem.set(" ".join(error_card.explain(error)))
        else:
            toasts.show(page, _t("sent"))

    rows: list[ft.Control] = [_head(item), reason(item)]
    rows += [_field(change, draft) for change in fields]
    if problem.value:
        rows.append(marks.announced(words.body(problem.value, color=theme.BAD), identifier="fix-problem"))
    rows.append(
        cards.line(
            buttons.secondary(_t("send"), send, icon=ft.Icons.CLOUD_UPLOAD_OUTLINED, id=f"fix-{item.group}")
        )
    )
    return marks.mark("fix-card", cards.card(cards.stack(*rows)))


def _head(item: ParkedItem) -> ft.Control:
    return ft.Row(
        [
            cards.stack(words.name(_t("heading")), words.soft(item.title, lines=2), gap=0, expand=True),
            chips.sync_state("needs_you"),
        ],
        vertical_alignment=ft.CrossAxisAlignment.START,
    )


def _place(change: ParkedChange) -> tuple[str, str]:
    return change.row_id, change.name


def _changed(first: Draft, draft: Draft) -> dict[str, dict[str, object]]:
    """By row, only what was typed anew. Raises: InputError."""
    found: dict[str, dict[str, object]] = {}
    for (row_id, name), text in draft.items():
        if text != first[row_id, name]:
            found.setdefault(row_id, {})[name] = _PARSERS.get(name, str)(text)
    return found


def _field(change: ParkedChange, draft: cells.Cell[Draft]) -> ft.Control:
    server = review_words.value(change.name, change.server) or strings.t("sync.parked.nothing")
    return cards.stack(
        text_field.text_field(
            review_words.field_name(change.name),
            draft.value[_place(change)],
            on_change=lambda text: draft.change(lambda old: {**old, _place(change): text}),
        ),
        words.fine(f"{strings.t('sync.parked.server')}: {server}", lines=2),
        gap=4,
    )


def reason(item: ParkedItem) -> ft.Control:
    """The server's own words, in a box."""
    said = change_words.reason(item.message or item.code, (change.name for change in item.changes))
    text = strings.t("sync.parked.blocked") if item.blocked else said
    return ft.Container(
        cards.line(
            ft.Icon(ft.Icons.ERROR_OUTLINE, size=20, color=theme.ON_BAD_SOFT),
            words.body(text, color=theme.ON_BAD_SOFT, expand=True),
            gap=theme.GAP_S,
        ),
        bgcolor=theme.BAD_SOFT,
        border_radius=12,
        padding=theme.GAP,
    )


def is_typed(change: ParkedChange) -> bool:
    """Whether a person can put it right in a field of text."""
    return (
        isinstance(change.mine, str | int | float)
        and not isinstance(change.mine, bool)
        and not (
            change.name.endswith(("_id", "_at", "_on", "_ver"))
            or change.name in {"kind", "stage", "state_reason", "lat", "lon", "opted_out"}
        )
    )


def as_typed(change: ParkedChange) -> str:
    """The value as one would type it."""
    if change.name.endswith("_cents") and isinstance(change.mine, int):
        return formats.money(change.mine, exact=True)
    if change.name == "phone":
        return formats.phone(str(change.mine))
    return str(change.mine)


@component.screen
def fix_screen() -> ft.View:
    """For what has no page of its own."""
    app = context.use_app()
    service = app.service(sync_centre.SyncCentre)
    group = ft.use_route_params().get("group", "")

    def read() -> ParkedItem | None:
        try:
            return service.parked_item(group)
        except errors.NotFoundError:
            return None

    item = live.use_live(read, group)
    body = cards.page(fix_card(item, key=group) if item is not None else _gone(app))
    return shell.frame(_t("title"), body, within=routes.Screen.SYNC)


def _gone(app: context.AppContext) -> ft.Control:
    back = buttons.primary(_t("back"), lambda: app.go(routes.SYNC), id="to-sync")
    return empty_state.empty_state(ft.Icons.DONE_ALL, _t("gone.title"), _t("gone.text"), action=back)
