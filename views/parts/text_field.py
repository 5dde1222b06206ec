"""The product's text field. What a person types is theirs: a drawing that knows less than the keyboard takes nothing back."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Coroutine
from dataclasses import dataclass

import flet as ft

from views import component, theme

Heard = Callable[[str], None]


@dataclass(slots=True)
class _Memory:
    """Of one field, from one drawing to the next."""

    said: str  # what its screen is known to hold
    drawn: ft.TextField | None = None  # Flet keeps its value up to the newest keystroke


def _border() -> dict[ft.ControlState, ft.InputBorder]:
    def edge(color: str, width: int) -> ft.OutlineInputBorder:
        return ft.OutlineInputBorder(border_radius=14, side=ft.BorderSide(width, color))

    return {
        ft.ControlState.DEFAULT: edge(theme.LINE_STRONG, 1),
        ft.ControlState.FOCUSED: edge(theme.BRAND, 2),
        ft.ControlState.ERROR: edge(theme.BAD, 2),
    }


def text_field(
    label: str,
    value: str,
    *,
    on_change: Heard | None = None,
    on_submit: Callable[[str], object] | None = None,
    on_blur: Callable[[], object] | None = None,
    hint: str = "",
    problem: str = "",
    keyboard: ft.KeyboardType = ft.KeyboardType.TEXT,
    password: bool = False,
    lines: int = 1,
    icon: ft.IconData | None = None,
    autofill: ft.AutofillHint | None = None,
    autofocus: bool = False,
    read_only: bool = False,
) -> ft.Control:
    """Rounded, filled, named by its label; `problem` is shown below it. `value` is what the screen holds.

    A client tells of a keystroke in two messages: first the field's value, then `change`. Flet compares a drawing with
    the former; a screen that is drawn between the two (by a tick, by sync, by the letter before) would send the older
    words back to the keyboard. So the screen's value is shown only where the screen changed it.
    """

    def draw(shown: str, heard: Heard | None) -> ft.TextField:
        return ft.TextField(
            label=label,
            value=shown,
            on_change=(lambda event: heard(event.control.value)) if heard else None,
            on_submit=_submitted(on_submit) if on_submit else None,
            on_blur=on_blur,
            hint_text=hint or None,
            error=problem or None,
            error_max_lines=3,
            keyboard_type=keyboard,
            password=password,
            can_reveal_password=password,
            multiline=lines > 1,
            min_lines=lines if lines > 1 else None,
            max_lines=lines * 3 if lines > 1 else 1,
            prefix_icon=icon,
            autofill_hints=autofill,
            autofocus=autofocus,
            read_only=read_only,
            filled=True,
            fill_color=theme.CARD,
            border=_border(),
            text_size=17,
            color=theme.INK,
            label_style=ft.TextStyle(color=theme.INK_SOFT),
            content_padding=ft.Padding.symmetric(horizontal=16, vertical=16),
        )

    return _remembering(value, on_change, draw, key=label)


def _submitted(
    on_submit: Callable[[str], object],
) -> Callable[[ft.Event[ft.TextField]], Coroutine[object, object, None]]:
    async def submitted(event: ft.Event[ft.TextField]) -> None:
        done = on_submit(event.control.value)
        if inspect.isawaitable(done):
            await done

    return submitted


@component.component
def _remembering(
    value: str, on_change: Heard | None, draw: Callable[[str, Heard | None], ft.TextField]
) -> ft.Control:
    memory = ft.use_memo(lambda: _Memory(value), [])
    shown = value
    if memory.drawn is not None and value == memory.said:
        shown = memory.drawn.value
    memory.said = value

    def heard(text: str) -> None:
        memory.said = text
        if on_change:
            on_change(text)

    memory.drawn = field = draw(shown, heard if on_change else None)
    return field
