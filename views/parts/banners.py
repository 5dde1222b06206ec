"""Calm strips on top of a screen: offline, demo data, something needs you."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import flet as ft

from views import context, strings, theme
from views.parts import buttons, formats, marks, words


def strip(
    text: str, *, tone: theme.Tone = theme.PLAIN, icon: ft.IconData, id: str, action: ft.Control | None = None
) -> ft.Control:
    row: list[ft.Control] = [ft.Icon(icon, size=20, color=tone.ink), words.label_line(text, color=tone.ink)]
    if action is not None:
        row.append(action)
    return marks.announced(
        ft.Container(
            ft.Row(row, spacing=theme.GAP_S, vertical_alignment=ft.CrossAxisAlignment.CENTER),
            bgcolor=tone.ground,
            padding=ft.Padding.symmetric(horizontal=theme.GAP_L, vertical=0 if action else 10),
        ),
        identifier=id,
    )


def offline_text(status: context.Status) -> str:
    """ "Offline · 3 changes safe on this phone · leads as of 10:42"."""
    parts = [strings.t("kit.offline.forced" if status.forced else "kit.offline.word")]
    if status.waiting:
        parts.append(strings.count("kit.offline.safe", status.waiting))
    if not status.forced:
        parts.append(
            strings.t("kit.offline.as_of", when=formats.clock(status.as_of))
            if status.as_of
            else strings.t("kit.offline.never")
        )
    return " · ".join(parts)


def offline_banner(status: context.Status, on_online: Callable[[], None] | None = None) -> ft.Control | None:
    """Only while there is no server; where the person chose that, with the way back."""
    if status.online and not status.forced:
        return None
    back = None
    if status.forced and on_online is not None:
        back = buttons.quiet(strings.t("kit.offline.end"), lambda: on_online(), id="go-online")
    return strip(
        offline_text(status),
        tone=theme.WARN_TONE,
        icon=ft.Icons.AIRPLANEMODE_ACTIVE if status.forced else ft.Icons.CLOUD_OFF_OUTLINED,
        id="offline-banner",
        action=back,
    )


def sign_in_banner(status: context.Status, on_open: Callable[[], None]) -> ft.Control | None:
    """The server no longer knows this device; work goes on meanwhile."""
    if not status.needs_sign_in:
        return None
    return strip(
        strings.t("kit.sign_in_again"),
        tone=theme.WARN_TONE,
        icon=ft.Icons.LOCK_OUTLINE,
        id="sign-in-banner",
        action=buttons.quiet(strings.t("kit.look"), lambda: on_open(), id="sign-in-open"),
    )


def needs_you_banner(status: context.Status, on_open: Callable[[], None]) -> ft.Control | None:
    """What only a person can settle; else what was settled against their value."""
    if status.needs_you:
        text, tone, icon = (
            strings.count("kit.needs_you", status.needs_you),
            theme.BAD_TONE,
            ft.Icons.PAN_TOOL_ALT_OUTLINED,
        )
    elif status.lost:
        text, tone, icon = strings.count("kit.lost", status.lost), theme.BRANDED, ft.Icons.SWAP_HORIZ
    else:
        return None
    look = buttons.quiet(strings.t("kit.look"), lambda: on_open(), id="needs-you-open")
    return strip(text, tone=tone, icon=icon, id="needs-you-banner", action=look)


def demo_badge() -> ft.Control:
    """On every screen while the data is the demo's."""
    badge = ft.Container(
        words.label(strings.t("kit.demo.short"), color=theme.ON_WARN_SOFT),
        bgcolor=theme.WARN_SOFT,
        border_radius=8,
        padding=ft.Padding.symmetric(horizontal=8, vertical=3),
        tooltip=strings.t("kit.demo.tip"),
    )
    return marks.mark("demo-badge", badge, label=strings.t("kit.demo"))


def freshness(as_of: datetime | None, now: datetime) -> ft.Control:
    """How old what one sees is."""
    when = strings.t("kit.never") if as_of is None else formats.ago(as_of, now)
    return words.fine(strings.t("kit.as_of", when=when))
