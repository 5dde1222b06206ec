"""Where a day begins: the home place, found without a network."""

from __future__ import annotations

import flet as ft

from domain import errors
from services import places, settings
from views import cells, component, context, live, strings, theme
from views.parts import buttons, cards, error_card, marks, text_field, words


def _t(key: str, **values: object) -> str:
    return strings.t(f"agent_work.settings.{key}", **values)


def named(id: str, label: str, control: ft.Control) -> ft.Control:
    """A switch with its name for readers of the screen."""
    return ft.MergeSemantics(content=marks.mark(id, control, label=label))


@component.component
def home_section() -> ft.Control:
    app = context.use_app()
    service = app.service(settings.Settings)
    chosen = live.use_live(service.read)
    typed, problem = cells.use_cell(""), cells.use_cell("")

    def keep() -> None:
        try:
            found = app.service(places.Places).find(typed.value)
        except errors.InputError as fault:
            problem.set(" ".join(error_card.explain(fault)))
            return
        service.change(home=found)
        typed.set("")
        problem.set("")

    def change(text: str) -> None:
        typed.set(text)
        problem.set("")

    home = chosen.home
    now = home.label or f"{home.lat:.4f}, {home.lon:.4f}" if home else _t("home.none")
    head: list[ft.Control] = [
        ft.Icon(ft.Icons.HOME_OUTLINED, color=theme.INK_SOFT),
        words.name(now, expand=True),
    ]
    if home is not None:
        forget = buttons.quiet(_t("home.forget"), lambda: service.change(home=None), id="home-forget")
        head.append(forget)
    field = text_field.text_field(
        _t("home.label"),
        typed.value,
        on_change=change,
        on_submit=lambda _text: keep(),
        hint=_t("home.hint"),
        problem=problem.value,
    )
    save = buttons.secondary(_t("home.save"), keep, id="home-save", disabled=not typed.value.strip())
    rows = [cards.line(*head, gap=theme.GAP), field, cards.line(save)]
    return cards.section(_t("home"), [cards.card(cards.stack(*rows))])
