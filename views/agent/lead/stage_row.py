"""The lead's stage: a touch moves it; where the rules want a reason, it is asked for first."""

from __future__ import annotations

from collections.abc import Callable

import flet as ft

from domain import errors
from views import cells, component, strings, theme
from views.agent import lead_words
from views.parts import buttons, cards, chips, error_card, text_field, words


@component.component
def stage_row(stage: str, reason: str, on_save: Callable[[str, str], None], state: str) -> ft.Control:
    """`on_save(stage, reason)` raises RuleError where a reason is missing."""
    wanted, typed, problem = cells.use_cell(""), cells.use_cell(""), cells.use_cell("")

    def save(new: str, why: str) -> None:
        try:
            on_save(new, why)
        except errors.JorgeError as error:
            wanted.set(new)
            problem.set(" ".join(error_card.explain(error)))
        else:
            wanted.set("")
            typed.set("")
            problem.set("")

    def to(new: str) -> Callable[[], None]:
        return lambda: save(new, "") if new != stage else wanted.set("")

    items: list[ft.Control] = [
        chips.choice(lead_words.stage(name), name == (wanted.value or stage), to(name), id=f"stage-{name}")
        for name in lead_words.STAGES
    ]
    rows: list[ft.Control] = [ft.Row(items, spacing=theme.GAP_S, run_spacing=theme.GAP_S, wrap=True)]
    if wanted.value:
        rows += _ask(wanted, typed, problem, lambda: save(wanted.value, typed.value))
    elif reason:
        rows.append(words.soft(strings.t("agent_field.lead.reason", reason=reason), lines=3))
    if state and state != "on_server":
        rows.append(ft.Row([chips.sync_state(state)]))
    return cards.card(cards.stack(*rows))


def _ask(
    wanted: cells.Cell[str], typed: cells.Cell[str], problem: cells.Cell[str], save: Callable[[], None]
) -> list[ft.Control]:
    field = text_field.text_field(
        strings.t("agent_field.field.stage_reason"),
        typed.value,
        on_change=typed.set,
        problem=problem.value if not typed.value else "",
    )
    move = strings.t("agent_field.lead.move", stage=lead_words.stage(wanted.value))
    return [
        field,
        ft.Row(
            [
                buttons.secondary(move, lambda: save(), id="save-stage"),
                buttons.quiet(strings.t("kit.cancel"), lambda: wanted.set(""), id="cancel-stage"),
            ],
            spacing=theme.GAP_S,
        ),
    ]
