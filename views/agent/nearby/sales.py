"""What sold around the place: price, size, when, how far."""

from __future__ import annotations

import flet as ft

from services import nearby
from views import component, strings, theme
from views.agent import lead_words
from views.parts import cards, empty_state, formats, marks, words

_KM_PER_MILE = 1.609344


def summary(found: nearby.SalesList, miles: int) -> str:
    """ "212 sales within 5 mi · middle price $640k"."""
    count = strings.count("agent_field.sales.within", found.within, miles=miles)
    if found.median_price_cents is None:
        return count
    return lead_words.joined(
        count, strings.t("agent_field.sales.median", price=formats.money(found.median_price_cents))
    )


def nothing(miles: int) -> ft.Control:
    return empty_state.empty_state(
        ft.Icons.HOME_WORK_OUTLINED,
        strings.t("agent_field.sales.none.title", miles=miles),
        strings.t("agent_field.sales.none.text"),
        id="no-sales",
    )


def _size(sale: nearby.NearbySale) -> str:
    return lead_words.joined(
        strings.t("agent_field.beds", n=f"{sale.beds:g}") if sale.beds is not None else "",
        strings.t("agent_field.baths", n=f"{sale.baths:g}") if sale.baths is not None else "",
        strings.t("agent_field.sqft", n=f"{sale.sqft:,}") if sale.sqft else "",
        strings.t("agent_field.built", year=sale.year_built) if sale.year_built else "",
    )


def _sale_row(sale: nearby.NearbySale) -> ft.Control:
    per_foot = (
        strings.t("agent_field.per_sqft", price=formats.money(sale.cents_per_sqft, exact=False))
        if sale.cents_per_sqft
        else ""
    )
    sold = strings.t("agent_field.sold", when=f"{sale.sold_on:%-d %b %Y}") if sale.sold_on else ""
    address = sale.address or strings.t("agent_field.sales.no_address")
    head = ft.Row(
        [
            words.name(address, expand=True),
            words.label(formats.miles(sale.km / _KM_PER_MILE), color=theme.INK_SOFT),
        ],
        spacing=theme.GAP_S,
    )
    price = ft.Row(
        [
            ft.Text(
                formats.money(sale.price_cents, exact=True),
                theme_style=ft.TextThemeStyle.TITLE_LARGE,
                color=theme.INK,
                expand=True,
            ),
            words.fine(per_foot),
        ]
    )
    rows: list[ft.Control] = [head, price, words.soft(lead_words.joined(_size(sale), sold), lines=2)]
    return marks.mark(f"sale-{sale.id}", cards.card(cards.stack(*rows, gap=2)))


sale_row = component.memo(component.component(_sale_row))
"""Give it `key=sale.id`."""
