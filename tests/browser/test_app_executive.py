"""An executive at a desk, in a real browser: figures move as the field works, lead on to the leads, and say how old they are."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

import pytest
from playwright.async_api import Error as PlaywrightError

from tests.browser import harness
from tests.browser.brokerage import Brokerage

LOG = logging.getLogger(__name__)
pytestmark = [pytest.mark.anyio, pytest.mark.xdist_group("app"), pytest.mark.timeout(240)]

LEADS = [
    {"name": "Lena Albrecht", "temperature": "warm"},
    {"name": "Marcus Whitfield", "temperature": "warm"},
]


async def tile_says(window: harness.Window, name: str, words: str) -> float:
    """Waits until a figure's tile says these words; the seconds it took."""
    begun = time.monotonic()
    tile = window.page.locator(f'[flt-semantics-identifier="kpi-{name}"]').filter(has_text=words)
    try:
        await tile.first.wait_for(state="attached", timeout=30_000)
    except PlaywrightError as error:
        raise AssertionError(f"{words!r} is not said by:\n{await window.outline()}") from error
    return time.monotonic() - begun


async def add_a_lead(phone: harness.Window, name: str) -> None:
    await phone.tab("Leads")
    await phone.tap_marked("add-lead")
    await phone.fill("Name", name)
    await phone.fill("Phone", "206 555 0189")
    await phone.tap_marked("save-lead")
    await phone.see("Nothing is planned with this lead.")
    await phone.fill(
        "Add a next step", "Call about the house"
    )  # a planned touch: now the lead counts as active
    await phone.tap_marked("add-task")


async def test_a_figure_moves_while_it_is_looked_at_and_leads_to_the_leads_behind_it(
    firm: Brokerage, record_property: Callable[[str, object], None]
) -> None:
    office = await firm.office(LEADS)
    async with firm.desktop(office.manager) as desk, firm.phone(office.agent) as phone:
        await tile_says(desk, "active_leads", "Active leads, 2")
        await desk.see("Live")
        await add_a_lead(phone, "Nora Newcomer")
        seconds = await tile_says(desk, "active_leads", "Active leads, 3")
        record_property("seconds_to_the_tile", round(seconds, 2))
        LOG.info("from the phone's save to the executive's tile: %.1f s", seconds)
        assert seconds < 5

        await desk.tap_marked("kpi-active_leads")
        await desk.see("3 leads behind this figure")
        await desk.tap("Nora Newcomer")
        await desk.see("Call about the house")


async def test_with_no_server_the_last_figures_are_shown_and_said_to_be_the_last(firm: Brokerage) -> None:
    office = await firm.office(LEADS)
    async with firm.desktop(office.manager) as desk:
        await tile_says(desk, "active_leads", "Active leads, 2")
        await desk.see("Live")
        async with firm.closed():
            await desk.see("Last known figures", timeout=20)
            await desk.reload()
            await tile_says(desk, "active_leads", "Active leads, 2")
            await desk.see("Last known figures")
        await desk.see("The server sends each change", timeout=60)
