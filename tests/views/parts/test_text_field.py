"""What a person types is theirs: no drawing takes a letter back."""

from __future__ import annotations

from collections.abc import Callable

import flet as ft
import pytest

from tests import screen
from views.parts import text_field

pytestmark = pytest.mark.anyio


async def test_a_screen_drawn_anew_between_a_keystroke_and_its_event_loses_nothing() -> None:
    """A client tells of a keystroke in two messages: the field's value, then the event. A tick may come between."""
    form = TypedForm()
    async with screen.drawn(form.draw) as shown:
        await shown.type("Title", "Prin")
        control = shown.find("Title", ft.TextField)[-1]
        shown.session.apply_patch(control._i, {"value": "Print"})
        form.tick()
        await shown.settle()
        assert words_in(shown) == "Print"

        await shown.event(shown.find("Title", ft.TextField)[-1], "change", "Print")
        await shown.settle()

        assert form.typed == "Print"


async def test_a_quick_typist_is_not_set_back_by_the_drawing_of_the_letter_before() -> None:
    form = TypedForm()
    async with screen.drawn(form.draw) as shown:
        control = shown.find("Title", ft.TextField)[-1]
        shown.session.apply_patch(control._i, {"value": "P"})
        await shown.event(control, "change", "P")  # asks for a drawing, which comes after the next letter
        shown.session.apply_patch(control._i, {"value": "Pr"})
        await shown.settle()
        assert words_in(shown) == "Pr"

        await shown.event(shown.find("Title", ft.TextField)[-1], "change", "Pr")
        await shown.settle()

        assert form.typed == "Pr"


async def test_a_field_that_its_screen_empties_is_empty_also_when_it_was_never_drawn_full() -> None:
    form = TypedForm()
    async with screen.drawn(form.draw) as shown:
        control = shown.find("Title", ft.TextField)[-1]
        shown.session.apply_patch(control._i, {"value": "done"})
        await shown.event(control, "change", "done")
        form.put("")  # as Enter does, before anything was drawn
        await shown.settle()

        assert words_in(shown) == ""


class TypedForm:
    """A form that keeps each letter, and is drawn anew when something else changes."""

    def __init__(self) -> None:
        self.typed = ""
        self._tick: Callable[[Callable[[int], int]], None] = lambda step: None

    def tick(self) -> None:
        self._tick(lambda n: n + 1)

    def put(self, text: str) -> None:
        self.typed = text
        self.tick()

    def draw(self) -> ft.Control:
        @ft.component
        def form() -> ft.Control:
            _, self._tick = ft.use_state(0)
            return ft.Column([text_field.text_field("Title", self.typed, on_change=self.put)])

        return form()


def words_in(shown: screen.Screen) -> str:
    field = shown.find("Title", ft.TextField)[-1]
    assert isinstance(field, ft.TextField)
    return field.value
