"""Questions before something that can't be undone, and sheets with more to choose from."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

import flet as ft

from views import strings, theme
from views.parts import buttons, cards, marks, words


def confirm(
    page: ft.Page,
    title: str,
    text: str,
    *,
    yes: str,
    on_yes: Callable[[], Any],
    no: str = "",
    dangerous: bool = False,
) -> None:
    """Asks once; the way out comes first, and touching beside the dialog is the way out too."""

    def decline() -> None:
        page.pop_dialog()

    async def agree() -> None:
        page.pop_dialog()
        done = on_yes()
        if inspect.isawaitable(done):
            await done

    button = buttons.danger if dangerous else buttons.secondary
    page.show_dialog(
        ft.AlertDialog(
            title=words.heading(title),
            content=words.body(text),
            shape=ft.RoundedRectangleBorder(radius=theme.RADIUS_L),
            bgcolor=theme.CARD,
            actions=[
                buttons.quiet(no or strings.t("kit.cancel"), decline, id="dialog-no"),
                button(yes, agree, id="dialog-yes"),
            ],
        )
    )


def sheet(page: ft.Page, title: str, rows: Sequence[ft.Control]) -> None:
    """A sheet from below; close it with `page.pop_dialog()`."""
    head = ft.Row(
        [
            words.heading(title, expand=True),
            buttons.icon(ft.Icons.CLOSE, strings.t("kit.close"), lambda: page.pop_dialog(), id="sheet-close"),
        ]
    )
    body = ft.Column([head, *rows], spacing=theme.GAP, tight=True, scroll=ft.ScrollMode.AUTO)
    page.show_dialog(
        ft.BottomSheet(
            content=marks.mark("sheet", ft.Container(body, padding=theme.GAP_XL)),
            bgcolor=theme.CARD,
            show_drag_handle=True,
            use_safe_area=True,
        )
    )


def menu_row(
    icon: ft.IconData, text: str, on_click: Callable[[], Any], *, id: str, note: str = ""
) -> ft.Control:
    """A line to choose in a sheet or a settings page."""
    lines: list[ft.Control] = [words.name(text), *([words.fine(note, lines=2)] if note else [])]
    row = ft.Row(
        [
            ft.Icon(icon, color=theme.INK_SOFT, size=24),
            cards.stack(*lines, gap=0, expand=True),
            ft.Icon(ft.Icons.CHEVRON_RIGHT, color=theme.INK_SOFT, size=20),
        ],
        spacing=theme.GAP_L,
    )
    body = ft.Container(
        row,
        padding=ft.Padding.symmetric(vertical=theme.GAP),
        ink=True,
        on_click=lambda: on_click(),
        border_radius=12,
    )
    return ft.Semantics(identifier=id, button=True, container=True, label=text, content=body)
