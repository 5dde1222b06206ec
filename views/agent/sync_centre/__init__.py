"""The sync centre: what is safe where, what waits, what needs a person, and the ways to help it along."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from zoneinfo import ZoneInfo

import flet as ft

from services import sync_centre
from services.sync_centre import FirstLoad, Lamps, SyncView, Undecided
from views import cells, component, context, files, live, merged, routes, shell, strings, theme
from views.agent import conflict, pair
from views.agent.sync_centre import care, lamps, lost, parked, trouble, waiting
from views.parts import buttons, cards, chips, dialogs, formats, marks, progress, toasts, words

_SHOWN = 50
_COLUMNS_FROM = 1000


def _t(key: str, **values: object) -> str:
    return strings.t(f"sync.{key}", **values)


@component.screen
def sync_screen() -> ft.View:
    app = context.use_app()
    service = app.service(sync_centre.SyncCentre)
    zone = service.desk.zone()
    engine = ft.use_memo(lambda: Engine(service), [id(service)])
    source = merged.use_merged(app.store, app.board, engine)
    view = live.use_live(lambda: service.view(limit=_SHOWN), source=source)
    live.use_tick(20)
    work = [*_state(view.lamps, app.now(), zone), *_lists(view, app.now(), zone)]
    house = [
        care.compare_card(view.lamps.compared),
        care.offline_switch(view.lamps.forced_offline),
        care.room_card(),
        *_for_managers(app),
        care.diary(view, zone),
    ]
    return shell.frame(
        _t("title"),
        _body(work, house),
        tab=routes.Screen.SYNC,
        bottom=bottom_buttons(view.lamps.sending),
    )


def _body(work: list[ft.Control], house: list[ft.Control]) -> ft.Control:
    """One column on a phone; on a desktop the work left and the house right."""
    if (ft.context.page.width or 0) < _COLUMNS_FROM:
        return cards.page(*work, *house, gap=theme.GAP_XL)
    left = cards.page(*work, gap=theme.GAP_XL, wide=True)
    right = cards.page(*house, gap=theme.GAP_XL, wide=True)
    return ft.Row(
        [ft.Container(left, expand=3), ft.Container(right, expand=2)],
        spacing=0,
        vertical_alignment=ft.CrossAxisAlignment.STRETCH,
    )


class Engine:
    """The sync engine's status as a source: it tells whenever that changes."""

    def __init__(self, service: sync_centre.SyncCentre) -> None:
        self._sync = service.desk.sync

    def subscribe(self, callback: context.OnChange, /) -> context.Dispose:
        return self._sync.subscribe(lambda: callback(frozenset()))


def _state(found: Lamps, now: datetime, zone: ZoneInfo) -> list[ft.Control]:
    rows: list[ft.Control] = []
    if found.first is not None:
        rows.append(first_load(found.first))
    rows.append(lamps.pair(found, now, zone))
    rows += [trouble.trouble_card(item) for item in found.troubles if not found.forced_offline]
    return rows


def first_load(first: FirstLoad) -> ft.Control:
    """ "62 % · 13,640 of 22,000 rows · you can start"."""
    said = _t("first.rows", done=f"{first.done:,}", total=f"{first.total:,}")
    return progress.progress(
        _t("first.title"), first.share, note=f"{said}\n{_t('first.note')}", id="first-sync"
    )


def _lists(view: SyncView, now: datetime, zone: ZoneInfo) -> list[ft.Control]:
    rows: list[ft.Control] = []
    needs: list[ft.Control] = [parked.parked_card(item, key=item.group) for item in view.parked]
    needs += _undecided(view.mine, zone)
    if needs:
        count = chips.chip(formats.number(view.lamps.needs_you), tone=theme.BAD_TONE)
        rows.append(cards.section(_t("needs.title"), needs, action=count))
    if view.lost:
        rows.append(lost.lost_section(view.lost, zone))
    if view.waiting:
        rows.append(waiting.waiting_list(view.waiting, view.waiting_total, view.lamps, now, zone))
    elif not needs:
        rows.append(_nothing())
    if view.others.count:
        rows.append(others_part(view.others, zone))
    return rows


def _undecided(found: Undecided, zone: ZoneInfo) -> list[ft.Control]:
    rows: list[ft.Control] = [conflict.conflict_row(item, zone, key=item.id) for item in found.values]
    return [*rows, *(pair.pair_card(both, key=both.conflict_id) for both in found.pairs)]


@component.component
def others_part(found: Undecided, zone: ZoneInfo) -> ft.Control:
    """What other people have to decide, folded away: it may be looked at, and it colours no lamp here."""
    shown = cells.use_cell(False)
    title = _t("others.hide") if shown.value else strings.count("sync.others.show", found.count)
    fold = buttons.quiet(
        title, lambda: shown.set(not shown.value), icon=ft.Icons.PEOPLE_OUTLINE, id="others-decide"
    )
    return cards.stack(cards.line(fold), *(_undecided(found, zone) if shown.value else ()), gap=theme.GAP_S)


def _nothing() -> ft.Control:
    return marks.mark(
        "nothing-waits",
        cards.line(
            ft.Icon(ft.Icons.DONE_ALL, color=theme.GOOD),
            words.soft(_t("waiting.none"), expand=True),
            gap=theme.GAP,
        ),
    )


def _for_managers(app: context.AppContext) -> list[ft.Control]:
    if not app.user.is_executive or routes.Screen.DEVICES not in app.built:
        return []
    row = dialogs.menu_row(
        ft.Icons.DEVICES_OTHER,
        _t("devices.open"),
        lambda: app.go(routes.DEVICES),
        id="open-devices",
        note=_t("devices.open.note"),
    )
    return [cards.card(row, padding=theme.GAP)]


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
        toasts.show(page, lamps.server_word(service.lamps()))

    moving = busy.value or sending
    return cards.line(
        buttons.outlined(
            _t("export"), lambda: export_sheet(page, service), icon=ft.Icons.DOWNLOAD, id="export"
        ),
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


def export_sheet(page: ft.Page, service: sync_centre.SyncCentre) -> None:
    """Two files to choose from: everything, or the log without contents."""

    def handing(made: Callable[[], tuple[str, bytes]]) -> Callable[[], object]:
        async def hand_out() -> None:
            page.pop_dialog()
            name, content = made()
            where = await files.hand_out(page, name, content)
            toasts.show(page, _t("export.done", where=where or name), seconds=8)

        return lambda: page.run_task(hand_out)

    rows = [
        dialogs.menu_row(
            ft.Icons.INVENTORY_2_OUTLINED,
            _t("export.all"),
            handing(service.export_bytes),
            id="export-all",
            note=_t("export.all.note"),
        ),
        dialogs.menu_row(
            ft.Icons.HISTORY,
            _t("export.log"),
            handing(service.export_log),
            id="export-log",
            note=_t("export.log.note"),
        ),
    ]
    dialogs.sheet(page, _t("export.title"), rows)
