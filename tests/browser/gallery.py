"""Every part with sample values, served for looking at: `python -m tests.browser.gallery serve PORT | shots`."""

from __future__ import annotations

import asyncio
import logging
import sys

import flet as ft

from tests.browser import gallery_pages, harness
from views import app, context, theme, web


class Open:
    """An entry that lets everybody in; with `shut`, after the sign-in only."""

    def __init__(
        self, user: context.User, appearance: theme.Appearance, board: context.Board, shut: bool = False
    ) -> None:
        self._shut = shut
        self._user = user
        self._appearance = appearance
        self._board = board

    async def restore(self, page: ft.Page) -> context.Access | None:
        return None if self._shut else self._access()

    def _access(self) -> context.Access:
        return context.Access(
            user=self._user, store=context.Board(), services=(), board=self._board, demo=True
        )

    async def sign_in(self, page: ft.Page, email: str, password: str) -> context.Access:
        return self._access()

    async def sign_out(self, page: ft.Page, access: context.Access) -> None:
        return None

    def appearance(self, access: context.Access | None) -> theme.Appearance:
        return self._appearance

    def keep_appearance(self, access: context.Access, appearance: theme.Appearance) -> None:
        self._appearance = appearance


def site(user: context.User, look: theme.Appearance, status: context.Status, shut: bool) -> app.Site:
    return app.Site(
        entry=Open(user, look, context.Board(status), shut), screens=gallery_pages.SCREENS, demo=True
    )


async def _main(page: ft.Page) -> None:
    """`?user=manager`, `?mode=dark`, `?online=1`, `?contrast=1`, `?scale=1.3`, `?shut=1` choose what is shown."""
    asked = dict(
        pair.split("=", 1) for pair in (page.route or "").partition("?")[2].split("&") if "=" in pair
    )
    look = theme.Appearance(
        mode=theme.Mode(asked.get("mode", "system")),
        high_contrast="contrast" in asked,
        text_scale=float(asked.get("scale", 1)),
    )
    status = gallery_pages.ONLINE if "online" in asked else gallery_pages.OFFLINE
    user = gallery_pages.MANAGER if asked.get("user") == "manager" else gallery_pages.AGENT
    await app.open_session(page, site(user, look, status, "shut" in asked))


async def serve(port: int) -> None:
    logging.basicConfig(level=logging.WARNING)
    await web.server(web.asgi(_main), host="127.0.0.1", port=port).serve()


async def shots() -> None:
    """Phone and desktop, light and dark, each page of the gallery."""
    port = harness.free_port()
    command = harness.python("-m", "tests.browser.gallery", "serve", "{port}")
    async with harness.app_process(command, port=port) as base, harness.browser() as running:
        for size, device in ((harness.PHONE, "phone"), (harness.DESKTOP, "desktop")):
            for dark in (False, True):
                for name, route in gallery_pages.wanted(sys.argv[2:]):
                    async with harness.window(running, base, size=size, dark=dark) as window:
                        seconds = await window.open(route)
                        await window.page.wait_for_timeout(1200)
                        path = await window.shot(f"{device}-{'dark' if dark else 'light'}-{name}")
                        sys.stdout.write(f"{seconds:5.1f} s  {path}\n")
                        sys.stdout.write(f"outside: {window.outside} faults: {window.faults}\n")


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[2])) if sys.argv[1] == "serve" else shots())
