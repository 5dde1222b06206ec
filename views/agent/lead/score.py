"""The score with every reason, what nobody knows yet, and the four answers."""

from __future__ import annotations

import math
from collections.abc import Mapping

import flet as ft

from domain import scoring
from services import leads
from views import component, strings, theme
from views.parts import cards, chips, marks, words


@component.component
def score_card(score: scoring.Score, temperature: str) -> ft.Control:
    """The known terms one by one; the unknown ones together, by name."""
    points = dict(zip(score.terms, shown_points(score), strict=True))
    known = [term for term in score.terms if term.known]
    unknown = [term for term in score.terms if not term.known]
    head = ft.Row(
        [
            words.figure(f"{score.value:.0f}"),
            words.soft(strings.t("agent_field.score.of")),
            ft.Container(expand=True),
            chips.temperature(temperature),
        ],
        vertical_alignment=ft.CrossAxisAlignment.CENTER,
    )
    rows: list[ft.Control] = [head, *[_term(term, points[term]) for term in known]]
    if unknown:
        rows.append(_unknown(unknown, sum(points[term] for term in unknown)))
    rows.append(_sum(score, points))
    return marks.mark("score", cards.card(cards.stack(*rows)))


def shown_points(score: scoring.Score) -> tuple[float, ...]:
    """One decimal each, so that what is shown sums exactly to the shown score (largest remainder)."""
    raw = [term.points * 10 for term in score.terms]
    tenths = [math.floor(value) for value in raw]
    order = sorted(range(len(raw)), key=lambda i: tenths[i] - raw[i])
    for i in order[: max(0, round(score.value * 10) - sum(tenths))]:
        tenths[i] += 1
    return tuple(value / 10 for value in tenths)


def _signed(points: float) -> str:
    return f"{points:+.1f}".replace("-", "−") if points else "0.0"


def _sum(score: scoring.Score, points: Mapping[scoring.Term, float]) -> ft.Control:
    total = " ".join(_signed(points[term]) for term in score.terms)
    spoken = "; ".join(f"{term.label} {_signed(points[term])}" for term in score.terms)
    return marks.picture(
        strings.t("agent_field.score.spoken", total=f"{score.value:.1f}", terms=spoken),
        words.fine(f"{total} = {score.value:.1f}", lines=3),
        identifier="score-sum",
    )


def _term(term: scoring.Term, points: float) -> ft.Control:
    detail = [words.fine(term.detail, lines=2)] if term.detail else []
    return ft.Row(
        [
            cards.stack(words.label(term.label), *detail, gap=0, expand=True),
            words.name(_signed(points), color=theme.INK if points >= 0 else theme.BAD),
        ],
        key=term.name,
    )


def _unknown(terms: list[scoring.Term], points: float) -> ft.Control:
    note = strings.t("agent_field.score.unknown", points=_signed(round(points, 1)))
    items: list[ft.Control] = [chips.chip(term.label, icon=ft.Icons.HELP_OUTLINE) for term in terms]
    return cards.stack(
        words.fine(note, lines=2), ft.Row(items, spacing=6, run_spacing=6, wrap=True), gap=theme.GAP_S
    )


@component.component
def answers_card(found: leads.Qualification) -> ft.Control:
    """The four questions; what is not answered is said to be so."""
    rows: list[ft.Control] = [_answer(name, answer) for name, answer in found.questions]
    quality = (
        strings.t("agent_field.answers.quality", quality=f"{found.quality:.0%}".replace("%", " %"))
        if found.quality is not None
        else strings.t("agent_field.answers.no_quality")
    )
    count = strings.t("agent_field.answers.count", n=found.answered, total=len(found.questions))
    head = ft.Row(
        [
            words.name(count, expand=True),
            chips.chip(
                strings.t("agent_field.qualified" if found.is_qualified else "agent_field.not_qualified"),
                tone=theme.GOOD_TONE if found.is_qualified else theme.PLAIN,
            ),
        ]
    )
    note = words.fine(quality, lines=2)
    return marks.mark("answers", cards.card(cards.stack(head, *rows, note)))


def _answer(name: str, answer: str | None) -> ft.Control:
    done = answer is not None
    icon = ft.Icons.CHECK_CIRCLE if done else ft.Icons.RADIO_BUTTON_UNCHECKED
    said = answer if answer is not None else strings.t("agent_field.answers.open")
    return ft.Row(
        [
            ft.Icon(icon, size=20, color=theme.GOOD if done else theme.INK_SOFT),
            ft.Container(words.label(strings.t(f"agent_field.question.{name}")), width=104),
            words.body(said, color=theme.INK if done else theme.INK_SOFT, lines=2, expand=True),
        ],
        spacing=theme.GAP_S,
        key=name,
    )
