"""The two lamps: safe on this phone, safe on the server."""

from __future__ import annotations

from collections.abc import Callable

import flet as ft

from views import context, strings, theme
from views.parts import cards, formats, marks, words


def _server(status: context.Status) -> tuple[ft.IconData, str, str]:
    if not status.online:
        return ft.Icons.CLOUD_OFF_OUTLINED, theme.INK_SOFT, strings.t("kit.lamp.server.off")
    if status.sending:
        return ft.Icons.CLOUD_SYNC_OUTLINED, theme.BRAND, strings.t("kit.lamp.server.sending")
    if status.waiting:
        return ft.Icons.CLOUD_QUEUE, theme.BRAND, strings.t("kit.lamp.server.on")
    return ft.Icons.CLOUD_DONE_OUTLINED, theme.GOOD, strings.t("kit.lamp.server.all")


def compact(status: context.Status, on_open: Callable[[], None]) -> ft.Control:
    """Both lamps in the app bar: a number that waits on the phone, and the server's cloud."""
    icon, color, word = _server(status)
    waiting = strings.count("kit.lamp.phone", status.waiting)
    phone: list[ft.Control] = [
        ft.Icon(ft.Icons.SMARTPHONE, size=20, color=theme.INK if status.waiting else theme.INK_SOFT)
    ]
    if status.waiting:
        phone.append(words.label(str(status.waiting)))
    body = ft.Container(
        ft.Row([*phone, ft.Icon(icon, size=22, color=color)], spacing=5, tight=True),
        height=theme.TARGET,
        padding=ft.Padding.symmetric(horizontal=10),
        border_radius=14,
        ink=True,
        on_click=lambda: on_open(),
        alignment=ft.Alignment.CENTER,
    )
    return ft.Semantics(
        identifier="lamps",
        button=True,
        container=True,
        label=f"{waiting}. {word}",
        live_region=True,
        content=body,
    )


def _lamp(icon: ft.IconData, color: str, title: str, text: str, id: str) -> ft.Control:
    return marks.mark(
        id,
        cards.card(
            cards.stack(
                cards.line(ft.Icon(icon, size=24, color=color), words.name(title, expand=True)),
                words.soft(text),
                gap=4,
            )
        ),
        expand=True,
    )


def pair(status: context.Status) -> ft.Control:
    """Both lamps large, for the sync centre."""
    icon, color, word = _server(status)
    contact = strings.t("kit.lamp.contact", when=formats.clock(status.as_of)) if status.as_of else ""
    phone = _lamp(
        ft.Icons.SMARTPHONE,
        theme.GOOD,
        strings.t("kit.lamp.phone.title"),
        strings.count("kit.lamp.phone", status.waiting),
        "lamp-phone",
    )
    server = _lamp(
        icon,
        color,
        strings.t("kit.lamp.server.title"),
        " · ".join(p for p in (word, contact) if p),
        "lamp-server",
    )
    return ft.Row(
        [phone, server],
        spacing=theme.GAP,
        vertical_alignment=ft.CrossAxisAlignment.STRETCH,
        intrinsic_height=True,
    )
