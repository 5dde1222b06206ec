"""The devices of the brokerage, worst first: who has unsent work, and who has not been seen."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import flet as ft

from domain import errors
from services import devices
from services.devices import DeviceItem
from views import cells, component, context, routes, shell, strings, theme
from views.parts import buttons, cards, chips, empty_state, error_card, formats, marks, progress, words

_TABLE_FROM = 1000
_COLUMNS = (("person", 3), ("seen", 2), ("behind", 2), ("waiting", 2), ("oldest", 2), ("version", 1))


def _t(key: str, **values: object) -> str:
    return strings.t(f"sync.devices.{key}", **values)


@component.screen
def devices_screen() -> ft.View:
    return shell.frame(_t("title"), cards.page(device_list(), wide=True), tab=routes.Screen.DEVICES)


@component.component
def device_list() -> ft.Control:
    """Asked from the server when it is opened, and again on a touch; never kept."""
    app = context.use_app()
    found: cells.Cell[tuple[DeviceItem, ...] | None] = cells.use_cell(None)
    asked_at: cells.Cell[datetime | None] = cells.use_cell(None)
    fault: cells.Cell[errors.JorgeError | None] = cells.use_cell(None)

    async def ask() -> None:
        try:
            answer = await app.service(devices.Devices).read()
        except errors.JorgeError as error:
            fault.set(error)
        else:
            fault.set(None)
            asked_at.set(app.now())
            found.set(answer)

    ft.use_effect(ask, [], cleanup=lambda: None)
    again = buttons.outlined(_t("again"), ask, icon=ft.Icons.REFRESH, id="ask-devices")
    if fault.value is not None:
        return _failed(fault.value, again)
    if found.value is None:
        return progress.waiting()
    if not found.value:
        return empty_state.empty_state(
            ft.Icons.DEVICES_OTHER, _t("none.title"), _t("none.text"), action=again, id="no-devices"
        )
    return cards.stack(_head(found.value, asked_at.value, app.now(), again), *_rows(found.value, app.now()))


def _failed(fault: errors.JorgeError, again: ft.Control) -> ft.Control:
    """With no network there is nothing to show: the list is not kept on this device."""
    if isinstance(fault, errors.NetworkError):
        return empty_state.empty_state(
            ft.Icons.CLOUD_OFF_OUTLINED,
            _t("offline.title"),
            _t("offline.text"),
            action=again,
            id="devices-offline",
        )
    return cards.stack(error_card.error_card(fault), cards.line(again))


def _head(
    items: Sequence[DeviceItem], asked_at: datetime | None, now: datetime, again: ft.Control
) -> ft.Control:
    late = sum(item.late for item in items)
    tones: list[ft.Control] = [chips.chip(strings.count("sync.devices.count", len(items)))]
    if late:
        tones.append(chips.chip(strings.count("sync.devices.late", late), tone=theme.BAD_TONE))
    tones.append(words.fine(_t("asked", when=formats.ago(asked_at, now))))
    text = cards.stack(words.soft(_t("note"), lines=3), cards.line(*tones, wrap=True), gap=6, expand=True)
    return ft.Row([text, again], vertical_alignment=ft.CrossAxisAlignment.CENTER, spacing=theme.GAP)


def _rows(items: Sequence[DeviceItem], now: datetime) -> list[ft.Control]:
    if (ft.context.page.width or 0) < _TABLE_FROM:
        return [_card(item, now) for item in items]
    lines: list[ft.Control] = [_line([words.label(_t(name), color=theme.INK_SOFT) for name, _ in _COLUMNS])]
    for item in items:
        lines.append(ft.Divider(height=1, color=theme.LINE))
        lines.append(marks.mark(f"device-{item.id}", _line(_cells(item, now)), label=spoken(item, now)))
    return [cards.card(cards.stack(*lines, gap=0), padding=0)]


def _line(parts: Sequence[ft.Control]) -> ft.Control:
    row: list[ft.Control] = [
        ft.Container(part, expand=share) for part, (_, share) in zip(parts, _COLUMNS, strict=True)
    ]
    return ft.Container(
        ft.Row(row, spacing=theme.GAP),
        padding=ft.Padding.symmetric(horizontal=theme.GAP_L, vertical=theme.GAP),
    )


def _cells(item: DeviceItem, now: datetime) -> list[ft.Control]:
    return [
        cards.stack(words.name(item.person), words.fine(short(item.id)), gap=0),
        words.body(seen(item, now)),
        words.body(behind(item)),
        ft.Row(_work(item), spacing=6, wrap=True),
        words.body(formats.ago(item.oldest_at, now) if item.oldest_at else formats.NOTHING),
        words.soft(str(item.schema)),
    ]


def _card(item: DeviceItem, now: datetime) -> ft.Control:
    """On a phone."""
    oldest = f"{_t('oldest')}: {formats.ago(item.oldest_at, now)}" if item.oldest_at else ""
    facts = [f"{_t('seen')}: {seen(item, now)}", _stand(item), oldest]
    rows = [
        ft.Row([words.name(item.person, expand=True), words.fine(short(item.id))]),
        ft.Row(_work(item), spacing=6, wrap=True),
        words.soft("\n".join(fact for fact in facts if fact)),
        words.fine(f"{_t('version')} {item.schema}"),
    ]
    return marks.mark(f"device-{item.id}", cards.card(cards.stack(*rows, gap=6)), label=spoken(item, now))


def _work(item: DeviceItem) -> list[ft.Control]:
    """What waits there, in word and colour."""
    found: list[ft.Control] = []
    if item.parked:
        text = strings.count("sync.devices.parked", item.parked)
        found.append(chips.chip(text, tone=theme.BAD_TONE, icon=ft.Icons.PAN_TOOL_ALT_OUTLINED))
    if item.waiting:
        text = strings.count("sync.devices.waiting", item.waiting)
        tone = theme.BAD_TONE if item.late else theme.WARN_TONE
        found.append(chips.chip(text, tone=tone, icon=ft.Icons.SCHEDULE))
    if not found:
        found.append(chips.chip(_t("nothing"), tone=theme.GOOD_TONE, icon=ft.Icons.CHECK))
    return found


def seen(item: DeviceItem, now: datetime) -> str:
    return formats.ago(item.seen_at, now) if item.seen_at else _t("never")


def behind(item: DeviceItem) -> str:
    if item.loading:
        return _t("loading")
    return strings.count("sync.devices.behind", item.behind) if item.behind else _t("fine")


def _stand(item: DeviceItem) -> str:
    """As a sentence of its own: "Behind by 412 changes", "Up to date"."""
    return f"{_t('behind')} {behind(item)}" if item.behind and not item.loading else behind(item)


def short(device_id: str) -> str:
    """Enough of the id to tell one person's devices apart."""
    return device_id[-6:]


def spoken(item: DeviceItem, now: datetime) -> str:
    parts = [
        item.person,
        f"{_t('seen')} {seen(item, now)}",
        _stand(item),
        strings.count("sync.devices.waiting", item.waiting),
        strings.count("sync.devices.parked", item.parked) if item.parked else "",
    ]
    return ", ".join(part for part in parts if part)
