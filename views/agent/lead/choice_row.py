"""A field with few answers: shows the present one, opens to the others in its place."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import flet as ft

from domain import errors
from views import cells, component, strings, theme
from views.parts import cards, chips, error_card, words


@component.component
def choice_row(
    label: str,
    value: str,
    options: Mapping[str, str],
    on_pick: Callable[[str], None],
    *,
    id: str,
    state: str = "",
) -> ft.Control:
    """A touch on the chosen answer takes it away; what the options do not know is shown as it is."""
    opened, problem = cells.use_cell(False), cells.use_cell("")

    def pick(chosen: str) -> Callable[[], None]:
        def picked() -> None:
            try:
                on_pick("" if chosen == value else chosen)
            except errors.JorgeError as error:
                problem.set(" ".join(error_card.explain(error)))
            else:
                problem.set("")
                opened.set(False)

        return picked

    shown = options.get(value, value) or strings.t("agent_field.unknown")
    rows: list[ft.Control] = [
        head(label, shown, lambda: opened.set(not opened.value), id=id, opened=opened.value)
    ]
    if opened.value:
        items: list[ft.Control] = [
            chips.choice(text, key == value, pick(key), id=f"{id}-{key}") for key, text in options.items()
        ]
        rows.append(ft.Row(items, spacing=theme.GAP_S, run_spacing=theme.GAP_S, wrap=True))
    if problem.value:
        rows.append(words.body(problem.value, color=theme.BAD))
    if state and state != "on_server":
        rows.append(ft.Row([chips.sync_state(state)]))
    return cards.stack(*rows, gap=theme.GAP_S)


def head(label: str, shown: str, on_click: Callable[[], None], *, id: str, opened: bool) -> ft.Control:
    """Label and present value; looks like the fields beside it."""
    inner = ft.Row(
        [
            cards.stack(words.fine(label), words.body(shown, lines=2), gap=0, expand=True),
            ft.Icon(ft.Icons.EXPAND_LESS if opened else ft.Icons.EXPAND_MORE, color=theme.INK_SOFT),
        ]
    )
    body = ft.Container(
        inner,
        bgcolor=theme.CARD,
        border=ft.Border.all(1, theme.LINE_STRONG),
        border_radius=14,
        padding=ft.Padding.symmetric(horizontal=16, vertical=8),
        ink=True,
        on_click=lambda: on_click(),
    )
    return ft.Semantics(
        identifier=f"choose-{id}", button=True, container=True, label=f"{label}: {shown}", content=body
    )
