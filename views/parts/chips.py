"""Small labels: the temperature (word, icon and colour), a state, a choice."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import flet as ft

from views import device, strings, theme
from views.parts import marks, taps, words

_TEMPERATURE_ICONS = {
    "hot": ft.Icons.LOCAL_FIRE_DEPARTMENT,
    "warm": ft.Icons.WB_SUNNY,
    "lukewarm": ft.Icons.THERMOSTAT,
    "cold": ft.Icons.AC_UNIT,
    "ice_cold": ft.Icons.SEVERE_COLD,
}


def chip(text: str, *, tone: theme.Tone = theme.PLAIN, icon: ft.IconData | None = None) -> ft.Container:
    """A word on a soft ground."""
    parts: list[ft.Control] = [ft.Icon(icon, size=16, color=tone.ink)] if icon else []
    return ft.Container(
        ft.Row([*parts, words.label(text, color=tone.ink)], spacing=5, tight=True),
        bgcolor=tone.ground,
        border_radius=999,
        padding=ft.Padding.symmetric(horizontal=10, vertical=4),
    )


def temperature(value: str) -> ft.Control:
    """How warm a lead is, in word, icon and colour; an unknown value is said to be unknown."""
    tone = theme.TEMPERATURE_TONES.get(value)
    if tone is None:
        return chip(strings.t("kit.temperature.unknown"), icon=ft.Icons.HELP_OUTLINE)
    return chip(strings.t(f"kit.temperature.{value}"), tone=tone, icon=_TEMPERATURE_ICONS[value])


_SYNC: dict[str, tuple[ft.IconData | None, theme.Tone]] = {
    "on_phone": (None, theme.PLAIN),  # the picture of the device that it is
    "waiting": (ft.Icons.SCHEDULE, theme.WARN_TONE),
    "sending": (ft.Icons.SYNC, theme.BRANDED),
    "on_server": (ft.Icons.CLOUD_DONE_OUTLINED, theme.GOOD_TONE),
    "needs_you": (ft.Icons.PAN_TOOL_ALT_OUTLINED, theme.BAD_TONE),
}


def sync_state(state: str) -> ft.Control:
    """Where a change is: on_phone, waiting, sending, on_server, needs_you."""
    icon, tone = _SYNC[state]
    return chip(sync_word(state), tone=tone, icon=icon or device.icon())


def sync_word(state: str) -> str:
    """One of the five words; the first one names the kind of device."""
    return strings.t(f"kit.sync.{state}.{device.kind()}" if state == "on_phone" else f"kit.sync.{state}")


def choice(
    text: str, chosen: bool, on_click: Callable[..., Any], *, id: str, icon: ft.IconData | None = None
) -> ft.Control:
    """A filter that is on or off; 48 dp high."""
    tone = (
        theme.Tone(ground=theme.BRAND, ink=theme.ON_BRAND)
        if chosen
        else theme.Tone(ground=theme.CARD, ink=theme.INK)
    )
    parts: list[ft.Control] = [ft.Icon(icon, size=18, color=tone.ink)] if icon else []
    body = ft.Container(
        ft.Row([*parts, words.label(text, color=tone.ink)], spacing=6, tight=True),
        bgcolor=tone.ground,
        border=ft.Border.all(1, theme.BRAND if chosen else theme.LINE),
        border_radius=999,
        height=theme.TARGET,
        padding=ft.Padding.symmetric(horizontal=16),
        ink=True,
        on_click=on_click,
    )
    return ft.Semantics(
        identifier=id, button=True, selected=chosen, label=text, exclude_semantics=False, content=body
    )


def segments(options: dict[str, str], chosen: str, on_change: Callable[[str], Any], *, id: str) -> ft.Control:
    """One of a few: `options` is value → words."""

    def changed(event: ft.Event[ft.SegmentedButton]) -> None:
        picked = taps.chosen(event)
        if picked:
            on_change(next(iter(picked)))

    return marks.mark(
        id,
        ft.SegmentedButton(
            segments=[ft.Segment(value=value, label=ft.Text(text)) for value, text in options.items()],
            selected=[chosen],
            show_selected_icon=False,
            on_change=changed,
            style=ft.ButtonStyle(
                bgcolor={ft.ControlState.SELECTED: theme.BRAND_SOFT, ft.ControlState.DEFAULT: theme.CARD},
                color={ft.ControlState.SELECTED: theme.ON_BRAND_SOFT, ft.ControlState.DEFAULT: theme.INK},
            ),
        ),
    )
