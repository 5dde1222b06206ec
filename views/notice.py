"""The short message in the frame of every screen: above the buttons below, never upon them."""

from __future__ import annotations

import asyncio
import inspect
import time

import flet as ft

from views import component, live, strings, theme
from views.parts import buttons, marks, toasts


@component.component
def notice_strip(room_below: int = 0) -> ft.Control:
    """`room_below`: what floats over the lower end of the screen, in dp."""
    page = ft.context.page
    notices = toasts.of(page)
    notice = live.use_live(notices.read, source=notices)

    async def expire() -> None:
        if notice is not None:
            await asyncio.sleep(max(0.0, notice.ends - time.monotonic()))
            notices.drop(notice)

    ft.use_effect(expire, [notice], cleanup=lambda: None)
    if notice is None:
        return ft.Container(height=0)
    wide = (page.width or 0) >= theme.WIDE_FROM
    box = ft.Container(
        _line(notices, notice),
        bgcolor=ft.Colors.INVERSE_SURFACE,
        border_radius=theme.RADIUS,
        padding=ft.Padding.only(left=theme.GAP_L, right=4, top=4, bottom=4),
        width=toasts.WIDTH if wide else None,
    )
    return ft.Container(
        marks.announced(box, identifier="notice"),
        alignment=ft.Alignment.CENTER if wide else None,
        padding=ft.Padding.only(left=theme.GAP, right=theme.GAP, top=6, bottom=6 + room_below),
    )


def _line(notices: toasts.Notices, notice: toasts.Notice) -> ft.Control:
    async def take_back() -> None:
        notices.drop(notice)
        done = notice.on_undo() if notice.on_undo is not None else None
        if inspect.isawaitable(done):
            await done

    ink = ft.Colors.ON_INVERSE_SURFACE
    row: list[ft.Control] = [
        ft.Text(notice.text, theme_style=ft.TextThemeStyle.BODY_MEDIUM, color=ink, expand=True)
    ]
    if notice.on_undo is not None:
        row.append(buttons.on_dark(strings.t("kit.undo"), take_back, id="undo"))
    row.append(
        buttons.icon(
            ft.Icons.CLOSE, strings.t("kit.close"), lambda: notices.drop(notice), id="notice-close", color=ink
        )
    )
    return ft.Row(row, spacing=0, vertical_alignment=ft.CrossAxisAlignment.CENTER)
