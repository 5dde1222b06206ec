"""Buttons by rank; each is at least 48 dp high and has a name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import flet as ft

from views import theme
from views.parts import marks

OnClick = Callable[..., Any]
_STYLE = ft.TextStyle(size=16, weight=ft.FontWeight.W_600, font_family=theme.FONT)


def _style(ground: str | None, ink: str, *, side: str | None = None, padding: int = 20) -> ft.ButtonStyle:
    return ft.ButtonStyle(
        color={ft.ControlState.DEFAULT: ink, ft.ControlState.DISABLED: theme.INK_SOFT},
        bgcolor={ft.ControlState.DEFAULT: ground, ft.ControlState.DISABLED: theme.SUNK} if ground else None,
        shape=ft.RoundedRectangleBorder(radius=14),
        padding=ft.Padding.symmetric(horizontal=padding),
        text_style=_STYLE,
        elevation=0,
        side=ft.BorderSide(1, side) if side else None,
    )


def _button(
    text: str,
    on_click: OnClick | None,
    style: ft.ButtonStyle,
    *,
    icon: ft.IconData | None,
    id: str | None,
    disabled: bool,
    expand: bool,
    height: int,
) -> ft.Control:
    made = ft.TextButton(
        content=text,
        icon=icon,
        on_click=on_click,
        style=style,
        disabled=disabled,
        height=height,
        expand=expand or None,
    )
    return marks.mark(id, made, expand=expand or None) if id else made


def primary(
    text: str,
    on_click: OnClick | None,
    *,
    icon: ft.IconData | None = None,
    id: str | None = None,
    disabled: bool = False,
    expand: bool = False,
) -> ft.Control:
    """The one thing to do on a screen."""
    style = _style(theme.BRAND, theme.ON_BRAND, padding=24)
    return _button(
        text, on_click, style, icon=icon, id=id, disabled=disabled, expand=expand, height=theme.TARGET_MAIN
    )


def secondary(
    text: str,
    on_click: OnClick | None,
    *,
    icon: ft.IconData | None = None,
    id: str | None = None,
    disabled: bool = False,
    expand: bool = False,
) -> ft.Control:
    """A thing that one may do as well."""
    style = _style(theme.BRAND_SOFT, theme.ON_BRAND_SOFT)
    return _button(
        text, on_click, style, icon=icon, id=id, disabled=disabled, expand=expand, height=theme.TARGET
    )


def quiet(
    text: str,
    on_click: OnClick | None,
    *,
    icon: ft.IconData | None = None,
    id: str | None = None,
    disabled: bool = False,
    expand: bool = False,
) -> ft.Control:
    """A way out, or a small matter."""
    style = _style(None, theme.BRAND, padding=14)
    return _button(
        text, on_click, style, icon=icon, id=id, disabled=disabled, expand=expand, height=theme.TARGET
    )


def outlined(
    text: str,
    on_click: OnClick | None,
    *,
    icon: ft.IconData | None = None,
    id: str | None = None,
    disabled: bool = False,
    expand: bool = False,
) -> ft.Control:
    """One of several that weigh the same."""
    style = _style(theme.CARD, theme.INK, side=theme.LINE, padding=16)
    return _button(
        text, on_click, style, icon=icon, id=id, disabled=disabled, expand=expand, height=theme.TARGET
    )


def danger(
    text: str,
    on_click: OnClick | None,
    *,
    icon: ft.IconData | None = None,
    id: str | None = None,
    disabled: bool = False,
    expand: bool = False,
) -> ft.Control:
    """Takes something away."""
    style = _style(theme.BAD_SOFT, theme.ON_BAD_SOFT)
    return _button(
        text, on_click, style, icon=icon, id=id, disabled=disabled, expand=expand, height=theme.TARGET
    )


def icon(
    picture: ft.IconData,
    label: str,
    on_click: OnClick | None,
    *,
    id: str | None = None,
    color: str = theme.INK,
    ground: str | None = None,
    disabled: bool = False,
    size: int = theme.TARGET,
) -> ft.Control:
    """A picture alone; `label` is its name for readers and tests, and its tooltip."""
    made = ft.IconButton(
        icon=ft.Icon(picture, color=theme.INK_SOFT if disabled else color, size=round(size * 0.5)),
        on_click=on_click,
        tooltip=label,
        disabled=disabled,
        width=size,
        height=size,
        bgcolor=ground,
        style=ft.ButtonStyle(shape=ft.RoundedRectangleBorder(radius=14)),
    )
    return ft.MergeSemantics(content=marks.mark(id, made) if id else made)
