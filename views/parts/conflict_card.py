"""Two values for one thing: yours and the office's, with author and time; a person chooses, nothing is thrown away."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import flet as ft

from views import strings, theme
from views.parts import buttons, cards, chips, marks, words


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One of the two values, ready to be read."""

    value: str
    author: str
    when: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflict:
    """What the card shows. `effect` says what the choice changes (score, money)."""

    id: str
    lead: str
    field: str
    yours: Side
    office: Side
    effect: str = ""
    may_keep_both: bool = False


Choose = Callable[[str, str], None]


def _side(title: str, side: Side, tone: theme.Tone, *, expand: bool = False) -> ft.Control:
    return ft.Container(
        cards.stack(
            words.label(title, color=tone.ink),
            ft.Text(side.value, theme_style=ft.TextThemeStyle.TITLE_LARGE, color=tone.ink),
            words.fine(f"{side.author} · {side.when}", color=tone.ink, lines=2),
            gap=2,
        ),
        bgcolor=tone.ground,
        border_radius=12,
        padding=theme.GAP,
        expand=expand or None,
    )


def _sides(conflict: Conflict) -> ft.Control:
    """Beside each other where there is room for two; else below."""
    wide = (ft.context.page.width or 0) >= theme.WIDE_FROM
    yours = _side(strings.t("kit.conflict.yours"), conflict.yours, theme.BRANDED, expand=wide)
    office = _side(strings.t("kit.conflict.office"), conflict.office, theme.PLAIN, expand=wide)
    if not wide:
        return cards.stack(yours, office, gap=theme.GAP_S)
    return ft.Row(
        [yours, office],
        spacing=theme.GAP_S,
        intrinsic_height=True,
        vertical_alignment=ft.CrossAxisAlignment.STRETCH,
    )


def conflict_card(
    conflict: Conflict, *, on_choose: Choose, on_open: Callable[[str], None] | None = None
) -> ft.Control:
    """`on_choose(conflict id, "mine" | "office" | "both")`."""
    head = ft.Row(
        [
            cards.stack(words.name(conflict.field), words.soft(conflict.lead, lines=1), gap=0, expand=True),
            chips.sync_state("needs_you"),
        ],
        vertical_alignment=ft.CrossAxisAlignment.START,
    )
    rows: list[ft.Control] = [head, _sides(conflict)]
    if conflict.effect:
        rows.append(words.soft(conflict.effect))
    rows += [_choices(conflict, on_choose), words.fine(strings.t("kit.conflict.kept"), lines=2)]
    card = cards.card(
        cards.stack(*rows), on_click=(lambda: on_open(conflict.id)) if on_open is not None else None
    )
    return marks.mark(f"conflict-{conflict.id}", card)


def _choices(conflict: Conflict, on_choose: Choose) -> ft.Control:
    def choice(key: str) -> Callable[[], None]:
        return lambda: on_choose(conflict.id, key)

    items = [
        buttons.secondary(strings.t("kit.conflict.keep_mine"), choice("mine"), id=f"keep-mine-{conflict.id}"),
        buttons.outlined(
            strings.t("kit.conflict.use_office"), choice("office"), id=f"use-office-{conflict.id}"
        ),
    ]
    if conflict.may_keep_both:
        items.append(
            buttons.quiet(strings.t("kit.conflict.both"), choice("both"), id=f"keep-both-{conflict.id}")
        )
    return ft.Row(items, spacing=theme.GAP_S, run_spacing=theme.GAP_S, wrap=True)
