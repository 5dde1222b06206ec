"""Surfaces: the card, the section with its title, and rows inside of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import flet as ft

from views import theme
from views.parts import words


def card(
    content: ft.Control,
    *,
    on_click: Callable[..., Any] | None = None,
    padding: int = theme.GAP_L,
    ground: str = theme.CARD,
    expand: bool | int | None = None,
    key: str | None = None,
) -> ft.Container:
    """A quiet white (or near-black) surface with a hair line; it answers to touch when it has `on_click`."""
    return ft.Container(
        content=content,
        padding=padding,
        bgcolor=ground,
        border_radius=theme.RADIUS,
        border=ft.Border.all(1, theme.LINE),
        ink=on_click is not None,
        on_click=on_click,
        expand=expand,
        clip_behavior=ft.ClipBehavior.ANTI_ALIAS,
        key=key,
    )


def section(
    title: str,
    body: Sequence[ft.Control],
    *,
    action: ft.Control | None = None,
    note: str = "",
    gap: int = theme.GAP,
) -> ft.Column:
    """A titled group; the title is a heading for screen readers."""
    head: list[ft.Control] = [ft.Semantics(header=True, content=words.heading(title), expand=True)]
    if action is not None:
        head.append(action)
    parts: list[ft.Control] = [
        ft.Row(head, vertical_alignment=ft.CrossAxisAlignment.CENTER, height=theme.TARGET if action else None)
    ]
    if note:
        parts.append(words.soft(note))
    return ft.Column([*parts, *body], spacing=gap, tight=True)


def stack(*rows: ft.Control, gap: int = theme.GAP, expand: bool | None = None) -> ft.Column:
    """Things below each other, as wide as there is room."""
    return ft.Column(
        list(rows),
        spacing=gap,
        tight=not expand,
        expand=expand,
        horizontal_alignment=ft.CrossAxisAlignment.STRETCH,
    )


def line(*items: ft.Control, gap: int = theme.GAP_S, wrap: bool = False) -> ft.Row:
    """Things beside each other, centred on one line."""
    return ft.Row(
        list(items), spacing=gap, run_spacing=gap, wrap=wrap, vertical_alignment=ft.CrossAxisAlignment.CENTER
    )


def page(*rows: ft.Control, gap: int = theme.GAP_L, wide: bool = False) -> ft.Control:
    """The scrolling body of a screen: one readable column, centred; `wide` uses the whole width."""
    ends = (ft.Container(height=0), ft.Container(height=theme.GAP_XL))
    column = ft.Column(
        [ends[0], *rows, ends[1]],
        spacing=gap,
        horizontal_alignment=ft.CrossAxisAlignment.STRETCH,
        scroll=ft.ScrollMode.AUTO,
        expand=True,
    )
    roomy = (ft.context.page.width or 0) >= theme.WIDE_FROM and not wide
    inner = ft.Container(
        column,
        padding=ft.Padding.symmetric(horizontal=theme.GAP_L),
        expand=None if roomy else True,
        width=theme.CONTENT_MAX if roomy else None,
    )
    side = ft.MainAxisAlignment.CENTER
    return ft.Row([inner], alignment=side, vertical_alignment=ft.CrossAxisAlignment.STRETCH, expand=True)
