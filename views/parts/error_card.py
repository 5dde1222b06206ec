"""A failure, said plainly: what was wrong, where, and what to do; with "try again" where that can help."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import flet as ft

from domain import errors
from views import strings, theme
from views.parts import buttons, cards, marks, words


def explain(error: Exception | None) -> tuple[str, str]:
    """The message and the hint for people; what is not ours is never quoted."""
    if isinstance(error, errors.JorgeError):
        return error.message, error.hint or strings.t("kit.error.hint")
    return strings.t("kit.error.title"), strings.t("kit.error.hint")


def error_card(error: Exception | None, *, on_retry: Callable[..., Any] | None = None) -> ft.Control:
    """The card itself; the data behind it is safe, and it says so."""
    message, hint = explain(error)
    rows: list[ft.Control] = [
        cards.line(
            ft.Icon(ft.Icons.ERROR_OUTLINE, color=theme.ON_BAD_SOFT, size=24),
            words.body(message, color=theme.ON_BAD_SOFT, expand=True),
            gap=theme.GAP,
        ),
        words.body(hint, color=theme.ON_BAD_SOFT),
    ]
    if on_retry is not None:
        rows.append(
            ft.Row(
                [
                    buttons.outlined(
                        strings.t("kit.error.retry"), lambda: on_retry(), icon=ft.Icons.REFRESH, id="retry"
                    )
                ]
            )
        )
    return marks.announced(
        ft.Container(
            cards.stack(*rows), padding=theme.GAP_L, bgcolor=theme.BAD_SOFT, border_radius=theme.RADIUS
        ),
        identifier="error-card",
    )
