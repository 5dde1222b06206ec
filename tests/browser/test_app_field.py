"""An agent in the field, in a real browser: what is done with no network is kept, shown, and at the office when it is back."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

import pytest

from tests.browser import brokerage, harness
from tests.browser.brokerage import Brokerage, Office
from tests.browser.conftest import SPOKEN

LOG = logging.getLogger(__name__)
pytestmark = [pytest.mark.anyio, pytest.mark.xdist_group("app"), pytest.mark.timeout(240)]

PATRICIA = {
    "name": "Patricia Oyelaran",
    "phone": "+12065550117",
    "address": "2210 South 14th Street",
    "price_cents": 450_000_00,
    "price_on": "2026-11-01",
    "temperature": "hot",
}
MARCUS = {"name": "Marcus Whitfield", "address": "88 Harbor Ave", "lat": 47.62, "lon": -122.35}


async def test_work_done_with_no_network_reaches_a_manager_s_open_screen_when_it_is_back(
    firm: Brokerage, record_property: Callable[[str, object], None]
) -> None:
    office = await firm.office([PATRICIA, MARCUS])
    lead = f"/leads/lead/{office.leads['Patricia Oyelaran']}"
    async with firm.phone(office.agent) as phone, firm.desktop(office.manager, lead) as manager:
        await manager.see("$450k")
        await open_the_best_lead(phone)
        firm.field.net.cut()
        await edit_and_plan(phone)
        await dictate(phone)
        assert firm.field.unsent(office.agent) >= 4
        await see_that_it_waits(phone)

        firm.field.net.heal()
        begun = time.monotonic()
        await manager.see("$399k", timeout=60)
        seconds = time.monotonic() - begun
        await manager.see("Bring the contract")
        record_property("seconds_to_the_manager", round(seconds, 2))
        LOG.info("from reconnect to visible at the manager: %.1f s", seconds)
        await both_sides_agree(firm, office)
        await phone.see("Everything is on the server")


async def open_the_best_lead(phone: harness.Window) -> None:
    await phone.tap_marked("locate")
    await phone.see("min")
    await phone.see("Rank ")
    await phone.tap("Patricia Oyelaran")
    await phone.see("Nothing is planned with this lead.")


async def edit_and_plan(phone: harness.Window) -> None:
    await phone.fill("Price", "$399,000")
    await phone.press("Tab")
    await phone.see("$399k")
    await phone.see("Waiting")
    await phone.fill("Add a next step", "Bring the contract")
    await phone.tap_marked("add-task")
    await phone.see("Done: Bring the contract")


async def dictate(phone: harness.Window) -> None:
    """Into Chromium's microphone, for as long as the words last."""
    await phone.tap_marked("dictate-note")
    await phone.tap_marked("record")
    await phone.see("0:06", timeout=30)
    await phone.tap_marked("stop")
    if not SPOKEN.exists():
        await phone.see("No speech heard", timeout=60)
        return
    await phone.see("selling this year", timeout=60)
    await phone.tap_marked("note-save")
    await phone.see("Contacted")


async def see_that_it_waits(phone: harness.Window) -> None:
    await phone.tap_marked("lamps")
    await phone.see("Offline")
    await phone.see("changes wait here")
    await phone.see("1 recording")


async def both_sides_agree(firm: Brokerage, office: Office) -> None:
    """Nothing waits on the phone, and each table has as many rows here as there."""
    await brokerage.until(lambda: firm.field.unsent(office.agent) == 0, seconds=60)
    there = await firm.rows(office)
    await brokerage.until(lambda: firm.field.rows(office.agent) == there)
    assert (there["leads"], there["notes"]) == (2, 1)
    assert there["tasks"] >= 1
    LOG.info("rows on both sides: %s", there)
