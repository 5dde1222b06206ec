"""Two values for one thing, each with its author and time; a person takes one, and nothing is thrown away."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import flet as ft

from views import strings, theme
from views.parts import buttons, cards, chips, marks, words


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One of the two values, ready to be read. `counts`: it is what everybody sees now; `take`: the words of its button."""

    title: str
    value: str
    when: str
    take: str
    counts: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflict:
    """What the card shows: `one` is this person's where one of them is. `decided`: nobody has to act."""

    id: str
    lead: str
    field: str
    one: Side
    other: Side
    effect: str = ""
    decided: bool = False


Choose = Callable[[str, str], None]


def conflict_card(
    conflict: Conflict, *, on_choose: Choose, on_open: Callable[[str], None] | None = None
) -> ft.Control:
    """`on_choose(conflict id, "one" | "other")`."""
    state = (
        chips.chip(strings.t("sync.conflict.decided"), tone=theme.GOOD_TONE, icon=ft.Icons.CHECK)
        if conflict.decided
        else chips.sync_state("needs_you")
    )
    heads: list[ft.Control] = [words.name(conflict.field)]
    if conflict.lead:
        heads.append(words.soft(conflict.lead, lines=1))
    head = ft.Row(
        [cards.stack(*heads, gap=0, expand=True), state], vertical_alignment=ft.CrossAxisAlignment.START
    )
    rows: list[ft.Control] = [head, _sides(conflict, on_choose)]
    if conflict.effect:
        rows.append(words.soft(conflict.effect))
    rows.append(words.fine(strings.t("sync.conflict.kept"), lines=2))
    card = cards.card(
        cards.stack(*rows), on_click=(lambda: on_open(conflict.id)) if on_open is not None else None
    )
    return marks.mark(f"conflict-{conflict.id}", card)


def _sides(conflict: Conflict, on_choose: Choose) -> ft.Control:
    """Beside each other where there is room for two; else below."""
    wide = (ft.context.page.width or 0) >= theme.WIDE_FROM
    sides = [
        _side(conflict, which, side, on_choose, expand=wide)
        for which, side in (("one", conflict.one), ("other", conflict.other))
    ]
    if not wide:
        return cards.stack(*sides, gap=theme.GAP_S)
    return ft.Row(
        sides, spacing=theme.GAP_S, intrinsic_height=True, vertical_alignment=ft.CrossAxisAlignment.STRETCH
    )


def _side(conflict: Conflict, which: str, side: Side, on_choose: Choose, *, expand: bool) -> ft.Control:
    tone = theme.BRANDED if which == "one" else theme.PLAIN
    title: list[ft.Control] = [words.label(side.title, color=tone.ink, expand=True)]
    if side.counts:
        title.append(chips.chip(strings.t("sync.conflict.counts"), tone=theme.GOOD_TONE))
    rows: list[ft.Control] = [
        ft.Row(title, height=28),
        ft.Text(side.value, theme_style=ft.TextThemeStyle.TITLE_LARGE, color=tone.ink),
        words.fine(side.when, color=tone.ink, lines=2),
    ]
    if side.take:
        button = buttons.outlined(
            side.take,
            lambda: on_choose(conflict.id, which),
            id=f"take-{which}-{conflict.id}",
            expand=True,
        )
        rows.append(ft.Container(ft.Row([button]), padding=ft.Padding.only(top=theme.GAP_S)))
    return ft.Container(
        cards.stack(*rows, gap=2),
        bgcolor=tone.ground,
        border_radius=12,
        padding=theme.GAP,
        expand=expand or None,
    )
