"""Short messages: done (with undo), or failed (with what to do). The frame gives them room of their own, so that none covers a button."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import flet as ft

from domain import errors
from views import context, strings, theme
from views.parts import error_card

WIDTH = 560


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """`ends`: when it goes by itself, on the monotonic clock; `on_undo` None = there is nothing to take back."""

    text: str
    ends: float
    on_undo: Callable[[], Any] | None = None


class Notices(context.Teller):
    """What is said in one window now: the newest alone. It outlives the screen on which it was said."""

    def __init__(self) -> None:
        super().__init__()
        self._notice: Notice | None = None

    def read(self) -> Notice | None:
        return self._notice

    def put(self, notice: Notice | None) -> None:
        self._notice = notice
        self.tell()

    def drop(self, notice: Notice) -> None:
        """Does nothing where a newer one is said."""
        if self._notice is notice:
            self.put(None)


def of(page: ft.Page) -> Notices:
    """This window's."""
    return context.of_window(page, Notices)


def show(page: ft.Page, text: str, *, seconds: float = 4) -> None:
    """A plain message. Never a word of success for what only waits to be sent."""
    _say(page, text, seconds)


def undo(page: ft.Page, text: str, on_undo: Callable[[], Any], *, seconds: float = 10) -> None:
    """What was done, and ten seconds to take it back."""
    _say(page, text, seconds, on_undo)


def failure(page: ft.Page, error: errors.JorgeError | None) -> None:
    """What went wrong in a handler; nothing that was typed is lost by it."""
    message, hint = error_card.explain(error)
    _say(page, f"{message}\n{hint}", 8)


def _say(page: ft.Page, text: str, seconds: float, on_undo: Callable[[], Any] | None = None) -> None:
    notices = of(page)
    if notices.is_heard:  # a frame is there to show it
        notices.put(Notice(text=text, ends=time.monotonic() + seconds, on_undo=on_undo))
    else:
        page.show_dialog(_bar(page, text, seconds, on_undo))


def _bar(page: ft.Page, text: str, seconds: float, on_undo: Callable[[], Any] | None) -> ft.SnackBar:
    """Where no frame is, as before the sign-in."""
    wide = (page.width or 0) >= theme.WIDE_FROM
    return ft.SnackBar(
        content=ft.Semantics(live_region=True, content=ft.Text(text)),
        action=ft.SnackBarAction(label=strings.t("kit.undo"), on_click=on_undo) if on_undo else None,
        duration=ft.Duration(milliseconds=int(seconds * 1000)),
        behavior=ft.SnackBarBehavior.FLOATING,
        bgcolor=ft.Colors.INVERSE_SURFACE,
        persist=False,
        shape=ft.RoundedRectangleBorder(radius=theme.RADIUS),
        width=WIDTH if wide else None,  # a width and a margin exclude each other
        margin=None if wide else ft.Margin.all(theme.GAP_L),
    )
