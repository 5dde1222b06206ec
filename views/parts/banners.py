"""Calm strips on top of a screen: offline, demo data, something needs you."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import flet as ft

from views import context, device, strings, theme
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
        parts.append(device.count("kit.offline.safe", status.waiting))
    if not status.forced:
        parts.append(
            strings.t("kit.offline.as_of", when=formats.clock(status.as_of))
            if status.as_of
            else strings.t("kit.offline.never")
        )
    return " · ".join(parts)


def forced_banner(status: context.Status, on_online: Callable[[], None]) -> ft.Control | None:
    """The person chose to stay offline; with the way back."""
    if not status.forced:
        return None
    return strip(
        offline_text(status),
        tone=theme.WARN_TONE,
        icon=ft.Icons.AIRPLANEMODE_ACTIVE,
        id="offline-banner",
        action=buttons.quiet(strings.t("kit.offline.end"), lambda: on_online(), id="go-online"),
    )


def offline_banner(status: context.Status) -> ft.Control | None:
    """Only while there is no server."""
    if status.online:
        return None
    return strip(
        offline_text(status), tone=theme.WARN_TONE, icon=ft.Icons.CLOUD_OFF_OUTLINED, id="offline-banner"
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
    """What only this person can settle; what was settled against their value is counted beside it."""
    if not status.needs_you:
        return None
    text = strings.count("kit.needs_you", status.needs_you)
    if status.lost:
        text = f"{text} · {strings.count('kit.lost', status.lost)}"
    return _looking(text, theme.BAD_TONE, ft.Icons.PAN_TOOL_ALT_OUTLINED, on_open)


def lost_banner(status: context.Status, on_open: Callable[[], None]) -> ft.Control | None:
    """What was settled against this person's value."""
    if not status.lost:
        return None
    text = strings.count("kit.lost", status.lost)
    return _looking(text, theme.BRANDED, ft.Icons.SWAP_HORIZ, on_open)


def _looking(text: str, tone: theme.Tone, icon: ft.IconData, on_open: Callable[[], None]) -> ft.Control:
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
    if as_of is None:
        return words.fine(strings.t("kit.as_of.never"))
    return words.fine(strings.t("kit.as_of", when=formats.ago(as_of, now)))
