"""Chromium as a person uses it: starts the app, finds things by role and label, sees, taps, types and takes pictures."""

from __future__ import annotations

import os
import re
import shutil
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, BrowserContext, Locator, Page, async_playwright
from playwright.async_api import Error as PlaywrightError

from tests.browser.processes import ROOT, SHOTS, app_process, free_port, python

__all__ = [
    "DESKTOP",
    "PHONE",
    "ROOT",
    "SHOTS",
    "Window",
    "app_process",
    "browser",
    "chromium",
    "free_port",
    "python",
    "window",
]

PHONE = (412, 915)
DESKTOP = (1440, 900)
_ARGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def chromium() -> str:
    """The browser's path. Fails with the way to get one: a browser test never skips."""
    for name in (os.environ.get("JORGE_CHROMIUM") or "chromium", "chromium-browser", "google-chrome"):
        found = shutil.which(name)
        if found:
            return found
    raise AssertionError(
        "Chromium is missing. Install it (Debian: `apt-get install chromium`), or set JORGE_CHROMIUM to its path."
    )


@asynccontextmanager
async def browser(*, microphone: Path | None = None) -> AsyncIterator[Browser]:
    """One Chromium. `microphone` is a WAV that its fake microphone plays."""
    extra = ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]
    if microphone is not None:
        extra.append(f"--use-file-for-fake-audio-capture={microphone}%noloop")
    async with async_playwright() as playwright:
        running = await playwright.chromium.launch(executable_path=chromium(), args=[*_ARGS, *extra])
        try:
            yield running
        finally:
            await running.close()


@dataclass
class Window:
    """One person's window. Names are what a screen reader would say."""

    page: Page
    context: BrowserContext
    base: str
    outside: list[str] = field(default_factory=list)  # what another machine answered: must stay empty
    faults: list[str] = field(default_factory=list)
    shots: int = 0

    async def open(self, route: str = "/", *, timeout: float = 60) -> float:
        """Loads an address; answers with the seconds to the first control."""
        start = time.monotonic()
        await self.page.goto(self.base + route)
        await self.turn_on_semantics(timeout)
        return time.monotonic() - start

    async def turn_on_semantics(self, timeout: float = 60) -> None:
        """Flutter builds its accessible tree only when somebody asks for it."""
        await self.page.wait_for_selector(
            "flt-semantics-placeholder", state="attached", timeout=timeout * 1000
        )
        await self.page.eval_on_selector("flt-semantics-placeholder", "node => node.click()")
        # Flet's own "Working…" has no identifier; every screen of ours has at least one.
        await self.page.wait_for_selector(
            "[flt-semantics-identifier]", state="attached", timeout=timeout * 1000
        )

    async def reload(self) -> None:
        await self.page.reload()
        await self.turn_on_semantics()

    # --- finding ---------------------------------------------------------------------------------------------------

    def marked(self, identifier: str) -> Locator:
        """By the stable hook of `marks.mark`."""
        return self.page.locator(f'[flt-semantics-identifier="{identifier}"]').first

    def named(self, name: str) -> Locator:
        """By role and name, then by label, then by words."""
        wanted = re.compile(re.escape(name))
        found = self.page.get_by_role("button", name=wanted)
        for role in ("tab", "checkbox", "radio", "switch", "link", "menuitem"):
            found = found.or_(self.page.get_by_role(role, name=wanted))
        return found.or_(self.page.get_by_label(wanted)).or_(self.page.get_by_text(name)).first

    async def see(self, text: str, *, timeout: float = 15) -> None:
        """Waits until these words are there, as text or as a label."""
        wanted = re.compile(re.escape(text))
        found = self.page.get_by_text(text).or_(self.page.get_by_label(wanted))
        try:
            await found.first.wait_for(state="attached", timeout=timeout * 1000)
        except PlaywrightError as error:
            await self.shot("not-seen")
            raise AssertionError(f"{text!r} was not seen. There is:\n{await self.outline()}") from error

    async def see_not(self, text: str, *, timeout: float = 15) -> None:
        wanted = re.compile(re.escape(text))
        found = self.page.get_by_text(text).or_(self.page.get_by_label(wanted))
        await found.first.wait_for(state="detached", timeout=timeout * 1000)

    async def outline(self) -> str:
        """All accessible words, for a message of failure."""
        script = """() => [...document.querySelectorAll('flt-semantics,input,textarea')].map(n =>
            [n.getAttribute('role'), n.getAttribute('flt-semantics-identifier'),
             n.getAttribute('aria-label') || (n.querySelector('flt-semantics') ? '' : n.textContent)].filter(Boolean).join(' · '))
            .filter(Boolean).join('\\n')"""
        return str(await self.page.evaluate(script))

    # --- doing ----------------------------------------------------------------------------------------------------

    async def tap(self, name: str, *, timeout: float = 15) -> None:
        await self._press(self.named(name), name, timeout)

    async def tap_marked(self, identifier: str, *, timeout: float = 15) -> None:
        await self._press(self.marked(identifier), identifier, timeout)

    async def tab(self, name: str) -> None:
        """A tab below, or a place in the rail."""
        await self._press(self.page.get_by_role("tab", name=name).first, name, 15)

    async def _press(self, target: Locator, name: str, timeout: float) -> None:
        """While one screen gives way to another, a node may go under the finger: then it is looked for again."""
        end = time.monotonic() + timeout
        while True:
            try:
                await self._click(target, end)
                return
            except PlaywrightError as error:
                if time.monotonic() < end:
                    continue
                await self.shot("not-tapped")
                raise AssertionError(
                    f"{name!r} could not be tapped. There is:\n{await self.outline()}"
                ) from error

    async def _click(self, target: Locator, end: float) -> None:
        await target.wait_for(state="attached", timeout=max(100, (end - time.monotonic()) * 1000))
        inner = target.locator('[role="button"],[role="checkbox"],[flt-tappable]').first
        found = inner if await inner.count() else target
        await self._bring(found)
        try:
            await found.click(timeout=4000)
        except PlaywrightError:
            # Playwright may scroll a node below our bar, which then lies over it; Flutter takes the tap itself.
            await found.dispatch_event("click", timeout=1000)

    async def fill(self, label: str, text: str) -> None:
        """Types into the field with this label; it keeps the focus."""
        end = time.monotonic() + 15
        while not await self._typed(label, text, alike=time.monotonic() > end - 12):
            assert time.monotonic() < end, (
                f"No field {label!r} to type into. There is:\n{await self.outline()}"
            )
            await self.page.wait_for_timeout(200)

    async def write(self, text: str) -> None:
        """Key by key, as fast as a quick typist, into the field that has the focus."""
        await self.page.keyboard.type(text, delay=15)

    async def _typed(self, label: str, text: str, *, alike: bool) -> bool:
        """False where the field is not there (yet), moves (Flutter scrolls by an animation of its own), goes or stays empty.

        A field that just got the focus hears nothing until Flutter has tied the keyboard to it.
        """
        name: str | re.Pattern[str] = re.compile(re.escape(label)) if alike else label
        box = self.page.get_by_role("textbox", name=name, exact=not alike).first
        try:
            if not await box.count():
                return False
            await self._bring(box)
            await box.click(timeout=2000)
            if not await box.evaluate("node => node === document.activeElement"):
                return False
            await box.fill(text, timeout=2000)
            await self.page.wait_for_timeout(150)
            return not text or bool(await box.input_value(timeout=2000))
        except PlaywrightError:
            return False

    async def _bring(self, target: Locator) -> None:
        """Scrolls it into view and waits until it stays where it is."""
        await target.scroll_into_view_if_needed(timeout=4000)
        before = await target.bounding_box(timeout=2000)
        for _ in range(20):
            await self.page.wait_for_timeout(100)
            now = await target.bounding_box(timeout=2000)
            if now == before:
                return
            before = now

    async def press(self, key: str) -> None:
        await self.page.keyboard.press(key)

    async def offline(self) -> None:
        """Cuts the BROWSER from the app too. To cut the app from its server use tests/proxy.py."""
        await self.context.set_offline(True)

    async def online(self) -> None:
        await self.context.set_offline(False)

    async def shot(self, name: str) -> Path:
        self.shots += 1
        path = SHOTS / f"{name}.png"
        await self.page.wait_for_timeout(400)
        await self.page.screenshot(path=path)
        return path


@asynccontextmanager
async def window(
    running: Browser,
    base: str,
    *,
    size: tuple[int, int] = PHONE,
    dark: bool = False,
    place: tuple[float, float] | None = (47.61, -122.33),
) -> AsyncIterator[Window]:
    """A fresh profile: own storage, permissions for microphone and (with `place`) location granted."""
    settings: dict[str, Any] = {
        "viewport": {"width": size[0], "height": size[1]},
        "color_scheme": "dark" if dark else "light",
        "has_touch": size[0] < 700,
        "locale": "en-US",
        "permissions": ["microphone", *(["geolocation"] if place else [])],
    }
    if place:
        settings["geolocation"] = {"latitude": place[0], "longitude": place[1], "accuracy": 12}
    context = await running.new_context(**settings)
    page = await context.new_page()
    opened = Window(page=page, context=context, base=base)
    page.on("response", lambda response: _note(opened.outside, response.url, base))
    page.on("pageerror", lambda error: opened.faults.append(str(error)))
    try:
        yield opened
    finally:
        await context.close()


def _note(outside: list[str], url: str, base: str) -> None:
    if not url.startswith((base, base.replace("http", "ws"), "blob:", "data:")):
        outside.append(url)
