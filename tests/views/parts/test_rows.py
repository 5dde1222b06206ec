"""Rows and cards answer to a touch, and say in words what they show."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import flet as ft
import pytest

from tests import screen
from views import context
from views.parts import (
    banners,
    chips,
    conflict_card,
    dialogs,
    kpi_tile,
    lamps,
    lead_row,
    proposal_row,
    toasts,
)

pytestmark = pytest.mark.anyio

LEAD = lead_row.LeadCard(id="a", name="Lena", temperature="hot", rank=81.5, place="≈ 4 min")
PROPOSAL = proposal_row.Proposal(
    id="p", field="Price", old="$690k", new="$640k", heard="six forty", confidence=0.81, taken=True
)
CONFLICT = conflict_card.Conflict(
    id="c",
    lead="Lena",
    field="Budget",
    one=conflict_card.Side(title="Yours", value="$620k", when="today 09:55", take="Take mine"),
    other=conflict_card.Side(
        title="Agent 2", value="$650k", when="today 10:20", take="Keep Agent 2's", counts=True
    ),
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


@pytest.mark.parametrize(("button", "choice"), [("Take mine", "one"), ("Keep Agent 2's", "other")])
async def test_a_conflict_is_settled_by_choosing(button: str, choice: str) -> None:
    chosen: list[tuple[str, str]] = []

    def draw() -> ft.Control:
        return conflict_card.conflict_card(CONFLICT, on_choose=lambda id, side: chosen.append((id, side)))

    async with screen.drawn(draw) as shown:
        assert screen.order(shown, ["Yours", "$620k", "Agent 2", "Counts now", "$650k"]) == [
            "Yours",
            "$620k",
            "Agent 2",
            "Counts now",
            "$650k",
        ]
        assert shown.sees("Needs you")

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


NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
HEARD = NOW - timedelta(minutes=2)


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (context.Status(heard_at=HEARD), "Nothing waits on this computer. Everything is on the server"),
        (context.Status(heard_at=NOW - timedelta(minutes=10)), "Server last heard 10 min ago"),
        (context.Status(), "The server was not heard of yet"),
        (
            context.Status(heard_at=HEARD, waiting=2, sending=True),
            "2 changes safe on this computer, waiting. Sending now",
        ),
        (context.Status(heard_at=HEARD, waiting=1), "Not everything is on the server yet"),
        (context.Status(heard_at=HEARD, needs_you=1), "1 change needs your decision"),
        (context.Status(online=False, waiting=1), "1 change safe on this computer, waiting. Offline"),
        (context.Status(heard_at=HEARD, forced=True), "Offline, as you chose"),
    ],
)
async def test_the_lamps_say_only_what_is_known(status: context.Status, words: str) -> None:
    async with screen.drawn(lambda: lamps.compact(status, NOW, lambda: None)) as shown:
        assert shown.sees(words)
        assert shown.sees("Everything is on the server") is (words.endswith("Everything is on the server"))


async def test_who_chose_to_be_offline_is_shown_the_way_back() -> None:
    gone: list[bool] = []
    status = context.Status(forced=True, waiting=2)
    async with screen.drawn(
        lambda: banners.forced_banner(status, lambda: gone.append(True)) or ft.Container()
    ) as shown:
        assert shown.sees("Offline by your choice · 2 changes safe on this computer")
        await shown.tap("go-online")

    assert gone == [True]


@pytest.mark.parametrize(
    ("platform", "web", "words"),
    [
        ("android", False, "Offline · 3 changes safe on this phone · "),
        ("ios", False, "Offline · 3 changes safe on this phone · "),
        ("windows", False, "Offline · 3 changes safe on this computer · "),
        ("android", True, "Offline · 3 changes safe on this computer · "),
    ],
)
async def test_the_offline_words_name_the_device_that_holds_the_work(
    platform: str, web: bool, words: str
) -> None:
    @ft.component
    def part() -> ft.Control:
        ft.context.page.platform = ft.PagePlatform(platform)
        ft.context.page.web = web
        return ft.Column(
            [
                ft.Text(banners.offline_text(context.Status(online=False, waiting=3))),
                chips.sync_state("on_phone"),
            ]
        )

    async with screen.drawn(part) as shown:
        assert shown.sees(words)
        assert shown.sees("On phone" if "phone" in words else "On computer")


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
