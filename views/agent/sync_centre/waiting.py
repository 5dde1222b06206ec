"""What is on its way: each change and recording with its word, whose it is, since when, and what it waits for."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

import flet as ft

from services import sync_centre
from services.sync_centre import Lamps, WaitingItem
from services.sync_words import SyncWord
from views import component, context, files, routes, strings, theme
from views.agent import change_words
from views.parts import buttons, cards, chips, dialogs, formats, toasts, words

_ICONS = {
    "leads": ft.Icons.PERSON_OUTLINE,
    "tasks": ft.Icons.CHECK_CIRCLE_OUTLINE,
    "notes": ft.Icons.NOTES,
    "blobs": ft.Icons.MIC_NONE,
    "interactions": ft.Icons.CALL_OUTLINED,
    "conflicts": ft.Icons.SWAP_HORIZ,
    "deals": ft.Icons.PAYMENTS_OUTLINED,
    "properties": ft.Icons.HOME_OUTLINED,
}
_SHOWN = 3


def _t(key: str, **values: object) -> str:
    return strings.t(f"sync.waiting.{key}", **values)


def waiting_list(
    items: Sequence[WaitingItem], total: int, lamps: Lamps, now: datetime, zone: ZoneInfo
) -> ft.Control:
    """One surface with a line for each, so that many fit on a phone."""
    rows: list[ft.Control] = []
    next_try = _next_try(lamps, now, zone)
    for item in items:
        if rows:
            rows.append(ft.Divider(height=1, color=theme.LINE))
        rows.append(waiting_row(item, next_try, zone, key=item.id))
    left = total - len(items)
    if left > 0:
        rows.append(ft.Container(words.soft(_t("more", n=left)), padding=theme.GAP))
    count = chips.chip(formats.number(total), tone=theme.WARN_TONE)
    body = cards.card(cards.stack(*rows, gap=0), padding=0)
    return cards.section(_t("title"), [body], action=count, gap=theme.GAP_S)


def _next_try(lamps: Lamps, now: datetime, zone: ZoneInfo) -> str:
    """When a waiting change is tried again, where no network is the reason."""
    if lamps.forced_offline:
        return _t("why.forced")
    if lamps.online:
        return ""
    if lamps.next_try_at is None:
        return _t("why.offline")
    return _t("next", when=formats.soon(lamps.next_try_at, now, zone))


@component.component
def waiting_row(item: WaitingItem, next_try: str, zone: ZoneInfo, key: str = "") -> ft.Control:
    """A touch opens the lead that it is about."""
    del key
    app = context.use_app()
    now = app.now()
    lines: list[ft.Control] = [words.body(title(item), lines=2)]
    shown = [pair for pair in item.what if not (isinstance(pair[1], str) and pair[1] in item.title)]
    said = " · ".join(change_words.pairs(shown, now, zone, most=_SHOWN))
    if said:
        lines.append(words.soft(said, lines=2))
    lines.append(words.fine(_about(item, now, next_try), lines=2))
    lines += _file(item)
    row = ft.Row(
        [
            ft.Icon(_ICONS.get(item.table, ft.Icons.EDIT_OUTLINED), size=22, color=theme.INK_SOFT),
            cards.stack(*lines, gap=2, expand=True),
            chips.sync_state(item.word),
        ],
        spacing=theme.GAP,
        vertical_alignment=ft.CrossAxisAlignment.START,
    )
    way = routes.lead(item.lead_id) if item.lead_id else ""
    word = chips.sync_word(item.word)
    return ft.Semantics(
        identifier=f"waiting-{item.id}",
        container=True,
        button=bool(way),
        label=_t("spoken", title=title(item), word=word, when=formats.ago(item.made_at, now)),
        content=ft.Container(
            row,
            padding=ft.Padding.symmetric(horizontal=theme.GAP_L, vertical=theme.GAP),
            ink=bool(way),
            on_click=(lambda: app.go(way)) if way else None,
        ),
    )


def title(item: WaitingItem) -> str:
    """What it is; a recording is named after its lead."""
    if item.table == "blobs" and item.lead_name:
        return f"{item.title} · {item.lead_name}"
    if item.lead_name and item.lead_name not in item.title:
        return f"{item.title} · {item.lead_name}"
    return item.title


def _about(item: WaitingItem, now: datetime, next_try: str) -> str:
    parts = [formats.ago(item.made_at, now)]
    if item.urgent:
        parts.append(_t("urgent"))
    if item.why is not None:
        parts.append(_t(f"why.{item.why}"))
    elif item.word is SyncWord.ON_PHONE and next_try:
        parts.append(next_try)
    return " · ".join(parts)


def _file(item: WaitingItem) -> list[ft.Control]:
    """How far a recording is, and the way on where the server refused it."""
    if item.size is None:
        return []
    share = (item.sent or 0) / item.size if item.size else 0.0
    told = _t(
        "bytes",
        sent=formats.size(item.sent or 0),
        size=formats.size(item.size),
        share=formats.percent(share),
    )
    rows: list[ft.Control] = [
        ft.ProgressBar(
            value=share,
            color=theme.BRAND,
            bgcolor=theme.TRACK,
            bar_height=6,
            border_radius=3,
            semantics_label=told,
        ),
        words.fine(told),
    ]
    refused = item.word is SyncWord.NEEDS_YOU
    if refused:
        rows.append(words.fine(item.error, color=theme.BAD, lines=3))
    if refused or item.why is sync_centre.Why.NOTE_FIRST:
        rows.append(ways_out(item.id, refused=refused))
    return rows


@component.component
def ways_out(blob_id: str, *, refused: bool) -> ft.Control:
    """A copy to keep wherever it may never go up; again or away with it only after the server said no."""
    service = context.use_app().service(sync_centre.SyncCentre)
    page = ft.context.page

    async def export() -> None:
        name, content = await service.sound_copy(blob_id)
        where = await files.hand_out(page, name, content)
        toasts.show(page, strings.t("sync.export.done", where=where or name))

    def discard() -> None:
        dialogs.confirm(
            page,
            _t("discard.title"),
            _t("discard.text"),
            yes=strings.t("sync.parked.discard"),
            on_yes=lambda: service.discard_sound(blob_id),
            dangerous=True,
        )

    copy = buttons.quiet(
        strings.t("sync.parked.export"), export, icon=ft.Icons.DOWNLOAD, id=f"export-sound-{blob_id}"
    )
    if not refused:
        return cards.line(copy)
    again = buttons.secondary(
        _t("try_again"),
        lambda: service.retry_sound(blob_id),
        icon=ft.Icons.REFRESH,
        id=f"retry-sound-{blob_id}",
    )
    away = buttons.quiet(
        strings.t("sync.parked.discard"),
        discard,
        icon=ft.Icons.DELETE_OUTLINE,
        id=f"discard-sound-{blob_id}",
    )
    return cards.line(again, copy, away, wrap=True)
