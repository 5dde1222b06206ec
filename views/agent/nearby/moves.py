"""One move: whom to see, why, until when they may be called, and the three ways to do it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime

import flet as ft

from services import nearby
from views import cells, component, strings, theme
from views.agent import lead_reach, lead_words
from views.parts import buttons, cards, formats, lead_row, reason_bars

_KM_PER_MILE = 1.609344
Act = Callable[[str, str], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """What a card shows; `opened` = its reasons are shown from the start."""

    card: lead_row.LeadCard
    call: bool
    text: bool
    go: bool
    opened: bool


def move(lead: nearby.NearbyLead, now: datetime, *, opened: bool) -> Move:
    """A ranked lead in words."""
    card = lead_row.LeadCard(
        id=lead.id,
        name=lead.name,
        temperature=lead.temperature,
        detail=lead_words.joined(lead.address or lead_words.kind(lead.kind), formats.money(lead.price_cents))
        if lead.price_cents
        else lead.address or lead_words.kind(lead.kind),
        rank=lead.rank,
        place=_place(lead),
        badges=_badges(lead),
        warning=lead_words.clock(lead.answer_due_at, now),
        reasons=reasons(lead),
        sync=lead.sync.value,
    )
    return Move(
        card=card, call=lead.call_allowed, text=lead.text_allowed, go=lead.km is not None, opened=opened
    )


def _place(lead: nearby.NearbyLead) -> str:
    if lead.km is None:
        return ""
    return lead_words.joined(formats.minutes(lead.minutes), formats.miles(lead.km / _KM_PER_MILE))


def _badges(lead: nearby.NearbyLead) -> tuple[str, ...]:
    said = lead_words.hours(
        lead.contact_text, call=lead.call_allowed, text=lead.text_allowed, opted_out=lead.opted_out
    )
    qualified = (strings.t("agent_field.qualified"),) if lead.qualified else ()
    return (*qualified, said)


def reasons(lead: nearby.NearbyLead) -> tuple[reason_bars.Reason, ...]:
    """The three bars with the values behind them."""
    unknown = strings.t("agent_field.unknown")
    values = {
        "score": unknown if lead.score is None else f"{lead.score:.0f} / 100",
        "urgency": next(iter(lead.reasons), ""),
        "distance": strings.t("agent_field.not_counted")
        if lead.minutes is None
        else formats.minutes(lead.minutes),
    }
    return tuple(
        reason_bars.Reason(label=bar.label, value=_short(values[bar.name]), share=bar.factor, lost=bar.lost)
        for bar in lead.bars
    )


def _short(value: str) -> str:
    """The bars have little room: "answer due in 4 h" is said as "4 h"."""
    first = value.split(",")[0]
    for word, short in (("overdue by ", "late "), ("due in ", "in ")):
        if word in first:
            return short + first.split(word)[1]
    return first


def _move_card(shown: Move, on_open: Callable[[str], None], act: Act) -> ft.Control:
    asked = cells.use_cell(False)
    opened = asked.value or shown.opened
    card = shown.card if opened else replace(shown.card, reasons=())
    upper = ft.Semantics(
        identifier=f"lead-{card.id}",
        label=lead_row.spoken(card),
        button=True,
        container=True,
        content=ft.Container(
            cards.stack(*lead_row.content(card)),
            padding=ft.Padding.only(left=theme.GAP_L, right=theme.GAP_L, top=theme.GAP_L, bottom=theme.GAP),
            ink=True,
            on_click=lambda: on_open(card.id),
        ),
    )
    rows: list[ft.Control] = [upper]
    if not opened:
        why = buttons.quiet(
            strings.t("agent_field.why"),
            lambda: asked.set(True),
            icon=ft.Icons.EXPAND_MORE,
            id=f"why-{card.id}",
        )
        rows.append(ft.Row([why]))
    rows.append(_ways(shown, act))
    return cards.card(ft.Column(rows, spacing=0, tight=True), padding=0)


def _ways(shown: Move, act: Act) -> ft.Control:
    lead_id = shown.card.id

    def doing(way: str) -> Callable[[], Awaitable[None]]:
        async def done() -> None:
            await act(way, lead_id)

        return done

    ways = [(lead_reach.CALL, shown.call), (lead_reach.TEXT, shown.text)]
    if shown.go:
        ways.append((lead_reach.GO, True))
    items = [lead_reach.button(way, doing(way), allowed=ok, id=f"{way}-{lead_id}") for way, ok in ways]
    return ft.Container(
        ft.Row(items, spacing=theme.GAP_S),
        padding=ft.Padding.only(left=theme.GAP, right=theme.GAP, bottom=theme.GAP),
    )


move_card = component.memo(component.component(_move_card))
"""Drawn again only when the move changes: give it a `key`, and the same functions on each render."""
