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
        await both_sides_have(firm, office, leads=2, notes=1)
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
    await phone.see("On computer")
    await phone.fill("Add a next step", "Bring the contract")
    await phone.tap_marked("add-task")
    await phone.see("Done: Bring the contract")
    await phone.shot("flow-offline-lead")


async def dictate(phone: harness.Window) -> None:
    """Into Chromium's microphone, for as long as the words last."""
    await phone.tap_marked("dictate-note")
    await phone.tap_marked("record")
    await phone.see("0:06", timeout=30)
    await phone.tap_marked("stop")
    if not SPOKEN.exists():
        await phone.see("No speech heard", timeout=60)
        return
    await phone.see("this year", timeout=60)
    await phone.tap_marked("note-save")
    await phone.see("Contacted")


async def see_that_it_waits(phone: harness.Window) -> None:
    await phone.tap_marked("lamps")
    await phone.see("Offline")
    await phone.see("changes wait here")
    await phone.see("1 recording")
    await phone.shot("flow-offline-sync")


async def test_all_that_an_agent_does_works_while_the_server_is_stopped(firm: Brokerage) -> None:
    office = await firm.office([PATRICIA, MARCUS])
    async with firm.phone(office.agent) as phone:
        await phone.tap_marked("locate")
        await phone.see("88 Harbor Ave")
        async with firm.closed():
            await phone.reload()
            await phone.see("Patricia Oyelaran")
            await add_a_lead(phone)
            await search(phone)
            await plan_a_task(phone)
            await look_around(phone, office)
            assert firm.field.unsent(office.agent) >= 2
        await both_sides_have(firm, office, leads=3, tasks=1)


async def add_a_lead(phone: harness.Window) -> None:
    await phone.tap_marked("add-lead")
    await phone.fill("Name", "Nora Nowhere")
    await phone.fill("Phone", "206 555 0188")
    await phone.tap_marked("save-lead")
    await phone.see("Nothing is planned with this lead.")
    await phone.see("Nora Nowhere")
    await phone.see("On computer")
    await phone.tap("Back")


async def search(phone: harness.Window) -> None:
    await phone.tap_marked("go-search")
    await phone.fill("What do you look for?", "harbor")
    await phone.see("Marcus Whitfield")
    await phone.tap("Back")


async def plan_a_task(phone: harness.Window) -> None:
    await phone.tab("Tasks")
    await phone.tap_marked("add-task")
    await phone.fill("What is to be done?", "P")
    await phone.press("End")
    await phone.write("rint the flyers")
    await phone.tap_marked("task-save")
    await phone.see("Done: Print the flyers")


async def look_around(phone: harness.Window, office: Office) -> None:
    await phone.tab("Leads")
    await phone.see("Nora Nowhere")
    await phone.tab("Sync")
    await phone.see("Offline")
    await phone.see("changes wait here")
    await phone.tap_marked("go-settings")
    await phone.see(office.agent.email)
    await phone.see("Send them before you sign out.")


async def both_sides_have(firm: Brokerage, office: Office, **wanted: int) -> None:
    """Nothing waits on the phone, and each table has as many rows here as there."""
    await brokerage.until(lambda: firm.field.unsent(office.agent) == 0, seconds=60)
    there = await firm.rows(office)
    await brokerage.until(lambda: firm.field.rows(office.agent) == there)
    assert {name: there[name] for name in wanted} == wanted
    LOG.info("rows on both sides: %s", there)


async def test_the_password_opens_the_phone_with_no_network_and_a_wrong_one_does_not(firm: Brokerage) -> None:
    office = await firm.office([PATRICIA])
    async with firm.phone(office.agent) as phone:
        await phone.see("Patricia Oyelaran")
        firm.field.net.cut()
        await phone.tap_marked("go-settings")
        await phone.tap_marked("sign-out")
        await phone.tap_marked("dialog-yes")
        await phone.see("E-mail")

        await brokerage.type_sign_in(phone, office.agent.email, "wrong password")
        await phone.see("E-mail or password is wrong.")
        await phone.see("Checked on this device")
        await brokerage.type_sign_in(phone, office.agent.email, office.agent.password)
        await phone.see("Patricia Oyelaran")
        await phone.reload()
        await phone.see("Patricia Oyelaran")


async def test_two_agents_on_one_app_see_nothing_of_each_other(firm: Brokerage) -> None:
    one, other = await firm.office([PATRICIA]), await firm.office([MARCUS])
    async with firm.phone(one.agent) as ada, firm.phone(other.agent) as ben:
        await ada.see("Patricia Oyelaran")
        await ben.see("Marcus Whitfield")
        for window, foreign, own in ((ada, "Marcus", "Patricia"), (ben, "Patricia", "Marcus")):
            await window.tap_marked("go-search")
            await window.fill("What do you look for?", own)
            await window.see(f"{own} ")
            await window.fill("What do you look for?", foreign)
            await window.see("Nothing found for")

        await ben.open(f"/leads/lead/{one.leads['Patricia Oyelaran']}")
        await ben.see_not("Patricia Oyelaran")
    for person, name in ((one.agent, b"Whitfield"), (other.agent, b"Oyelaran")):
        for file in firm.field.store(person).parent.rglob("*"):
            assert not file.is_file() or name not in file.read_bytes()
