"""A field saves when it is left, keeps what was typed when that fails, and never overwrites half a word."""

from __future__ import annotations

from collections.abc import Callable

import flet as ft
import pytest

from domain import errors
from tests import screen
from views.parts import field_row

pytestmark = pytest.mark.anyio


class Form:
    """A form whose value comes from outside."""

    def __init__(self) -> None:
        self.saved: list[str] = []
        self.set_value: Callable[[str], None] = lambda text: None

    async def save(self, text: str) -> None:
        if text == "free":
            raise errors.InputError("A price is a number.", hint="Enter dollars.")
        self.saved.append(text)

    def draw(self) -> ft.Control:
        @ft.component
        def form() -> ft.Control:
            value, self.set_value = ft.use_state("690")
            return field_row.field_row("Price", value, self.save)

        return form()


async def test_leaving_the_field_saves_it() -> None:
    form = Form()
    async with screen.drawn(form.draw) as shown:
        await shown.type("Price", "640")
        assert form.saved == []
        assert shown.sees("Saves when you leave the field")

        await shown.leave("Price")

        assert form.saved == ["640"]
        assert shown.sees("On computer")


async def test_leaving_without_a_change_saves_nothing() -> None:
    form = Form()
    async with screen.drawn(form.draw) as shown:
        await shown.leave("Price")

        assert form.saved == []


async def test_a_refused_value_says_why_and_stays_typed() -> None:
    form = Form()
    async with screen.drawn(form.draw) as shown:
        await shown.fill("Price", "free")

        field = shown.find("Price", ft.TextField)[-1]
        assert isinstance(field, ft.TextField)
        assert (field.value, field.error) == ("free", "A price is a number. Enter dollars.")


async def test_a_value_from_the_server_is_shown_but_not_over_half_a_word() -> None:
    form = Form()
    async with screen.drawn(form.draw) as shown:
        form.set_value("700")
        await shown.settle()
        assert shown.sees("700")

        await shown.type("Price", "71")
        form.set_value("800")
        await shown.settle()

        assert shown.sees("71")
        assert not shown.sees("800")


async def test_what_is_typed_right_before_leaving_is_saved() -> None:
    form = Form()
    async with screen.drawn(form.draw) as shown:
        control = shown.find("Price", ft.TextField)[-1]
        shown.session.apply_patch(control._i, {"value": "655"})

        await shown.event(control, "change", "655")
        await shown.event(control, "blur", None)  # before anything was drawn again
        await shown.settle()

        assert form.saved == ["655"]
