"""Our component decorators: a failure inside is logged and shown as a card with "try again"; the session goes on."""

from __future__ import annotations

import logging
import sys
import traceback
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

import flet as ft

from domain import errors
from views import theme
from views.parts import error_card, toasts

LOG = logging.getLogger(__name__)
P = ParamSpec("P")
R = TypeVar("R", bound=ft.BaseControl)
_UPDATES = "_Session__updates_task"


def _log(where: str, error: BaseException) -> None:
    """The place and the kind of a failure, never its message: that may hold a person's data."""
    frames = "".join(traceback.format_tb(error.__traceback__)[-4:])
    LOG.error("view.failed where=%s error=%s\n%s", where, type(error).__name__, frames)


def component(fn: Callable[P, ft.Control]) -> Callable[..., ft.Control]:
    """For every component but screens. Hooks inside must be called in the same order on every render.

    The answer also takes `key=`, which no ParamSpec can say.
    """

    @ft.component
    @wraps(fn)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> ft.Control:
        _, retry = ft.use_state(0)
        try:
            return fn(*args, **kwargs)
        except Exception as error:  # noqa: BLE001 - the view loop: log and go on
            _log(fn.__qualname__, error)
            return error_card.error_card(error, on_retry=lambda: retry(lambda n: n + 1))

    return guarded


def screen(fn: Callable[P, ft.View]) -> Callable[P, ft.View]:
    """For the component of a route: it returns a View, also when it fails."""

    @ft.component
    @wraps(fn)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> ft.View:
        _, retry = ft.use_state(0)
        try:
            return fn(*args, **kwargs)
        except Exception as error:  # noqa: BLE001 - the view loop: log and go on
            _log(fn.__qualname__, error)
            card = error_card.error_card(error, on_retry=lambda: retry(lambda n: n + 1))
            return ft.View(
                route=ft.use_view_path() or "/",
                appbar=ft.AppBar(bgcolor=theme.GROUND),
                bgcolor=theme.GROUND,
                padding=theme.GAP_L,
                controls=[ft.SafeArea(card)],
            )

    return guarded


def memo(fn: Callable[P, ft.Control]) -> Callable[..., ft.Control]:
    """Draws a component again only when its arguments are other ones (`==`)."""
    wrapped: Callable[..., ft.Control] = ft.memo(fn)  # type: ignore[no-untyped-call]
    return wrapped


def watch(page: ft.Page) -> None:
    """Keeps the session alive: a failing handler or effect becomes a message, a dead update loop is started again."""

    def report(message: str) -> None:
        del message  # it quotes the exception; the exception itself is asked instead
        _report(page)

    page.session.error = report  # type: ignore[method-assign]
    _guard_loop(page)


def _report(page: ft.Page) -> None:
    error = sys.exc_info()[1]
    if error is None:
        return
    _log("handler", error)
    if isinstance(error, errors.JorgeError):
        toasts.failure(page, error)
    else:
        toasts.failure(page, None)


def _guard_loop(page: ft.Page) -> None:
    session = page.session
    task = getattr(session, _UPDATES)

    def ended(done: object) -> None:
        error = None if task.cancelled() else task.exception()
        if error is None:
            return
        _log("update_loop", error)
        session.start_updates_scheduler()  # type: ignore[no-untyped-call]
        _guard_loop(page)

    task.add_done_callback(ended)
