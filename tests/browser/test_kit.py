"""The kit in a real Chromium: found by role and label, deep links, back, reload, both sizes, nothing from outside."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from tests.browser import harness

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def gallery(size: tuple[int, int] = harness.PHONE) -> AsyncIterator[harness.Window]:
    port = harness.free_port()
    command = harness.python("-m", "tests.browser.gallery", "serve", "{port}")
    async with (
        harness.app_process(command, port=port) as base,
        harness.browser() as running,
        harness.window(running, base, size=size) as window,
    ):
        yield window
        assert window.outside == []
        assert window.faults == []


async def test_a_phone_opens_a_lead_edits_it_and_comes_back_after_a_reload() -> None:
    async with gallery() as window:
        await window.open("/nearby?online=1")
        await window.tap("Lena Albrecht")
        await window.see("Facts")

        await window.fill("Price", "$640,000")
        await window.see("Saves when you leave the field")
        await window.press("Tab")
        await window.see("On computer")

        await window.page.go_back()
        await window.see("Marcus Whitfield")
        await window.open("/nearby/lead/a")
        await window.see("Facts")
        await window.reload()
        await window.see("Facts")


async def test_tabs_and_the_microphone_are_named() -> None:
    async with gallery() as window:
        await window.open("/nearby")
        await window.see("1 change needs your decision")
        await window.see("3 changes safe on this computer, waiting. Offline")
        await window.see("DEMO DATA")

        await window.page.get_by_role("tab", name="Sync").click()
        await window.see("Take mine")
        await window.page.get_by_role("tab", name="Voice note").click()
        await window.see("Proposed changes")


async def test_a_desktop_shows_the_rail_and_drills() -> None:
    async with gallery(harness.DESKTOP) as window:
        await window.open("/command?user=manager&online=1")
        await window.see("Weighted pipeline")
        await window.see("No data yet")

        await window.tap("Revenue")
        await window.see("Net revenue")
        await window.tap("Show as a table")
        await window.see("$470k")
