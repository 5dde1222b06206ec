"""Sync as people see it, in a real browser: refused work is put right, two values are settled, nothing is said that is not so."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from typing import Any

import pytest

from tests.browser import brokerage, harness
from tests.browser.brokerage import Brokerage, Person, Site

pytestmark = [pytest.mark.anyio, pytest.mark.xdist_group("app"), pytest.mark.timeout(240)]

LENA = {
    "name": "Lena Albrecht",
    "phone": "+12065550133",
    "address": "14 Cedar Court",
    "price_cents": 450_000_00,
    "price_on": "2026-11-01",
}


async def change(site: Site, person: Person, field: str, value: Any) -> None:
    """What an older app, with fewer checks, would have written: the waiting change carries this value.

    Comes back when the app has tried to send it: a try that began with the former value is over.
    """
    with contextlib.closing(sqlite3.connect(site.store(person), timeout=10)) as db, db:
        db.execute("BEGIN IMMEDIATE")
        waiting = "SELECT mid, patch, attempts FROM outbox WHERE state <> 'acked'"
        mid, patch, attempts = db.execute(waiting).fetchone()
        db.execute(
            "UPDATE outbox SET patch = ? WHERE mid = ?",
            (json.dumps({**json.loads(patch), field: value}), mid),
        )
    await brokerage.until(lambda: site.ask(person, waiting)[0]["attempts"] > attempts, seconds=60)


async def set_price(window: harness.Window, price: str) -> None:
    await window.fill("Price", price)
    await window.press("Tab")


async def test_a_refused_change_is_put_right_at_the_lead_and_then_safe(firm: Brokerage) -> None:
    office = await firm.office([LENA])
    async with firm.phone(office.agent) as phone:
        await phone.tap("Lena Albrecht")
        firm.field.net.cut()
        await set_price(phone, "$399,000")
        await phone.see("On computer")
        await change(firm.field, office.agent, "price_cents", 10**17)

        firm.field.net.heal()
        await phone.see("1 change needs your decision", timeout=60)
        await phone.tap_marked("lamps")
        await phone.see("Needs you")
        await phone.see("1 refused change is kept here")
        await phone.shot("flow-parked")
        await phone.tap("Correct it")
        await phone.see("The server refused this")
        await phone.fill("Price", "$405,000")
        await phone.tap("Save and send")

        await phone.see_not("The server refused this", timeout=30)
        await phone.see("Everything is on the server", timeout=60)
        await phone.see("$405k")
    assert firm.field.unsent(office.agent) == 0


async def test_two_values_are_shown_on_both_devices_and_settled_on_one(firm: Brokerage) -> None:
    office = await firm.office([LENA])
    lead = f"/leads/lead/{office.leads['Lena Albrecht']}"
    async with firm.phone(office.agent) as phone, firm.desktop(office.manager, lead) as manager:
        await manager.see("$450k")
        await phone.tap("Lena Albrecht")
        firm.field.net.cut()
        await set_price(phone, "$399,000")
        await phone.see("On computer")
        await set_price(manager, "$420,000")
        await brokerage.until(lambda: firm.desk.unsent(office.manager) == 0, seconds=30)

        firm.field.net.heal()
        for window in (phone, manager):
            await window.see("Needs your decision", timeout=60)
            await window.see("$399,000")
            await window.see("$420,000")
        await phone.shot("flow-conflict-phone")
        await manager.shot("flow-conflict-desktop")
        await phone.tap("Take mine")

        await manager.see("$399k", timeout=60)
        await manager.see_not("Needs your decision", timeout=30)
        await manager.see("1 value of yours was replaced")
        await phone.see("Everything is on the server", timeout=30)


async def test_who_stays_offline_works_on_and_all_is_sent_when_they_come_back(firm: Brokerage) -> None:
    office = await firm.office([LENA])
    async with firm.phone(office.agent) as phone:
        await phone.see("Lena Albrecht")
        await phone.tap_marked("lamps")
        await phone.page.get_by_role("switch").first.click()
        await phone.see("Offline by your choice")

        await phone.tab("Leads")
        await phone.tap("Lena Albrecht")
        await set_price(phone, "$405,000")
        await phone.see("On computer")
        assert firm.field.unsent(office.agent) == 1

        await phone.tap_marked("go-online")
        await phone.see("Everything is on the server", timeout=60)
        assert firm.field.unsent(office.agent) == 0


async def test_a_long_first_download_shows_how_far_it_is_and_can_be_worked_in(firm: Brokerage) -> None:
    office = await firm.office([{"name": f"Lead {n:04}", "address": f"{n} Elm Street"} for n in range(1500)])
    async with firm.phone() as phone:
        await phone.open("/sync")
        firm.field.net.slow_down = 30_000
        await brokerage.type_sign_in(phone, office.agent.email, office.agent.password)
        await brokerage.until(lambda: share(firm.field, office.agent) > 0.3, seconds=120)
        firm.field.net.stall()
        await phone.see("Downloading your area", timeout=30)
        await phone.see("rows · you can start")
        await phone.shot("flow-first-download")

        firm.field.net.slow_down = None
        firm.field.net.heal()
        await phone.see("Everything is on the server", timeout=60)
        await phone.see_not("Downloading your area", timeout=60)
    assert firm.field.rows(office.agent)["leads"] == 1500


def share(site: Site, person: Person) -> float:
    """Of the first download, as the device's store knows it."""
    try:
        found = {row["k"]: row["v"] for row in site.ask(person, "SELECT k, v FROM sync_state")}
    except sqlite3.OperationalError:
        return 0.0
    total = int(found.get("first_total", 0))
    return int(found.get("first_done", 0)) / total if total else 0.0


async def test_a_second_window_asks_for_the_sign_in_when_the_first_one_signs_out(firm: Brokerage) -> None:
    office = await firm.office([LENA])
    async with firm.phone(office.agent) as first:
        await first.see("Lena Albrecht")
        second = harness.Window(page=await first.context.new_page(), context=first.context, base=first.base)
        await second.open("/leads")
        await second.see("Lena Albrecht")

        await first.page.bring_to_front()  # a page in the background draws nothing
        await first.tap_marked("go-settings")
        await first.tap_marked("sign-out")
        await first.tap_marked("dialog-yes")
        await first.see("E-mail")

        await second.page.bring_to_front()
        await second.see("This window was closed", timeout=30)
        await second.see("E-mail")


async def test_a_manager_sees_which_device_lags_and_compares_their_own(firm: Brokerage) -> None:
    office = await firm.office([LENA])
    async with firm.phone(office.agent) as phone:
        await phone.see("Everything is on the server", timeout=30)
        await phone.tap_marked("lamps")
        await phone.tap_marked("compare")
        await phone.see("Equal: ", timeout=30)
    async with firm.desktop(office.manager, "/devices") as manager:
        await manager.see(office.agent.name, timeout=30)
        await manager.see("Up to date")
        firm.desk.net.cut()
        await manager.tap_marked("ask-devices")
        await manager.see("Needs a connection", timeout=30)
        await manager.shot("flow-devices-offline")
