"""A change that was heard in a voice note: take it or leave it, old → new, its words and how sure the engine is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import flet as ft

from views import strings, theme
from views.parts import cards, formats, words


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """What the row shows; `heard` are the words of the transcript that it came from."""

    id: str
    field: str
    old: str
    new: str
    heard: str
    confidence: float
    taken: bool


def proposal_row(proposal: Proposal, *, on_toggle: Callable[[str, bool], None]) -> ft.Control:
    """The whole row answers to touch; `on_toggle(id, taken)`."""

    def toggle() -> None:
        on_toggle(proposal.id, not proposal.taken)

    change = ft.Text(
        spans=[
            ft.TextSpan(f"{proposal.old or formats.NOTHING}  →  ", ft.TextStyle(color=theme.INK_SOFT)),
            ft.TextSpan(proposal.new, ft.TextStyle(color=theme.INK, weight=ft.FontWeight.W_700)),
        ],
        theme_style=ft.TextThemeStyle.BODY_LARGE,
    )
    sure = formats.percent(proposal.confidence)
    middle = cards.stack(
        ft.Row(
            [words.name(proposal.field, expand=True), _sure(proposal.confidence, sure)], spacing=theme.GAP_S
        ),
        change,
        ft.Text(
            f"“{proposal.heard}”", theme_style=ft.TextThemeStyle.BODY_SMALL, color=theme.INK_SOFT, italic=True
        ),
        gap=2,
        expand=True,
    )
    box = ft.Checkbox(value=proposal.taken, on_change=toggle, width=theme.TARGET, height=theme.TARGET)
    spoken = strings.t(
        "kit.proposal.spoken",
        field=proposal.field,
        old=proposal.old or formats.NOTHING,
        new=proposal.new,
        heard=proposal.heard,
        sure=sure,
    )
    row = ft.Row([box, middle], spacing=4, vertical_alignment=ft.CrossAxisAlignment.START)
    return ft.Semantics(
        identifier=f"proposal-{proposal.id}",
        label=spoken,
        checked=proposal.taken,
        container=True,
        content=cards.card(row, on_click=toggle, padding=theme.GAP_S),
    )


def _sure(confidence: float, text: str) -> ft.Control:
    tone = theme.GOOD_TONE if confidence >= 0.8 else theme.WARN_TONE if confidence >= 0.6 else theme.BAD_TONE
    return ft.Container(
        words.label(text, color=tone.ink),
        bgcolor=tone.ground,
        border_radius=8,
        padding=ft.Padding.symmetric(horizontal=8, vertical=2),
    )
