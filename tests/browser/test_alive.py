"""The page when the app's own process does not answer: it says so, and comes back by itself."""

from __future__ import annotations

import pytest
from playwright.async_api import Route

from tests.browser import harness

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(120)]

COMMAND = harness.python("-m", "tests.browser.sync_states", "serve", "{port}")


async def test_a_page_that_was_loaded_while_the_process_started_opens_by_itself() -> None:
    port = harness.free_port()
    async with (
        harness.app_process(COMMAND, port=port) as base,
        harness.browser() as running,
        harness.window(running, base) as window,
    ):
        refused: list[str] = []

        async def refuse_once(route: Route) -> None:
            if refused:
                await route.continue_()
            else:
                refused.append(route.request.url)
                await route.abort()

        await window.page.route("**/main.dart.*", refuse_once)
        await window.page.goto(base + "/?state=idle")
        await window.turn_on_semantics()

        assert refused
        await window.see("The server has everything")


async def test_a_page_whose_process_ends_says_so_and_comes_back_with_it() -> None:
    port = harness.free_port()
    async with (
        harness.browser() as running,
        harness.window(running, f"http://127.0.0.1:{port}") as window,
    ):
        told = window.page.locator("#not-alive")
        async with harness.app_process(COMMAND, port=port):
            await window.open("/?state=idle")
            await window.see("The server has everything")
            assert await told.count() == 0

        await told.wait_for(timeout=20_000)
        words = await told.inner_text()
        assert "The app is not running" in words
        assert "make run" in words

        async with harness.app_process(COMMAND, port=port):
            await told.wait_for(state="detached", timeout=30_000)
            await window.see("The server has everything")
