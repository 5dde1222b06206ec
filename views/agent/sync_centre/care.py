"""Looking after this device: compare with the server, room, staying offline, and the log."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import flet as ft

from services import sync_centre
from services.sync_centre import Compared, StorageUse, SyncView
from views import cells, component, context, live, strings, theme
from views.parts import buttons, cards, error_card, formats, marks, taps, toasts, words

_AREAS = {
    "data": theme.BRAND,
    "search": theme.ACCENT,
    "recordings": theme.GOOD,
    "models": theme.INK_SOFT,
}


def _t(key: str, **values: object) -> str:
    return strings.t(f"sync.{key}", **values)


def compared_words(found: Compared | None, now: datetime) -> str:
    """The last result in one sentence."""
    if found is None:
        return _t("compare.never")
    key = "compare.equal" if found.equal else "compare.repaired"
    return _t(key, rows=f"{found.rows:,}", when=formats.ago(found.at, now))


@component.component
def compare_card(found: Compared | None) -> ft.Control:
    app = context.use_app()
    page = ft.context.page
    busy = cells.use_cell(False)

    async def compare() -> None:
        busy.set(True)
        try:
            result = await app.service(sync_centre.SyncCentre).compare()
        finally:
            busy.set(False)
        toasts.show(
            page, _t("compare.cut") if result is None else compared_words(result, app.now()), seconds=6
        )

    icon, color = ft.Icons.COMPARE_ARROWS, theme.INK_SOFT
    if found is not None:
        icon, color = (
            (ft.Icons.VERIFIED_OUTLINED, theme.GOOD)
            if found.equal
            else (ft.Icons.BUILD_OUTLINED, theme.ACCENT)
        )
    head = cards.line(ft.Icon(icon, color=color, size=24), words.name(_t("compare.title"), expand=True))
    button = buttons.outlined(
        _t("compare.busy" if busy.value else "compare.do"),
        compare,
        icon=ft.Icons.COMPARE_ARROWS,
        id="compare",
        disabled=busy.value,
    )
    rows: list[ft.Control] = [
        head,
        marks.announced(words.body(compared_words(found, app.now())), identifier="compared"),
    ]
    if busy.value:
        rows.append(ft.ProgressBar(color=theme.BRAND, bgcolor=theme.TRACK, bar_height=6, border_radius=3))
    rows += [words.fine(_t("compare.note"), lines=4), cards.line(button)]
    return marks.mark("compare-card", cards.card(cards.stack(*rows, gap=theme.GAP_S)))


@component.component
def room_card() -> ft.Control:
    """Counted in a thread: it walks over files and counts rows."""
    app = context.use_app()
    service = app.service(sync_centre.SyncCentre)
    loaded = live.use_live_async(service.storage, tables=("blobs", "notes"))
    if loaded.value is None:
        return error_card.error_card(loaded.error) if loaded.error else ft.Container(height=0)
    return marks.mark("storage", cards.card(cards.stack(*_room(loaded.value), gap=theme.GAP_S)))


def _room(used: StorageUse) -> list[ft.Control]:
    rows: list[ft.Control] = [
        ft.Row([words.name(_t("room.title"), expand=True), words.name(formats.size(used.total))]),
        _bar(used),
    ]
    for name, size in used.areas:
        spot = ft.Container(width=12, height=12, border_radius=6, bgcolor=_AREAS.get(name, theme.INK_SOFT))
        label = words.soft(strings.t(f"sync.room.{name}"), expand=True)
        rows.append(ft.Row([spot, label, words.body(formats.size(size))], spacing=theme.GAP_S))
    counted = " · ".join(f"{_t(f'room.rows.{table}')} {n:,}" for table, n in used.rows)
    if counted:
        rows.append(words.fine(counted, lines=4))
    rows.append(words.fine(_t("room.free", size=formats.size(used.free))))
    return rows


def _bar(used: StorageUse) -> ft.Control:
    """How the areas share the room; the numbers below say the same."""
    parts: list[ft.Control] = [
        ft.Container(
            height=10,
            bgcolor=_AREAS.get(name, theme.INK_SOFT),
            expand=max(1, round(1000 * size / max(1, used.total))),
        )
        for name, size in used.areas
        if size
    ]
    return ft.Container(ft.Row(parts, spacing=2), border_radius=5, clip_behavior=ft.ClipBehavior.ANTI_ALIAS)


@component.component
def offline_switch(forced: bool) -> ft.Control:
    service = context.use_app().service(sync_centre.SyncCentre)
    switch = ft.Switch(value=forced, on_change=lambda event: service.force_offline(bool(taps.chosen(event))))
    text = cards.stack(
        words.name(_t("force.title")), words.fine(_t("force.note"), lines=3), gap=2, expand=True
    )
    return cards.card(ft.Row([text, marks.mark("force-offline", switch, label=_t("force.title"))]))


@component.component
def diary(view: SyncView, zone: ZoneInfo) -> ft.Control:
    """For support: what the engine noted, folded away."""
    app = context.use_app()
    shown = cells.use_cell(False)
    title = _t("diary.hide" if shown.value else "diary.show")
    rows: list[ft.Control] = [
        cards.line(
            buttons.quiet(title, lambda: shown.set(not shown.value), icon=ft.Icons.HISTORY, id="diary")
        )
    ]
    if shown.value:
        rows += [
            words.fine(f"{formats.moment(line.at, app.now(), zone)}  {line.event}", lines=2)
            for line in view.diary
        ] or [words.soft(_t("diary.none"))]
    return cards.stack(*rows, gap=4)
