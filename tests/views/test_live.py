"""The store changes, and the screen follows: once a turn, for its tables only, also after a lost connection."""

from __future__ import annotations

import flet as ft
import pytest

from domain import errors
from tests import screen
from tests.views import stage
from views import component, live

pytestmark = pytest.mark.anyio


class Desk:
    """A component that shows a number, and what happened to it."""

    def __init__(self) -> None:
        self.store = stage.Store()
        self.number = 1
        self.reads = 0
        self.draws = 0
        self.fault: Exception | None = None
        self.app = stage.app_context(stage.access(store=self.store))

    def read(self) -> int:
        self.reads += 1
        if self.fault:
            raise self.fault
        return self.number

    def draw(self) -> ft.Control:
        @component.component
        def shown() -> ft.Control:
            self.draws += 1
            return ft.Text(f"number {live.use_live(self.read, tables=('leads',))}")

        return stage.within(self.app, shown)()


async def test_a_commit_is_shown() -> None:
    desk = Desk()
    async with screen.drawn(desk.draw) as shown:
        assert shown.sees("number 1")

        desk.number = 2
        desk.store.commit("leads")
        await shown.settle()

        assert shown.sees("number 2")


async def test_many_commits_of_one_turn_are_one_read() -> None:
    desk = Desk()
    async with screen.drawn(desk.draw) as shown:
        before = desk.reads

        for desk.number in range(2, 12):
            desk.store.commit("leads")
        await shown.settle()

        assert desk.reads == before + 1
        assert shown.sees("number 11")


async def test_another_table_is_not_read() -> None:
    desk = Desk()
    async with screen.drawn(desk.draw) as shown:
        before = desk.reads

        desk.store.commit("tasks")
        await shown.settle()

        assert desk.reads == before


async def test_the_same_answer_draws_nothing() -> None:
    desk = Desk()
    async with screen.drawn(desk.draw) as shown:
        before = desk.draws

        desk.store.commit("leads")
        await shown.settle()

        assert desk.draws == before


async def test_a_failed_read_shows_a_card_and_the_next_commit_heals_it() -> None:
    desk = Desk()
    async with screen.drawn(desk.draw) as shown:
        desk.fault = errors.StoreError("The disk is slow.", hint="Wait a moment.")
        desk.store.commit("leads")
        await shown.settle()
        assert shown.sees("The disk is slow.")
        assert shown.sees("Wait a moment.")

        desk.fault = None
        await shown.tap("Try again")

        assert shown.sees("number 1")


async def test_what_was_committed_while_the_phone_slept_is_shown_on_return() -> None:
    desk = Desk()
    async with screen.drawn(desk.draw) as shown:
        shown.page.on_connect = lambda: live.hub(shown.page).wake()
        await shown.session.disconnect(60)
        desk.number = 7
        desk.store.commit("leads")

        await shown.session.connect(shown.client)
        await shown.settle()

        assert shown.sees("number 7")


async def test_the_end_of_a_session_ends_its_subscriptions() -> None:
    desk = Desk()
    async with screen.drawn(desk.draw) as shown:
        assert len(desk.store.listeners) == 1
        shown.page.on_close = lambda: live.hub(shown.page).close()

    assert desk.store.listeners == []


async def test_a_part_that_is_gone_listens_no_more() -> None:
    desk = Desk()

    @ft.component
    def maybe() -> ft.Control:
        there, set_there = ft.use_state(True)
        return ft.Column(
            [ft.TextButton("hide", on_click=lambda: set_there(False)), *([desk.draw()] if there else [])]
        )

    async with screen.drawn(maybe) as shown:
        await shown.tap("hide")

    assert desk.store.listeners == []


async def test_a_long_read_shows_loading_and_then_its_answer() -> None:
    app = stage.app_context()

    @component.component
    def slow() -> ft.Control:
        loaded = live.use_live_async(lambda: 42)
        return ft.Text("loading" if loaded.loading else f"answer {loaded.value}")

    async with screen.drawn(stage.within(app, slow)) as shown:
        await shown.until("answer 42")
