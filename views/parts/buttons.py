"""Buttons by rank; each is at least 48 dp high and has a name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Button:
    """A rank of button: `primary("Save", save, id="save-lead")`."""

    ground: str | None
    ink: str
    side: str | None = None
    padding: int = 20
    height: int = theme.TARGET

    def __call__(
        self,
        text: str,
        on_click: OnClick | None,
        *,
        icon: ft.IconData | None = None,
        id: str | None = None,
        disabled: bool = False,
        expand: bool = False,
    ) -> ft.Control:
        """`id` is the hook for tests; `expand` takes the room there is."""
        padding = (
            min(self.padding, 8) if expand else self.padding
        )  # one that takes all room centres its words itself
        made = ft.TextButton(
            content=text,
            icon=icon,
            on_click=on_click,
            style=_style(self.ground, self.ink, side=self.side, padding=padding),
            disabled=disabled,
            height=self.height,
            expand=expand or None,
        )
        return marks.mark(id, made, expand=expand or None) if id else made


primary = Button(ground=theme.BRAND, ink=theme.ON_BRAND, padding=24, height=theme.TARGET_MAIN)
"""The one thing to do on a screen."""

secondary = Button(ground=theme.BRAND_SOFT, ink=theme.ON_BRAND_SOFT)
"""A thing that one may do as well."""

quiet = Button(ground=None, ink=theme.BRAND, padding=14)
"""A way out, or a small matter."""

on_dark = Button(ground=None, ink=ft.Colors.INVERSE_PRIMARY, padding=14)
"""A way out on the dark ground of a message."""

outlined = Button(ground=theme.CARD, ink=theme.INK, side=theme.LINE, padding=16)
"""One of several that weigh the same."""

danger = Button(ground=theme.BAD_SOFT, ink=theme.ON_BAD_SOFT)
"""Takes something away."""


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
