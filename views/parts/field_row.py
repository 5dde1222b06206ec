"""A field that saves itself when one leaves it, says where the change is, and keeps what was typed when saving fails."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

import flet as ft

from domain import errors
from views import cells, component, strings, theme
from views.parts import cards, chips, error_card, words

LOG = logging.getLogger(__name__)
Save = Callable[[str], Awaitable[None] | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Draft:
    base: str
    text: str
    problem: str = ""
    saved: bool = False

    @property
    def dirty(self) -> bool:
        return self.text != self.base


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
    on_change: Callable[[str], None] | None = None,
    on_submit: Callable[[str], None] | None = None,
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
) -> ft.TextField:
    """The product's text field: rounded, filled, named by its label; `problem` is shown below it."""
    return ft.TextField(
        label=label,
        value=value,
        on_change=(lambda event: on_change(event.control.value)) if on_change else None,
        on_submit=(lambda event: on_submit(event.control.value)) if on_submit else None,
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


def _field_row(
    label: str,
    value: str,
    on_save: Save,
    *,
    hint: str = "",
    keyboard: ft.KeyboardType = ft.KeyboardType.TEXT,
    lines: int = 1,
    state: str = "",
    note: str = "",
) -> ft.Control:
    cell = cells.use_cell(_Draft(base=value, text=value))
    if value != cell.value.base and not cell.value.dirty:
        cell.settle(_Draft(base=value, text=value, saved=cell.value.saved))
    draft = cell.value

    async def save() -> None:
        typed = cell.value
        if not typed.dirty:
            return
        try:
            done = on_save(typed.text)
            if inspect.isawaitable(done):
                await done
        except errors.JorgeError as error:
            LOG.info("field.rejected error=%s", type(error).__name__)
            cell.set(replace(typed, problem=" ".join(error_card.explain(error))))
        else:
            cell.set(_Draft(base=typed.text, text=cell.value.text, saved=True))

    field = text_field(
        label,
        draft.text,
        on_change=lambda text: cell.change(lambda old: replace(old, text=text, problem="")),
        on_blur=save,
        hint=hint,
        problem=draft.problem,
        keyboard=keyboard,
        lines=lines,
    )
    rows: list[ft.Control] = [field]
    foot = _foot(draft, state, note)
    if foot:
        rows.append(ft.Row(foot, spacing=theme.GAP_S))
    return cards.stack(*rows, gap=6)


def _foot(draft: _Draft, state: str, note: str) -> list[ft.Control]:
    shown = state or ("on_phone" if draft.saved else "")
    foot: list[ft.Control] = []
    if draft.dirty and not draft.problem:
        foot.append(words.fine(strings.t("kit.field.editing")))
    elif shown and shown != "on_server":
        foot.append(chips.sync_state(shown))
    if note:
        foot.append(words.fine(note, lines=2, expand=True))
    return foot


field_row = component.component(_field_row)
"""`field_row(label, value, on_save, key=…)`; `on_save` may be async and raises InputError to refuse a value."""
