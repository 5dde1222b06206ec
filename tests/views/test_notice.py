"""Short messages in the frame: they take room of their own, go by themselves, and cover no button."""

from __future__ import annotations

import time
from collections.abc import Callable

import flet as ft
import pytest

from domain import errors
from tests import screen
from tests.views import stage
from views import component, context, routes, shell
from views.parts import buttons, toasts

pytestmark = pytest.mark.anyio


def window(said: Callable[[ft.Page], None]) -> Callable[[ft.Page], None]:
    """One screen with a button below; a touch on it says something."""

    @component.screen
    def screen_of_one() -> ft.View:
        page = ft.context.page
        return shell.frame(
            "Test",
            ft.Text("the body"),
            tab=routes.Screen.SYNC,
            bottom=buttons.primary("Send now", lambda: said(page), id="send-now"),
        )

    @ft.component
    def app() -> list[ft.View]:
        return context.provide(stage.app_context(), lambda: [screen_of_one()])

    return lambda page: page.render_views(app)


async def test_a_message_stands_between_the_body_and_the_buttons_and_covers_neither() -> None:
    async with screen.opened(window(lambda page: toasts.show(page, "Not everything yet"))) as phone:
        await phone.tap("Send now")

        assert screen.order(phone, ["the body", "Not everything yet", "Send now"]) == [
            "the body",
            "Not everything yet",
            "Send now",
        ]
        assert phone.all_of(ft.SnackBar) == []


async def test_a_message_goes_by_itself_and_a_newer_one_takes_its_place() -> None:
    said = iter([("first", 60.0), ("second", 0.0)])

    def say(page: ft.Page) -> None:
        text, seconds = next(said)
        toasts.show(page, text, seconds=seconds)

    async with screen.opened(window(say)) as phone:
        await phone.tap("Send now")
        assert phone.sees("first")
        await phone.tap("Send now")
        assert not phone.sees("first")

        await phone.until_true(lambda: not phone.sees("second"))


async def test_undo_takes_back_once_and_the_message_goes() -> None:
    undone: list[float] = []

    def take_back() -> None:
        undone.append(time.monotonic())

    async with screen.opened(window(lambda page: toasts.undo(page, "Done.", take_back))) as phone:
        await phone.tap("Send now")
        await phone.tap("Undo")

        assert len(undone) == 1
        assert not phone.sees("Done.")


async def test_a_failure_says_what_to_do_and_closes_by_hand() -> None:
    error = errors.StoreError("It can't be saved.", where="disk", hint="Free some room.")

    async with screen.opened(window(lambda page: toasts.failure(page, error))) as phone:
        await phone.tap("Send now")
        assert phone.sees("Free some room.")

        await phone.tap("Close")

        assert not phone.sees("Free some room.")
