"""Nearby: from the place one is at to the lead one goes to."""

from __future__ import annotations

from dataclasses import replace

import flet as ft
import pytest

from domain import ports
from services.user import Role
from tests import screen
from tests.services.conftest import HOME, Bench, in_days
from tests.views.agent import field

pytestmark = pytest.mark.anyio
FAR = ports.Position(lat=HOME[0] + 0.5, lon=HOME[1], label="Far away")


async def test_without_a_place_leads_come_by_urgency_and_a_place_is_asked_for(bench: Bench) -> None:
    bench.lead(name="Ann Lee")

    async with field.opened(bench, "/nearby") as phone:
        assert phone.sees("Where are you?")
        assert phone.sees("1 open lead, by urgency")
        assert phone.sees("Ann Lee")


async def test_the_devices_place_ranks_the_leads_around_it_and_is_remembered(bench: Bench) -> None:
    bench.lead(name="Near", km_north=1.0)
    bench.lead(name="Far", km_north=7.0)

    async with field.opened(bench, "/nearby", located=ports.Position(lat=HOME[0], lon=HOME[1])) as phone:
        await phone.tap("locate")

        assert phone.sees("2 leads within 5 mi")
        assert screen.order(phone, ["Near", "Far"]) == ["Near", "Far"]
    assert bench.sv.settings.read().last_place is not None


async def test_a_device_without_a_location_says_so_and_offers_to_type(bench: Bench) -> None:
    async with field.opened(bench, "/nearby") as phone:
        await phone.tap("locate")

        assert phone.sees("This device did not say where it is.")
        assert phone.find("Address, ZIP or city")


async def test_a_typed_zip_is_found_with_no_network(bench: Bench) -> None:
    bench.lead(name="Ann Lee")

    async with field.opened(bench, "/nearby") as phone:
        await phone.tap("type-place")
        await phone.type("Address, ZIP or city", "78701")
        await phone.tap("Austin, TX 78701")

        assert phone.sees("1 lead within 5 mi")


async def test_junk_for_a_place_is_refused_and_stays_typed(bench: Bench) -> None:
    async with field.opened(bench, "/nearby") as phone:
        await phone.tap("type-place")
        await phone.type("Address, ZIP or city", "qqqq")
        await phone.enter("Address, ZIP or city")

        box = phone.find("Address, ZIP or city", ft.TextField)[-1]
        assert isinstance(box, ft.TextField)
        assert "is no place that this device knows" in str(box.error)
        assert box.value == "qqqq"


async def test_the_three_bars_sum_to_a_hundred_with_the_rank(bench: Bench) -> None:
    bench.lead(name="Ann Lee", km_north=2.0)

    async with field.opened(bench, "/nearby", place=field.AUSTIN) as phone:
        line = next(text for text in phone.texts() if text.startswith("100 − "))

    *lost, rank = [float(part) for part in line.replace("=", "−").replace("100 − ", "").split("−")]
    assert sum(lost) + rank == pytest.approx(100)


async def test_nobody_around_shows_the_nearest_and_a_wider_circle(bench: Bench) -> None:
    bench.lead(name="Ann Lee")

    async with field.opened(bench, "/nearby", place=FAR) as phone:
        assert phone.sees("Nobody within 5 mi")
        assert phone.sees("Ann Lee")
        await phone.tap("widen")

        assert phone.sees("Nobody within 10 mi")
    assert bench.sv.settings.read().radius_km == pytest.approx(16.09, abs=0.01)


async def test_the_answer_clock_and_the_legal_hours_are_shown(bench: Bench) -> None:
    bench.lead(name="Ann Lee", answer_due_at=in_days(bench, 1).isoformat())

    async with field.opened(bench, "/nearby", place=field.AUSTIN) as phone:
        assert phone.sees("text ok until 20:00")
        assert phone.sees("answer: ")


async def test_hot_filter_keeps_only_the_hot(bench: Bench) -> None:
    bench.lead(name="Warm One")
    bench.lead(name="Hot One", temperature="hot", score=90.0)

    async with field.opened(bench, "/nearby", place=field.AUSTIN) as phone:
        await phone.tap("nearby-hot")

        assert phone.sees("Hot One")
        assert not phone.sees("Warm One")


async def test_a_call_is_handed_over_and_written_down(bench: Bench) -> None:
    lead_id = bench.lead(name="Ann Lee")

    async with field.opened(bench, "/nearby", place=field.AUSTIN) as phone:
        await phone.tap(f"call-{lead_id}")

        assert phone.sees("Call noted in the timeline.")
    assert bench.all("interactions")[0]["kind"] == "call"


async def test_a_text_without_consent_is_refused_with_the_reason(bench: Bench) -> None:
    lead_id = bench.lead(name="Ann Lee", consent_text=None)

    async with field.opened(bench, "/nearby", place=field.AUSTIN) as phone:
        await phone.tap(f"text-{lead_id}")

        assert phone.sees("no consent to texts on record")
    assert not bench.all("interactions")


async def test_a_touch_opens_the_lead_and_back_leads_here(bench: Bench) -> None:
    lead_id = bench.lead(name="Ann Lee")

    async with field.opened(bench, "/nearby", place=field.AUSTIN) as phone:
        await phone.tap(f"lead-{lead_id}")
        assert phone.route == f"/nearby/lead/{lead_id}"
        await phone.back()

        assert phone.sees("1 lead within 5 mi")


async def test_sales_around_come_with_price_and_distance(bench: Bench) -> None:
    bench.server(
        "properties",
        "p1",
        {
            "status": "sold",
            "address": "9 Elm St",
            "lat": HOME[0],
            "lon": HOME[1],
            "price_cents": 64_000_000,
            "price_on": "2026-03-02",
            "sqft": 1600,
        },
    )

    async with field.opened(bench, "/nearby", place=field.AUSTIN) as phone:
        await phone.tap("nearby-sales")

        assert phone.sees("1 sale within 5 mi")
        assert phone.sees("$640,000")
        assert phone.sees("$400 / sqft")


async def test_on_a_desktop_the_plan_stands_beside_the_list(bench: Bench) -> None:
    bench.lead(name="Ann Lee")

    async with field.opened(bench, "/nearby", place=field.AUSTIN, size=screen.DESKTOP) as desk:
        assert desk.sees("Map with 1 places within 5 mi")
        assert desk.sees("Ann Lee")


async def test_a_manager_sees_everybodys_leads(make_bench: field.Make) -> None:
    bench = make_bench(Role.MANAGER)
    bench.lead(name="Ann Lee")

    async with field.opened(bench, "/nearby", place=field.AUSTIN) as phone:
        assert phone.sees("1 lead within 5 mi")


async def test_the_first_download_says_how_far_it_is(bench: Bench) -> None:
    bench.sync.now = replace(bench.sync.now, online=True, first_sync=0.62, first_done=62, first_total=100)

    async with field.opened(bench, "/nearby", place=field.AUSTIN) as phone:
        assert phone.sees("Downloading your leads; you can start")
        assert phone.sees("62 %")
