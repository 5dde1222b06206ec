"""One lead: read, changed in its place, undone, decided, worked on."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import flet as ft
import pytest

from services.user import Role
from tests import screen
from tests.services.conftest import AGENT, HOME, OTHER, Bench, in_days
from tests.services.test_leads import other_office
from tests.views.agent import field

pytestmark = pytest.mark.anyio


def value(phone: screen.Screen, label: str) -> tuple[str, str]:
    """What stands in a field, and what is said to be wrong with it."""
    box = phone.find(label, ft.TextField)[-1]
    assert isinstance(box, ft.TextField)
    return box.value or "", str(box.error or "")


async def test_the_header_says_who_how_warm_and_what_the_law_allows(bench: Bench) -> None:
    lead_id = bench.lead(name="Ann Lee")

    async with field.opened(bench, f"/leads/lead/{lead_id}") as phone:
        for words in ("Ann Lee", "Warm", "On server", "open until 20:00", "dial by hand only"):
            assert phone.sees(words), words


async def test_a_field_saves_when_one_leaves_it_and_undo_takes_it_back(bench: Bench) -> None:
    lead_id = bench.lead(name="Ann Lee")

    async with field.opened(bench, f"/leads/lead/{lead_id}") as phone:
        await phone.fill("Name", "Anna Lee")
        assert bench.get("leads", lead_id)["name"] == "Anna Lee"
        assert phone.sees("Name saved on this computer")
        assert phone.sees("On computer")
        await phone.tap("Undo")

        assert bench.get("leads", lead_id)["name"] == "Ann Lee"
        assert value(phone, "Name") == ("Ann Lee", "")


async def test_a_bad_phone_is_refused_at_its_field_and_stays_typed(bench: Bench) -> None:
    lead_id = bench.lead()

    async with field.opened(bench, f"/leads/lead/{lead_id}") as phone:
        await phone.fill("Phone", "12")

        typed, problem = value(phone, "Phone")
        assert typed == "12"
        assert problem
    assert bench.get("leads", lead_id)["phone"] == "+15125550147"


@pytest.mark.parametrize("typed", ["640k", "$640,000", "0.64m"])
async def test_a_price_is_typed_as_people_write_it(bench: Bench, typed: str) -> None:
    lead_id = bench.lead()

    async with field.opened(bench, f"/leads/lead/{lead_id}") as phone:
        await phone.fill("Price", typed)

        assert value(phone, "Price") == ("$640,000", "")
    assert bench.get("leads", lead_id)["price_cents"] == 64_000_000


async def test_weeks_are_days_and_junk_is_refused(bench: Bench) -> None:
    lead_id = bench.lead()

    async with field.opened(bench, f"/leads/lead/{lead_id}") as phone:
        await phone.fill("Timeline in days", "6 weeks")
        assert bench.get("leads", lead_id)["timeline_days"] == 42
        await phone.fill("Timeline in days", "soon")

        assert "no stretch of time" in value(phone, "Timeline in days")[1]


async def test_a_motivation_is_chosen_and_the_score_follows(bench: Bench) -> None:
    lead_id = bench.lead(motivation=None)

    async with field.opened(bench, f"/leads/lead/{lead_id}") as phone:
        assert phone.sees("Not known yet, counted as neutral")
        await phone.tap("choose-motivation")
        await phone.tap("motivation-relocation")

        assert bench.get("leads", lead_id)["motivation"] == "relocation"
        assert phone.sees("1 of 4 answered")


async def test_the_shown_terms_add_up_to_the_shown_score(bench: Bench) -> None:
    lead_id = bench.lead(motivation="relocation", timeline_days=33, condition="average")

    async with field.opened(bench, f"/leads/lead/{lead_id}") as phone:
        line = next(text for text in phone.texts() if " = " in text and text[0] in "+−")

    terms, total = line.split(" = ")
    assert sum(float(part.replace("−", "-")) for part in terms.split()) == pytest.approx(float(total))


async def test_losing_a_lead_asks_for_the_reason_first(bench: Bench) -> None:
    lead_id = bench.lead()

    async with field.opened(bench, f"/leads/lead/{lead_id}") as phone:
        await phone.tap("stage-lost")
        assert bench.get("leads", lead_id)["stage"] == "new"
        await phone.type("Reason for the stage", "bought elsewhere")
        await phone.tap("save-stage")

        assert phone.sees("Because: bought elsewhere")
    assert bench.get("leads", lead_id)["stage"] == "lost"


async def test_a_next_step_is_added_and_done(bench: Bench) -> None:
    lead_id = bench.lead()

    async with field.opened(bench, f"/leads/lead/{lead_id}") as phone:
        await phone.type("Add a next step", "bring comps")
        await phone.tap("when-three")
        await phone.tap("add-task")
        assert phone.sees("bring comps")
        await phone.tap("Done: bring comps")

        assert not phone.sees("Done: bring comps")
    assert bench.all("tasks")[0]["done_at"]


async def test_an_opt_out_stands_on_top_and_no_way_is_left(bench: Bench) -> None:
    lead_id = bench.lead(opted_out=True, opted_out_words="leave me alone")

    async with field.opened(bench, f"/leads/lead/{lead_id}") as phone:
        assert phone.sees("They said: “leave me alone”")
        await phone.tap("call")

        assert phone.sees("Not allowed: opted out")
    assert not bench.all("interactions")


async def test_an_opt_out_is_asked_once_more_and_counts_at_once(bench: Bench) -> None:
    lead_id = bench.lead()

    async with field.opened(bench, f"/leads/lead/{lead_id}") as phone:
        await phone.tap("opt-out")
        await phone.type("What they said", "stop calling")
        await phone.tap("opt-out-save")
        assert not bench.get("leads", lead_id)["opted_out"]
        await phone.tap("dialog-yes")

    assert bench.get("leads", lead_id)["opted_out_words"] == "stop calling"


def price_conflict(bench: Bench, lead_id: str) -> None:
    at = bench.clock.now().isoformat()
    row: dict[str, Any] = {
        "tbl": "leads",
        "row_id": lead_id,
        "lead_id": lead_id,
        "unit": "price",
        "policy": "manual",
        "base": {"price_cents": 60_000_000},
        "winner": {"price_cents": 65_000_000},
        "loser": {"price_cents": 62_000_000},
        "winner_by": OTHER,
        "winner_at": at,
        "loser_by": AGENT,
        "loser_at": at,
        "status": "open",
    }
    bench.server("conflicts", "c1", row)


async def test_a_conflict_shows_both_values_and_mine_is_one_touch_away(bench: Bench) -> None:
    lead_id = bench.lead(price_cents=65_000_000)
    price_conflict(bench, lead_id)

    async with field.opened(bench, f"/leads/lead/{lead_id}") as phone:
        assert phone.sees("$620,000")
        assert phone.sees("$650,000")
        await phone.tap("Take mine")

        assert not phone.sees("Needs your decision")
    assert bench.get("leads", lead_id)["price_cents"] == 62_000_000


async def test_older_history_comes_a_page_at_a_time(bench: Bench) -> None:
    lead_id = bench.lead()
    for number in range(35):
        at = bench.clock.now() - timedelta(hours=number)
        row = {"lead_id": lead_id, "kind": "message", "direction": "inbound", "channel": "text"}
        bench.server(
            "interactions",
            f"i{number:02}",
            {**row, "occurred_at": at.isoformat(), "body": f"words {number:02}"},
        )

    async with field.opened(bench, f"/leads/lead/{lead_id}") as phone:
        assert not phone.sees("words 34")
        await phone.tap("older")

        assert phone.sees("words 34")


async def test_comparable_sales_come_beside_the_screen_and_say_estimate(bench: Bench) -> None:
    lead_id = bench.lead()
    for number in range(6):
        sale = {"status": "sold", "address": f"{number} Elm St", "lat": HOME[0], "lon": HOME[1], "sqft": 1600}
        bench.server(
            "properties",
            f"p{number}",
            {**sale, "price_cents": 60_000_000 + number * 100_000, "price_on": "2026-10-01"},
        )

    async with field.opened(bench, f"/leads/lead/{lead_id}") as phone:
        await phone.until("Estimate, not an appraisal")

        assert phone.sees("6 sales")


async def test_without_sales_the_reason_stands_in_place_of_a_number(bench: Bench) -> None:
    lead_id = bench.lead()

    async with field.opened(bench, f"/leads/lead/{lead_id}") as phone:
        await phone.until("No estimate yet")

        assert phone.sees("There are no sales around")


async def test_a_change_from_another_device_appears_by_itself(bench: Bench) -> None:
    lead_id = bench.lead(name="Ann Lee")

    async with field.opened(bench, f"/leads/lead/{lead_id}") as phone:
        bench.sv.leads.edit(lead_id, name="Anna From Office")

        await phone.until("Anna From Office")


async def test_a_lead_that_is_gone_says_so(bench: Bench) -> None:
    async with field.opened(bench, "/leads/lead/unknown") as phone:
        assert phone.sees("This lead is not on this device")


async def test_a_task_of_the_lead_shows_when_it_is_due(bench: Bench) -> None:
    lead_id = bench.lead()
    bench.sv.tasks.create("bring comps", lead_id=lead_id, due_at=in_days(bench, -1))

    async with field.opened(bench, f"/leads/lead/{lead_id}", size=screen.DESKTOP) as desk:
        assert desk.sees("bring comps")
        assert desk.sees("late")


async def test_a_manager_moves_a_lead_after_reading_what_goes_along(
    make_bench: Callable[..., Bench],
) -> None:
    bench = make_bench(Role.MANAGER)
    lead_id, place = bench.lead(), other_office(bench)
    async with field.opened(bench, f"/leads/lead/{lead_id}") as phone:
        await phone.tap("more")
        await phone.tap("move-lead")
        await phone.tap(f"move-to-{place}")
        assert phone.sees("With the lead go its tasks, notes, visits, deals and property.")
        await phone.tap("dialog-yes")

        assert phone.sees("Moves to Dallas as soon as the server has it")
    assert bench.get("leads", lead_id)["location_id"] == place
