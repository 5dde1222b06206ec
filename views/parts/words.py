"""Words on the screen, each in the size of its rank."""

from __future__ import annotations

import flet as ft

from views import theme

_STYLE = ft.TextThemeStyle


def _text(
    value: str,
    style: ft.TextThemeStyle,
    color: str,
    *,
    lines: int | None = None,
    align: ft.TextAlign = ft.TextAlign.START,
    expand: bool | None = None,
) -> ft.Text:
    return ft.Text(
        value,
        theme_style=style,
        color=color,
        max_lines=lines,
        overflow=ft.TextOverflow.ELLIPSIS if lines else ft.TextOverflow.CLIP,
        text_align=align,
        expand=expand,
    )


def figure(value: str, *, color: str = theme.INK) -> ft.Text:
    """The one number of a tile."""
    return _text(value, _STYLE.DISPLAY_MEDIUM, color, lines=1)


def big(value: str, *, color: str = theme.INK) -> ft.Text:
    """A heading of a whole page, or a score."""
    return _text(value, _STYLE.DISPLAY_SMALL, color, lines=2)


def heading(value: str, *, color: str = theme.INK, expand: bool | None = None) -> ft.Text:
    """The title of a section."""
    return _text(value, _STYLE.TITLE_LARGE, color, lines=2, expand=expand)


def name(value: str, *, color: str = theme.INK, expand: bool | None = None) -> ft.Text:
    """The name of a person or a thing in a row."""
    return _text(value, _STYLE.TITLE_MEDIUM, color, lines=1, expand=expand)


def body(
    value: str,
    *,
    color: str = theme.INK,
    lines: int | None = None,
    align: ft.TextAlign = ft.TextAlign.START,
    expand: bool | None = None,
) -> ft.Text:
    """Running text."""
    return _text(value, _STYLE.BODY_MEDIUM, color, lines=lines, align=align, expand=expand)


def soft(
    value: str,
    *,
    color: str = theme.INK_SOFT,
    lines: int | None = None,
    align: ft.TextAlign = ft.TextAlign.START,
    expand: bool | None = None,
) -> ft.Text:
    """What stands second: same size, quieter colour."""
    return _text(value, _STYLE.BODY_MEDIUM, color, lines=lines, align=align, expand=expand)


def label(value: str, *, color: str = theme.INK, expand: bool | None = None) -> ft.Text:
    """A strong short word: a chip, a column's head."""
    return _text(value, _STYLE.LABEL_MEDIUM, color, lines=1, expand=expand)


def fine(
    value: str, *, color: str = theme.INK_SOFT, lines: int | None = 1, expand: bool | None = None
) -> ft.Text:
    """Small print that repeats or dates a value beside it."""
    return _text(value, _STYLE.BODY_SMALL, color, lines=lines, expand=expand)


def label_line(value: str, *, color: str = theme.INK) -> ft.Text:
    """A strong line that takes the room there is, and wraps."""
    return _text(value, _STYLE.LABEL_LARGE, color, expand=True)
