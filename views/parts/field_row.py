"""A field that saves itself when one leaves it, says where the change is, and keeps what was typed when saving fails."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

import flet as ft

from domain import errors
from views import cells, component, strings, theme
from views.parts import cards, chips, error_card, text_field, words

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

    field = text_field.text_field(
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
