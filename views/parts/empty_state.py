"""What a screen shows when it has nothing to show: why, and what one can do."""

from __future__ import annotations

import flet as ft

from views import theme
from views.parts import cards, marks, words


def empty_state(
    icon: ft.IconData,
    title: str,
    text: str = "",
    *,
    action: ft.Control | None = None,
    id: str = "empty-state",
) -> ft.Control:
    rows: list[ft.Control] = [
        ft.Container(
            ft.Icon(icon, size=36, color=theme.ON_BRAND_SOFT),
            width=80,
            height=80,
            border_radius=40,
            bgcolor=theme.BRAND_SOFT,
            alignment=ft.Alignment.CENTER,
        ),
        ft.Container(words.heading(title), padding=ft.Padding.only(top=theme.GAP_S)),
    ]
    if text:
        rows.append(words.soft(text, align=ft.TextAlign.CENTER))
    if action is not None:
        rows.append(ft.Container(action, padding=ft.Padding.only(top=theme.GAP_S)))
    column = ft.Column(
        rows, spacing=theme.GAP_S, horizontal_alignment=ft.CrossAxisAlignment.CENTER, tight=True
    )
    body = ft.Container(column, padding=theme.GAP_XL, alignment=ft.Alignment.CENTER)
    return marks.mark(id, body)


def no_data(text: str, how: str = "") -> ft.Control:
    """ "No data yet", in place of a number, with the way to get it."""
    return cards.stack(words.soft(text), *([words.fine(how, lines=2)] if how else []), gap=2)
