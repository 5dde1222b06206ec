"""One lead in a list: rank, name, temperature, distance, why; a touch opens it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import flet as ft

from views import component, strings, theme
from views.parts import cards, chips, reason_bars, words


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadCard:
    """What a row shows of a lead; all of it is words and numbers that are ready to be shown."""

    id: str
    name: str
    temperature: str = ""
    detail: str = ""
    rank: float | None = None
    place: str = ""
    badges: tuple[str, ...] = ()
    warning: str = ""
    reasons: tuple[reason_bars.Reason, ...] = ()
    sync: str = ""


def _rank(value: float | None) -> ft.Control:
    if value is None:
        return ft.Container(
            ft.Icon(ft.Icons.PERSON_OUTLINE, color=theme.INK_SOFT, size=24),
            width=theme.TARGET,
            height=theme.TARGET,
            bgcolor=theme.SUNK,
            border_radius=14,
            alignment=ft.Alignment.CENTER,
        )
    return ft.Container(
        ft.Text(f"{value:.0f}", theme_style=ft.TextThemeStyle.TITLE_LARGE, color=theme.ON_BRAND_SOFT),
        width=theme.TARGET,
        height=theme.TARGET,
        bgcolor=theme.BRAND_SOFT,
        border_radius=14,
        alignment=ft.Alignment.CENTER,
        tooltip=strings.t("kit.lead.rank", rank=f"{value:.1f}"),
    )


def _tags(card: LeadCard) -> list[ft.Control]:
    tags: list[ft.Control] = [chips.temperature(card.temperature)] if card.temperature else []
    tags += [chips.chip(badge) for badge in card.badges]
    if card.warning:
        tags.append(chips.chip(card.warning, tone=theme.WARN_TONE, icon=ft.Icons.TIMER_OUTLINED))
    if card.sync and card.sync != "on_server":
        tags.append(chips.sync_state(card.sync))
    return tags


def _head(card: LeadCard) -> ft.Control:
    right = [words.label(card.place, color=theme.INK_SOFT)] if card.place else []
    lines: list[ft.Control] = [ft.Row([words.name(card.name, expand=True), *right], spacing=theme.GAP_S)]
    if card.detail:
        lines.append(words.soft(card.detail, lines=1))
    return ft.Row(
        [_rank(card.rank), ft.Column(lines, spacing=0, tight=True, expand=True)],
        spacing=theme.GAP,
        vertical_alignment=ft.CrossAxisAlignment.CENTER,
    )


def spoken(card: LeadCard) -> str:
    """The card in one sentence, for readers of the screen."""
    warmth = strings.t(f"kit.temperature.{card.temperature}") if card.temperature else ""
    rank = strings.t("kit.lead.rank", rank=f"{card.rank:.0f}") if card.rank is not None else ""
    parts = (card.name, warmth, rank, card.place, card.detail, card.warning)
    return ", ".join(part for part in parts if part)


def content(card: LeadCard) -> list[ft.Control]:
    """What stands in the card, for screens that put more below it."""
    body: list[ft.Control] = [_head(card)]
    tags = _tags(card)
    if tags:
        body.append(ft.Row(tags, spacing=6, run_spacing=6, wrap=True))
    if card.reasons and card.rank is not None:
        body.append(reason_bars.reason_bars(card.rank, card.reasons))
    return body


def _lead_row(card: LeadCard, on_open: Callable[[str], None]) -> ft.Control:
    return ft.Semantics(
        identifier=f"lead-{card.id}",
        label=spoken(card),
        button=True,
        container=True,
        content=cards.card(cards.stack(*content(card)), on_click=lambda: on_open(card.id)),
    )


lead_row = component.memo(component.component(_lead_row))
"""Drawn again only when its card changes: give it `key=card.id` and the same `on_open` on every render."""
