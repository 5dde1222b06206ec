"""The sync centre: what is safe where, what waits, what needs a person, and the ways to help it along."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import flet as ft

from services import sync_centre
from services.sync_centre import Lamps, SyncView
from views import cells, component, context, files, live, merged, routes, shell, strings, theme
from views.agent import conflict, sync_centre_items, sync_centre_lamps
from views.parts import buttons, cards, chips, error_card, formats, marks, progress, toasts, words

_SHOWN = 50


def _t(key: str, **values: object) -> str:
    return strings.t(f"agent_work.sync.{key}", **values)


@component.screen
def sync_screen() -> ft.View:
    app = context.use_app()
    service = app.service(sync_centre.SyncCentre)
    zone = service.desk.zone()
    engine = ft.use_memo(lambda: Engine(service), [id(service)])
    source = merged.use_merged(app.store, app.board, engine)
    view = live.use_live(lambda: service.view(limit=_SHOWN), source=source)
    live.use_tick(20)
    rows = [*_state(view.lamps, app.now(), zone), *_lists(view, zone)]
    rows += [storage_card(), offline_switch(view.lamps.forced_offline), diary(view, zone)]
    return shell.frame(
        _t("title"),
        cards.page(*rows, gap=theme.GAP_XL),
        tab=routes.Screen.SYNC,
        bottom=bottom_buttons(view.lamps.sending),
    )


class Engine:
    """The sync engine's status as a source: it tells whenever that changes."""

    def __init__(self, service: sync_centre.SyncCentre) -> None:
        self._sync = service.desk.sync

    def subscribe(self, callback: context.OnChange, /) -> context.Dispose:
        return self._sync.subscribe(lambda: callback(frozenset()))


def _state(lamps: Lamps, now: datetime, zone: ZoneInfo) -> list[ft.Control]:
    rows: list[ft.Control] = []
    if lamps.first_sync is not None:
        rows.append(progress.progress(_t("first"), lamps.first_sync, note=_t("first.note"), id="first-sync"))
    rows.append(sync_centre_lamps.pair(lamps, now, zone))
    if lamps.needs_sign_in:
        rows.append(_notice(_t("sign_in"), "needs-sign-in"))
    elif lamps.error and not lamps.forced_offline:
        rows.append(_notice(lamps.error, "sync-error"))
    return rows


def _notice(text: str, id: str) -> ft.Control:
    return marks.announced(
        ft.Container(
            cards.line(
                ft.Icon(ft.Icons.INFO_OUTLINE, color=theme.ON_WARN_SOFT),
                words.body(text, color=theme.ON_WARN_SOFT, expand=True),
                gap=theme.GAP,
            ),
            bgcolor=theme.WARN_SOFT,
            border_radius=theme.RADIUS,
            padding=theme.GAP_L,
        ),
        identifier=id,
    )


def _lists(view: SyncView, zone: ZoneInfo) -> list[ft.Control]:
    rows: list[ft.Control] = []
    needs = [conflict.conflict_row(item, zone, key=item.id) for item in view.conflicts]
    needs += [sync_centre_items.parked_card(item, key=item.group) for item in view.parked]
    if needs:
        rows.append(
            cards.section(
                _t("needs_you"), needs, action=chips.chip(str(len(needs)), tone=theme.BAD_TONE), gap=theme.GAP
            )
        )
    items = [sync_centre_items.waiting_row(item, key=item.id) for item in view.waiting]
    if items:
        note = _t("more", n=view.waiting_total - _SHOWN) if view.waiting_total > _SHOWN else ""
        count = chips.chip(str(view.waiting_total), tone=theme.WARN_TONE)
        rows.append(cards.section(_t("waiting"), items, action=count, note=note, gap=theme.GAP_S))
    elif not needs:
        rows.append(_all_there())
    return rows


def _all_there() -> ft.Control:
    return marks.mark(
        "nothing-waits",
        cards.line(
            ft.Icon(ft.Icons.DONE_ALL, color=theme.GOOD),
            words.soft(_t("nothing"), expand=True),
            gap=theme.GAP,
        ),
    )


@component.component
def bottom_buttons(sending: bool) -> ft.Control:
    app = context.use_app()
    page = ft.context.page
    service = app.service(sync_centre.SyncCentre)
    busy = cells.use_cell(False)

    async def send() -> None:
        busy.set(True)
        try:
            await service.send_now()
        finally:
            busy.set(False)
        toasts.show(page, sync_centre_lamps.server_word(service.lamps()))

    async def export() -> None:
        path = await service.export()
        where = await files.hand_out(page, path.name, path.read_bytes())
        toasts.show(page, _t("exported", where=where or path.name), seconds=8)

    moving = busy.value or sending
    return cards.line(
        buttons.outlined(_t("export"), export, icon=ft.Icons.DOWNLOAD, id="export-queue"),
        buttons.primary(
            _t("sending" if moving else "send"),
            send,
            icon=ft.Icons.CLOUD_UPLOAD_OUTLINED,
            id="send-now",
            disabled=moving,
            expand=True,
        ),
        gap=theme.GAP,
    )


@component.component
def offline_switch(forced: bool) -> ft.Control:
    service = context.use_app().service(sync_centre.SyncCentre)
    switch = ft.Switch(value=forced, on_change=lambda event: service.force_offline(event.control.value))
    text = cards.stack(words.name(_t("force")), words.fine(_t("force.note"), lines=3), gap=2, expand=True)
    return cards.card(ft.Row([text, marks.mark("force-offline", switch, label=_t("force"))]))


@component.component
def storage_card() -> ft.Control:
    """Counted in a thread: it walks over files."""
    app = context.use_app()
    service = app.service(sync_centre.SyncCentre)
    loaded = live.use_live_async(service.storage, tables=("blobs", "notes"))
    if loaded.value is None:
        return error_card.error_card(loaded.error) if loaded.error else ft.Container(height=0)
    total = loaded.value.total
    rows: list[ft.Control] = [
        ft.Row([words.name(_t("storage"), expand=True), words.name(formats.size(total))]),
    ]
    for name, size in loaded.value.areas:
        rows.append(ft.Row([words.soft(_t(f"storage.{name}"), expand=True), words.body(formats.size(size))]))
    return marks.mark("storage", cards.card(cards.stack(*rows, gap=6)))


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
