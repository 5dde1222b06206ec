"""Rows and cards answer to a touch, and say in words what they show."""

from __future__ import annotations

from dataclasses import replace

import flet as ft
import pytest

from tests import screen
from views import context
from views.parts import banners, conflict_card, dialogs, kpi_tile, lamps, lead_row, proposal_row, toasts

pytestmark = pytest.mark.anyio

LEAD = lead_row.LeadCard(id="a", name="Lena", temperature="hot", rank=81.5, place="≈ 4 min")
PROPOSAL = proposal_row.Proposal(
    id="p", field="Price", old="$690k", new="$640k", heard="six forty", confidence=0.81, taken=True
)
CONFLICT = conflict_card.Conflict(
    id="c",
    lead="Lena",
    field="Budget",
    yours=conflict_card.Side(value="$620k", author="You", when="today 09:55"),
    office=conflict_card.Side(value="$650k", author="Agent 2", when="today 10:20"),
    may_keep_both=True,
)


async def test_a_lead_opens() -> None:
    opened: list[str] = []
    async with screen.drawn(lambda: lead_row.lead_row(LEAD, opened.append)) as shown:
        assert shown.sees("Lena, Hot, rank 82, ≈ 4 min")

        await shown.tap("lead-a")

        assert opened == ["a"]


async def test_a_row_is_drawn_again_only_when_its_lead_is_another_one() -> None:
    opened: list[str] = []
    setters: list[object] = []

    @ft.component
    def rows() -> ft.Control:
        lead, set_lead = ft.use_state(LEAD)
        n, set_n = ft.use_state(0)
        setters[:] = [set_lead, set_n]
        return ft.Column([ft.Text(str(n)), lead_row.lead_row(lead, opened.append, key="a")])

    async with screen.drawn(rows) as shown:
        before = shown.client.octets
        setters[1](1)  # type: ignore[operator]
        await shown.settle()
        assert shown.client.octets - before < 200

        setters[0](replace(LEAD, name="Lena B."))  # type: ignore[operator]
        await shown.settle()
        assert shown.sees("Lena B.")


async def test_a_proposal_is_dropped_by_a_touch_on_it() -> None:
    toggled: list[tuple[str, bool]] = []

    def draw() -> ft.Control:
        return proposal_row.proposal_row(PROPOSAL, on_toggle=lambda id, taken: toggled.append((id, taken)))

    async with screen.drawn(draw) as shown:
        assert shown.sees("Price: from $690k to $640k, 81 % sure, heard: six forty")

        await shown.tap("proposal-p")

        assert toggled == [("p", False)]


@pytest.mark.parametrize(
    ("button", "choice"), [("Keep mine", "mine"), ("Use office", "office"), ("Keep both", "both")]
)
async def test_a_conflict_is_settled_by_choosing(button: str, choice: str) -> None:
    chosen: list[tuple[str, str]] = []

    def draw() -> ft.Control:
        return conflict_card.conflict_card(CONFLICT, on_choose=lambda id, side: chosen.append((id, side)))

    async with screen.drawn(draw) as shown:
        assert shown.sees("Agent 2 · today 10:20")

        await shown.tap(button)

        assert chosen == [("c", choice)]


async def test_a_tile_without_data_says_so_and_how_to_get_some() -> None:
    kpi = kpi_tile.Kpi(id="ml", title="ML response time", value=None, how="Comes with the first scored lead.")
    async with screen.drawn(lambda: kpi_tile.kpi_tile(kpi)) as shown:
        assert shown.sees("No data yet")
        assert shown.sees("Comes with the first scored lead.")


async def test_a_tile_drills() -> None:
    opened: list[str] = []
    kpi = kpi_tile.Kpi(id="hot", title="Hot leads", value="27", trend=(1, 2, 3), tier="watch", n="n = 27")
    async with screen.drawn(lambda: kpi_tile.kpi_tile(kpi, on_open=opened.append)) as shown:
        await shown.tap("kpi-hot")

        assert opened == ["hot"]


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (context.Status(), "Nothing waits on this phone. Everything is on the server"),
        (context.Status(waiting=2, sending=True), "2 changes safe on this phone, waiting. Sending now"),
        (context.Status(online=False, waiting=1), "1 change safe on this phone, waiting. Offline"),
    ],
)
async def test_the_lamps_say_where_everything_is(status: context.Status, words: str) -> None:
    async with screen.drawn(lambda: lamps.compact(status, lambda: None)) as shown:
        assert shown.sees(words)


def test_the_offline_words_are_those_of_the_design() -> None:
    assert banners.offline_text(context.Status(online=False, waiting=3)).startswith(
        "Offline · 3 changes safe on this phone · "
    )


async def test_what_was_done_can_be_undone() -> None:
    undone: list[bool] = []

    @ft.component
    def part() -> ft.Control:
        page = ft.context.page
        return ft.TextButton("do", on_click=lambda: toasts.undo(page, "Done.", lambda: undone.append(True)))

    async with screen.drawn(part) as shown:
        await shown.tap("do")
        await shown.tap("Undo")

        assert undone == [True]


@pytest.mark.parametrize(("answer", "expected"), [("Delete", [True]), ("Cancel", [])])
async def test_a_question_is_asked_before_something_is_gone(answer: str, expected: list[bool]) -> None:
    gone: list[bool] = []

    async def delete() -> None:
        gone.append(True)

    @ft.component
    def part() -> ft.Control:
        page = ft.context.page

        def ask() -> None:
            dialogs.confirm(page, "Delete?", "It will be gone.", yes="Delete", on_yes=delete, dangerous=True)

        return ft.TextButton("ask", on_click=ask)

    async with screen.drawn(part) as shown:
        await shown.tap("ask")
        await shown.tap(answer)

        assert gone == expected
