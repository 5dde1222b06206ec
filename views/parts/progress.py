"""How far something has come, in a bar and in words."""

from __future__ import annotations

from collections.abc import Callable

import flet as ft

from views import strings, theme
from views.parts import buttons, cards, formats, marks, words


def progress(
    title: str,
    share: float | None,
    *,
    note: str = "",
    on_cancel: Callable[[], None] | None = None,
    id: str = "progress",
) -> ft.Control:
    """`share` 0 to 1; None where nobody can know how much is left."""
    head: list[ft.Control] = [words.name(title, expand=True)]
    if share is not None:
        head.append(words.label(formats.percent(share)))
    rows: list[ft.Control] = [
        ft.Row(head),
        ft.ProgressBar(
            value=share,
            color=theme.BRAND,
            bgcolor=theme.TRACK,
            bar_height=8,
            border_radius=4,
            semantics_label=title,
        ),
    ]
    if note:
        rows.append(words.soft(note))
    if on_cancel is not None:
        rows.append(ft.Row([buttons.quiet(strings.t("kit.cancel"), lambda: on_cancel(), id=f"{id}-cancel")]))
    return marks.mark(id, cards.card(cards.stack(*rows, gap=theme.GAP_S)))


def waiting(text: str = "") -> ft.Control:
    """A short wait."""
    ring = ft.ProgressRing(width=28, height=28, stroke_width=3, color=theme.BRAND)
    column = ft.Column(
        [ring, words.soft(text or strings.t("kit.loading"))],
        horizontal_alignment=ft.CrossAxisAlignment.CENTER,
        spacing=theme.GAP,
        tight=True,
    )
    return marks.mark("waiting", ft.Container(column, padding=theme.GAP_XL, alignment=ft.Alignment.CENTER))
