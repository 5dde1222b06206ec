"""Whom a note is about: the guess and why, two others, any other lead."""

from __future__ import annotations

from collections.abc import Callable

import flet as ft

from services.notes import LeadGuess, NoteReview
from views import cells, component, strings, theme
from views.agent import pick_lead
from views.parts import cards, chips, words


@component.component
def which_lead(review: NoteReview, choose: Callable[[str], None], key: str = "") -> ft.Control:
    del key
    picking = cells.use_cell(False)

    def take(lead_id: str, name: str) -> None:
        del name
        picking.set(False)
        choose(lead_id)

    title = strings.t("agent_work.review.about")
    if picking.value:
        return cards.card(pick_lead.pick_lead(take))
    rows: list[ft.Control] = [words.label(title, color=theme.INK_SOFT), _chosen(review.guess)]
    others = [
        chips.choice(guess.name, False, _chooser(choose, guess.lead_id), id=f"lead-{guess.lead_id}")
        for guess in review.alternatives
    ]
    other = strings.t("agent_work.voice.other")
    others.append(
        chips.choice(other, False, lambda: picking.set(True), id="lead-other", icon=ft.Icons.SEARCH)
    )
    rows.append(cards.line(*others, wrap=True))
    return cards.card(cards.stack(*rows, gap=theme.GAP_S))


def _chooser(choose: Callable[[str], None], lead_id: str) -> Callable[[], None]:
    return lambda: choose(lead_id)


def _chosen(guess: LeadGuess | None) -> ft.Control:
    if guess is None:
        return words.body(strings.t("agent_work.review.no_lead"))
    return cards.line(
        ft.Icon(ft.Icons.PERSON, color=theme.BRAND, size=24),
        cards.stack(words.heading(guess.name), words.fine(guess.why, lines=2), gap=0, expand=True),
        gap=theme.GAP,
    )
