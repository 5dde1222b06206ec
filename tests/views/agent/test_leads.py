"""The list of leads: filters, order, pages."""

from __future__ import annotations

import pytest

from tests import screen
from tests.services.conftest import OTHER, Bench
from tests.views.agent import field

pytestmark = pytest.mark.anyio


async def test_fifty_first_then_more(bench: Bench) -> None:
    for number in range(53):
        bench.lead(name=f"Lead {number:02}", score=90.0 - number)

    async with field.opened(bench, "/leads") as phone:
        assert phone.sees("53 leads")
        assert not phone.sees("Lead 52")
        await phone.tap("show-more")

        assert phone.sees("Lead 52")


async def test_only_mine_until_asked_for_all(bench: Bench) -> None:
    bench.lead(name="My Own")
    bench.lead(name="Kims Lead", agent_id=OTHER)

    async with field.opened(bench, "/leads") as phone:
        assert not phone.sees("Kims Lead")
        await phone.tap("leads-mine")

        assert phone.sees("Kims Lead")


async def test_filters_by_temperature_stage_and_kind_join(bench: Bench) -> None:
    bench.lead(name="Wanted", temperature="hot", stage="offer", kind="buyer")
    bench.lead(name="Other", temperature="hot", stage="new", kind="buyer")

    async with field.opened(bench, "/leads") as phone:
        await phone.tap("leads-filters")
        for chip in ("temperature-hot", "stage-offer", "kind-buyer"):
            await phone.tap(chip)

        assert phone.sees("1 lead")
        assert phone.sees("Wanted")
        assert not phone.sees("Other")


async def test_another_order_sorts_anew(bench: Bench) -> None:
    bench.lead(name="Zoe", score=90.0)
    bench.lead(name="Abe", score=10.0)

    async with field.opened(bench, "/leads") as phone:
        assert screen.order(phone, ["Zoe", "Abe"]) == ["Zoe", "Abe"]
        await phone.tap("leads-filters")
        await phone.tap("sort-name")

        assert screen.order(phone, ["Zoe", "Abe"]) == ["Abe", "Zoe"]


async def test_no_lead_fits_offers_the_way_back(bench: Bench) -> None:
    bench.lead(name="Ann Lee")

    async with field.opened(bench, "/leads") as phone:
        await phone.tap("temperature-ice_cold")
        assert phone.sees("No lead fits")
        await phone.tap("reset")

        assert phone.sees("Ann Lee")


async def test_a_lead_of_another_device_appears_by_itself(bench: Bench) -> None:
    async with field.opened(bench, "/leads") as phone:
        bench.lead(name="Just Synced")

        await phone.until("Just Synced")
