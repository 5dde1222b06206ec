"""What is on its way, and what the server refused: each with its word, and what a person can do."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import flet as ft

from services import sync_centre
from services.sync_centre import ParkedItem, WaitingItem
from views import component, context, routes, strings, theme
from views.agent import review_words
from views.parts import buttons, cards, chips, dialogs, formats, toasts, words

_DERIVED = {"id", "score", "temperature", "proposals", "audio_sha256"}


def _t(key: str, **values: object) -> str:
    return strings.t(f"agent_work.sync.{key}", **values)


@component.component
def waiting_row(item: WaitingItem, key: str = "") -> ft.Control:
    """A change or a recording, and where it is."""
    del key
    app = context.use_app()
    lines: list[ft.Control] = [
        ft.Row(
            [words.body(item.title, lines=2, expand=True), chips.sync_state(item.word)],
            vertical_alignment=ft.CrossAxisAlignment.START,
            spacing=theme.GAP_S,
        ),
        words.fine(_about(item, app.now())),
    ]
    if item.size and item.sent:
        share = item.sent / item.size
        lines.append(ft.ProgressBar(value=share, color=theme.BRAND, bgcolor=theme.TRACK, bar_height=6))
    if item.error:
        lines.append(words.fine(item.error, color=theme.BAD, lines=3))

    def again() -> None:
        app.service(sync_centre.SyncCentre).retry_sound(item.id)

    if item.table == "blobs" and item.word == "needs_you":
        lines.append(cards.line(buttons.secondary(_t("retry"), again, id=f"retry-sound-{item.id}")))
    return ft.Semantics(
        identifier=f"waiting-{item.id}",
        container=True,
        label=f"{item.title}, {strings.t(f'kit.sync.{item.word}')}",
        content=cards.card(cards.stack(*lines, gap=4), padding=theme.GAP),
    )


def _about(item: WaitingItem, now: datetime) -> str:
    parts = [formats.ago(item.made_at, now)]
    if item.size is not None:
        sent = f"{formats.size(item.sent or 0)} / " if item.sent else ""
        parts.append(f"{sent}{formats.size(item.size)}")
    return " · ".join(parts)


@component.component
def parked_card(item: ParkedItem, key: str = "") -> ft.Control:
    """The server's reason, and the ways out: again, give up, open and change."""
    del key
    app = context.use_app()
    page = ft.context.page
    service = app.service(sync_centre.SyncCentre)

    def retry() -> None:
        service.retry(item.group)
        toasts.show(page, _t("parked.again"))

    def discard() -> None:
        service.discard(item.group)
        toasts.show(page, _t("parked.gone"))

    ask = _asking(page, discard)
    rows: list[ft.Control] = [
        ft.Row(
            [_title(item.title), chips.sync_state("needs_you")],
            vertical_alignment=ft.CrossAxisAlignment.START,
        ),
        words.body(_t("parked.blocked") if item.blocked else item.message),
        words.fine(_what(item), lines=4),
        words.fine(formats.ago(item.made_at, app.now())),
        cards.line(*_ways_out(app, item, retry, ask), wrap=True),
    ]
    return ft.Semantics(
        identifier=f"parked-{item.group}", container=True, content=cards.card(cards.stack(*rows, gap=6))
    )


def _title(text: str) -> ft.Control:
    title = words.name(text, expand=True)
    title.max_lines = 3
    return title


def _asking(page: ft.Page, discard: Callable[[], None]) -> Callable[[], None]:
    def ask() -> None:
        dialogs.confirm(
            page,
            _t("parked.discard.title"),
            _t("parked.discard.text"),
            yes=_t("parked.discard"),
            on_yes=discard,
            dangerous=True,
        )

    return ask


def _ways_out(
    app: context.AppContext, item: ParkedItem, retry: Callable[[], None], ask: Callable[[], None]
) -> list[ft.Control]:
    found = [
        buttons.secondary(_t("retry"), retry, icon=ft.Icons.REFRESH, id=f"retry-{item.group}"),
        buttons.outlined(_t("parked.discard"), ask, id=f"discard-{item.group}"),
    ]
    if item.lead_id:
        way = routes.lead(item.lead_id)
        found.append(buttons.quiet(_t("open_lead"), lambda: app.go(way), id=f"open-{item.group}"))
    return found


def _what(item: ParkedItem) -> str:
    """Changed fields with what was written."""
    shown = [
        f"{review_words.field_name(name)}: {review_words.value(name, value) or formats.NOTHING}"
        for name, value in item.what
        if not name.endswith(("_id", "_ver")) and name not in _DERIVED
    ]
    return " · ".join(shown[:8])
