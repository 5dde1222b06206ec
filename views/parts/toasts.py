"""Short messages at the lower edge: done (with undo), or failed (with what to do)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import flet as ft

from domain import errors
from views import strings, theme
from views.parts import error_card

_WIDTH = 560


def show(page: ft.Page, text: str, *, seconds: float = 4) -> None:
    """A plain message. Never a word of success for what only waits to be sent."""
    page.show_dialog(_bar(page, text, seconds))


def undo(page: ft.Page, text: str, on_undo: Callable[..., Any], *, seconds: float = 10) -> None:
    """What was done, and ten seconds to take it back."""
    bar = _bar(page, text, seconds)
    bar.action = ft.SnackBarAction(
        label=strings.t("kit.undo"), on_click=on_undo, text_color=ft.Colors.INVERSE_PRIMARY
    )
    bar.persist = False
    page.show_dialog(bar)


def failure(page: ft.Page, error: errors.JorgeError | None) -> None:
    """What went wrong in a handler; nothing that was typed is lost by it."""
    message, hint = error_card.explain(error)
    bar = _bar(page, f"{message}\n{hint}", 8)
    bar.show_close_icon = True
    page.show_dialog(bar)


def _bar(page: ft.Page, text: str, seconds: float) -> ft.SnackBar:
    wide = (page.width or 0) >= theme.WIDE_FROM
    return ft.SnackBar(
        content=ft.Semantics(live_region=True, content=ft.Text(text)),
        duration=ft.Duration(milliseconds=int(seconds * 1000)),
        behavior=ft.SnackBarBehavior.FLOATING,
        bgcolor=ft.Colors.INVERSE_SURFACE,
        close_icon_color=ft.Colors.ON_INVERSE_SURFACE,
        shape=ft.RoundedRectangleBorder(radius=theme.RADIUS),
        width=_WIDTH if wide else None,  # a width and a margin exclude each other
        margin=None if wide else ft.Margin.all(theme.GAP_L),
    )
