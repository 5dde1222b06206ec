"""A part that fails is a card, a handler that fails is a message; the session goes on."""

from __future__ import annotations

import asyncio
import logging

import flet as ft
import pytest

from domain import errors
from tests import screen
from views import component

pytestmark = pytest.mark.anyio

PERSON = "lena albrecht"


@component.component
def moody() -> ft.Control:
    """Fails on the second draw only."""
    turn, set_turn = ft.use_state(0)
    if turn == 1:
        raise ValueError(f"no such lead: {PERSON.title()}")
    return ft.TextButton(f"turn {turn}", on_click=lambda: set_turn(turn + 1))


async def test_a_failing_part_becomes_a_card_and_the_rest_goes_on() -> None:
    @ft.component
    def two() -> ft.Control:
        n, set_n = ft.use_state(0)
        return ft.Column([moody(), ft.TextButton(f"other {n}", on_click=lambda: set_n(n + 1))])

    async with screen.drawn(two) as shown:
        await shown.tap("turn 0")
        assert shown.sees("This part could not be shown.")

        await shown.tap("other 0")

        assert shown.sees("other 1")


async def test_a_failure_is_logged_without_the_words_of_people(caplog: pytest.LogCaptureFixture) -> None:
    async with screen.drawn(moody) as shown:
        with caplog.at_level(logging.ERROR):
            await shown.tap("turn 0")

    assert "view.failed where=moody error=ValueError" in caplog.text
    assert PERSON.title() not in caplog.text


async def test_an_error_of_ours_in_a_handler_says_what_to_do() -> None:
    def refuse() -> None:
        raise errors.RuleError("A price must be above zero.", hint="Enter the price in dollars.")

    def main(page: ft.Page) -> None:
        page.render_views(_one_button, refuse)
        component.watch(page)

    async with screen.opened(main) as shown:
        await shown.tap("press")

        assert shown.sees("A price must be above zero.")
        assert shown.sees("Enter the price in dollars.")


@ft.component
def _one_button(pressed: object) -> list[ft.View]:
    return [ft.View(route="/", controls=[ft.TextButton("press", on_click=pressed)])]  # type: ignore[arg-type]


async def test_a_dead_update_loop_is_started_again() -> None:
    async with screen.opened(_counting) as shown:
        task = shown.session._Session__updates_task  # type: ignore[attr-defined]
        shown.session.schedule_update(_Broken())  # type: ignore[arg-type]
        await asyncio.wait([task])
        await asyncio.sleep(0)

        await shown.tap("count 0")

        assert shown.sees("count 1")


class _Broken:
    """Stands for a control that Flet itself can't draw."""

    def update(self) -> None:
        raise RuntimeError("no such control")


def _counting(page: ft.Page) -> None:
    page.render_views(_counter)
    component.watch(page)


@ft.component
def _counter() -> list[ft.View]:
    n, set_n = ft.use_state(0)
    return [ft.View(route="/", controls=[ft.TextButton(f"count {n}", on_click=lambda: set_n(n + 1))])]
