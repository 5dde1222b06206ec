"""The lead's property, what it may be worth by sales around, and the deal."""

from __future__ import annotations

from collections.abc import Sequence

import flet as ft

from services import leads
from views import cells, component, context, live, strings, theme
from views.agent import lead_words
from views.parts import buttons, cards, chips, empty_state, error_card, formats, marks, progress, words

_KM_PER_MILE = 1.609344
_SHOWN = 4


@component.component
def comps_part(lead: leads.LeadFacts, owned: Sequence[leads.PropertyItem]) -> ft.Control:
    """Worked out beside the screen's own thread; says "estimate" and never a number without its sales."""
    service = context.use_app().service(leads.Leads)
    found = live.use_live_async(
        lambda: service.comps(lead.id), lead.id, lead.lat, lead.lon, tables=("properties",)
    )
    rows: list[ft.Control] = [_property(item) for item in owned]
    if found.error is not None:
        rows.append(error_card.error_card(found.error))
    elif found.value is None:
        rows.append(progress.waiting(strings.t("agent_field.comps.loading")))
    elif found.value.value_cents is None:
        why = found.value.why_not or strings.t("agent_field.comps.none")
        rows.append(cards.card(empty_state.no_data(strings.t("agent_field.comps.none"), why)))
    else:
        rows.append(_estimate(found.value))
    return marks.mark("comps", cards.section(strings.t("agent_field.lead.worth"), rows))


def _property(item: leads.PropertyItem) -> ft.Control:
    size = lead_words.joined(
        strings.t("agent_field.beds", n=f"{item.beds:g}") if item.beds is not None else "",
        strings.t("agent_field.baths", n=f"{item.baths:g}") if item.baths is not None else "",
        strings.t("agent_field.sqft", n=f"{item.sqft:,}") if item.sqft else "",
        strings.t("agent_field.built", year=item.year_built) if item.year_built else "",
    )
    price = formats.money(item.price_cents, exact=True) if item.price_cents else ""
    rows: list[ft.Control] = [
        ft.Row(
            [
                words.name(item.address or strings.t("agent_field.sales.no_address"), expand=True),
                chips.chip(item.status),
            ]
        ),
        words.soft(lead_words.joined(price, size) or strings.t("agent_field.house.unknown"), lines=2),
    ]
    return ft.Container(cards.card(cards.stack(*rows, gap=2)), key=item.id)


def _estimate(found: leads.CompsView) -> ft.Control:
    span = f"{formats.money(found.low_cents)} – {formats.money(found.high_cents)}"
    count = strings.count("agent_field.comps.n", len(found.items))
    rows: list[ft.Control] = [
        words.label(strings.t("agent_field.comps.estimate"), color=theme.INK_SOFT),
        ft.Row(
            [words.figure(formats.money(found.value_cents)), words.soft(span, lines=1)],
            spacing=theme.GAP,
            wrap=True,
            run_spacing=0,
        ),
        ft.Row(
            [
                chips.chip(count),
                *(
                    [chips.chip(strings.t(f"agent_field.comps.sure.{found.confidence}"))]
                    if found.confidence
                    else []
                ),
                *(
                    [chips.chip(strings.t("kit.as_of", when=f"{found.as_of:%-d %b %Y}"))]
                    if found.as_of
                    else []
                ),
            ],
            spacing=6,
            run_spacing=6,
            wrap=True,
        ),
        words.fine(found.searched, lines=4),
    ]
    return cards.card(cards.stack(*rows, _sales_of(found, key="sales")))


@component.component
def _sales_of(found: leads.CompsView) -> ft.Control:
    """The sales that weigh most; the rest on demand."""
    everything = cells.use_cell(False)
    shown = found.items if everything.value else found.items[:_SHOWN]
    rows: list[ft.Control] = [_comp(item, key=item.id) for item in shown]
    if len(shown) < len(found.items):
        text = strings.t("agent_field.comps.all", n=len(found.items))
        rows.append(buttons.outlined(text, lambda: everything.set(True), id="all-comps"))
    rows.append(words.fine(strings.t("agent_field.comps.source", source=found.source), lines=2))
    return cards.stack(*rows)


@component.component
def _comp(item: leads.CompItem) -> ft.Control:
    """A sale with its price brought to today and to this house; the steps open below."""
    opened = cells.use_cell(False)
    facts = lead_words.joined(
        strings.t("agent_field.sold", when=f"{item.sold_on:%-d %b %Y}"),
        formats.miles(item.km / _KM_PER_MILE),
        strings.t("agent_field.sqft", n=f"{item.sqft:,}") if item.sqft else "",
    )
    head = ft.Row(
        [
            cards.stack(
                words.name(item.address or strings.t("agent_field.sales.no_address")),
                words.fine(facts, lines=2),
                gap=0,
                expand=True,
            ),
            ft.Column(
                [
                    words.name(formats.money(item.adjusted_cents)),
                    words.fine(
                        strings.t("agent_field.comps.sold_for", price=formats.money(item.price_cents))
                    ),
                ],
                spacing=0,
                tight=True,
                horizontal_alignment=ft.CrossAxisAlignment.END,
            ),
        ]
    )
    why = buttons.quiet(
        strings.t("agent_field.comps.hide" if opened.value else "agent_field.comps.show"),
        lambda: opened.set(not opened.value),
        icon=ft.Icons.EXPAND_LESS if opened.value else ft.Icons.EXPAND_MORE,
        id=f"comp-{item.id}",
    )
    rows: list[ft.Control] = [ft.Divider(), head, ft.Row([why])]
    if opened.value:
        rows += [_step(name, cents) for name, cents in item.adjustments]
        rows.append(words.fine(strings.t("agent_field.comps.weight", weight=f"{item.weight:.2f}")))
    return cards.stack(*rows, gap=2)


def _step(name: str, cents: int) -> ft.Control:
    sign = "+" if cents >= 0 else ""
    return ft.Row(
        [words.body(name, expand=True), words.body(f"{sign}{formats.money(cents, exact=True)}")], key=name
    )


def deals_part(found: Sequence[leads.DealItem]) -> list[ft.Control]:
    """Nothing where there is no deal."""
    if not found:
        return []
    return [cards.section(strings.t("agent_field.lead.deal"), [_deal(deal) for deal in found])]


def _deal(deal: leads.DealItem) -> ft.Control:
    odds = strings.t(
        "agent_field.deal.default" if deal.chance_is_default else "agent_field.deal.chance",
        chance=formats.percent(deal.chance),
    )
    close = deal.closed_on or deal.expected_close_on
    key = "agent_field.deal.closed" if deal.closed_on else "agent_field.deal.close"
    values = {
        "price": formats.money(deal.price_cents, exact=True),
        "gross": formats.money(deal.gross_cents, exact=True),
        "net": formats.money(deal.net_cents, exact=True),
    }
    figures: list[ft.Control] = [
        ft.Row([words.body(strings.t(f"agent_field.deal.{name}"), expand=True), words.name(value)])
        for name, value in values.items()
    ]
    rows: list[ft.Control] = [
        ft.Row([words.name(lead_words.stage(deal.stage), expand=True), chips.chip(odds)]),
        *figures,
    ]
    if close is not None:
        rows.append(words.fine(strings.t(key, when=f"{close:%-d %b %Y}")))
    return ft.Container(marks.mark(f"deal-{deal.id}", cards.card(cards.stack(*rows))), key=deal.id)
