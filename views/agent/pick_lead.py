"""Choosing a lead by a few typed letters: the few best hits, found on this device."""

from __future__ import annotations

from collections.abc import Callable

import flet as ft

from services import leads
from services.leads import values
from views import cells, component, context, live, strings, theme
from views.parts import cards, formats, text_field, words

_MOST = 5


def _row(item: values.LeadItem, on_pick: Callable[[str, str], None]) -> ft.Control:
    text = " · ".join(
        part for part in (item.address, formats.phone(item.phone) if item.phone else "") if part
    )
    lines: list[ft.Control] = [words.name(item.name), *([words.fine(text)] if text else [])]
    body = ft.Container(
        cards.stack(*lines, gap=0),
        padding=ft.Padding.symmetric(horizontal=theme.GAP, vertical=theme.GAP_S),
        ink=True,
        border_radius=12,
        on_click=lambda: on_pick(item.id, item.name),
    )
    return ft.Semantics(
        identifier=f"pick-{item.id}", button=True, container=True, label=item.name, content=body, key=item.id
    )


@component.component
def pick_lead(on_pick: Callable[[str, str], None]) -> ft.Control:
    """`on_pick(lead id, name)`; shows the leads met last until something is typed."""
    service = context.use_app().service(leads.Leads)
    typed = cells.use_cell("")

    def read() -> tuple[values.LeadItem, ...]:
        wanted = values.Filter(words=typed.value, mine=not typed.value)
        return service.list(wanted, sort=values.Sort.LAST_TOUCH, limit=_MOST).items

    found = live.use_live(read, typed.value, tables=("leads",))
    field = text_field.text_field(
        strings.t("agent_work.pick.label"),
        typed.value,
        on_change=typed.set,
        icon=ft.Icons.SEARCH,
    )
    rows = [_row(item, on_pick) for item in found]
    return cards.stack(field, *(rows or [words.soft(strings.t("agent_work.pick.none"))]), gap=theme.GAP_S)
