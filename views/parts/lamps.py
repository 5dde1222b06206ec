"""The two lamps in the frame: safe on this device, safe on the server. They say nothing that is not known."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import flet as ft

from views import context, device, strings, theme
from views.parts import cards, formats, marks, words

FRESH = timedelta(minutes=10)
"""As services.sync_words.RECENT: longer ago, nobody may say that the server has everything."""


def _server(status: context.Status, now: datetime) -> tuple[ft.IconData, str, str]:
    """Icon, colour and words of the line to the server."""
    if status.forced or not status.online:
        word = strings.t("kit.lamp.server.forced" if status.forced else "kit.lamp.server.off")
        return ft.Icons.CLOUD_OFF_OUTLINED, theme.INK_SOFT, word
    if status.needs_you:
        return (
            ft.Icons.SYNC_PROBLEM_OUTLINED,
            theme.BAD,
            strings.count("kit.needs_you", status.needs_you),
        )
    if status.waiting:
        icon = ft.Icons.CLOUD_SYNC_OUTLINED if status.sending else ft.Icons.CLOUD_QUEUE
        word = strings.t("kit.lamp.server.sending" if status.sending else "kit.lamp.server.on")
        return icon, theme.BRAND, word
    if status.heard_at is None or now - status.heard_at >= FRESH:
        word = strings.t("kit.lamp.server.unheard")
        if status.heard_at is not None:
            word = strings.t("kit.lamp.server.silent", when=formats.ago(status.heard_at, now))
        return ft.Icons.CLOUD_OUTLINED, theme.INK_SOFT, word
    return ft.Icons.CLOUD_DONE_OUTLINED, theme.GOOD, strings.t("kit.lamp.server.all")


def compact(status: context.Status, now: datetime, on_open: Callable[[], None]) -> ft.Control:
    """Both lamps in the app bar: a number that waits on the phone, and the server's cloud."""
    icon, color, word = _server(status, now)
    waiting = device.count("kit.lamp.phone", status.waiting)
    phone: list[ft.Control] = [
        ft.Icon(device.icon(), size=20, color=theme.INK if status.waiting else theme.INK_SOFT)
    ]
    if status.waiting:
        phone.append(words.label(formats.number(status.waiting)))
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


def lamp(icon: ft.IconData, color: str, title: str, lines: list[str], *, id: str) -> ft.Control:
    """One lamp, large: its light, what it stands for, the word, and what belongs to it in small print."""
    light = ft.Container(width=12, height=12, border_radius=6, bgcolor=color)
    head = cards.line(light, ft.Icon(icon, size=22, color=color))
    first = words.name(lines[0])
    first.max_lines = 3
    rest = [words.fine(line, lines=2) for line in lines[1:]]
    body = cards.stack(head, words.fine(title, lines=2), first, *rest, gap=4)
    spoken = f"{title}: {', '.join(lines)}"
    return marks.mark(id, cards.card(body), label=spoken, expand=True)


def beside(*lamps: ft.Control) -> ft.Control:
    """Both on one line, of one height."""
    return ft.Row(
        list(lamps),
        spacing=theme.GAP,
        intrinsic_height=True,
        vertical_alignment=ft.CrossAxisAlignment.STRETCH,
    )
