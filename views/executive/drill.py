"""Behind a figure: its parts by each dimension, filters that can be taken off, and the leads themselves."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import flet as ft

from services import kpis
from services.kpis.values import Drill, Slice
from views import cells, component, context, live, routes, shell, strings, theme
from views.executive import command, figures
from views.parts import buttons, cards, empty_state, formats, lead_row, marks, words

PAGE = 50
MOST_PARTS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    filters: tuple[tuple[str, str], ...] = ()
    limit: int = PAGE


@component.screen
def drill_screen() -> ft.View:
    app = context.use_app()
    metric = ft.use_route_params().get("metric", "")
    asked = command.chosen()
    look = cells.use_cell(Look())
    service = app.service(kpis.Kpis)
    now = look.value
    found = live.use_live(
        lambda: service.drill(
            metric, asked.timeframe, asked.location_id, filters=dict(now.filters), limit=now.limit
        ),
        metric,
        asked,
        now,
        tables=("leads", "deals", "interactions", "tasks", "people", "locations"),
    )

    def choose(dimension: str, key: str) -> None:
        look.change(lambda old: replace(old, filters=(*old.filters, (dimension, key)), limit=PAGE))

    def drop(dimension: str) -> None:
        kept = tuple(pair for pair in look.value.filters if pair[0] != dimension)
        look.set(replace(look.value, filters=kept, limit=PAGE))

    body = cards.page(
        crumbs(found, drop),
        headline(found),
        breakdowns(found.breakdowns, choose),
        lead_list(found, lambda: look.change(lambda old: replace(old, limit=old.limit + PAGE))),
        wide=True,
    )
    return shell.frame(found.title, body, within=routes.Screen.COMMAND)


def crumbs(found: Drill, drop: Callable[[str], None]) -> ft.Control:
    """KPIs › figure › part › part; each part can be taken off."""
    items: list[ft.Control] = [
        words.soft(strings.t("executive.command.title")),
        words.soft("›"),
        words.label(found.title),
    ]
    for dimension, key, stored in found.filters:
        label = part_label(dimension, key, stored)
        name = strings.t("executive.drill.remove", label=label)
        items += [
            words.soft("›"),
            marks.mark(
                f"drop-{dimension}-{key}",
                ft.Chip(
                    label=ft.Text(label),
                    delete_icon=ft.Icon(ft.Icons.CLOSE, semantics_label=name),
                    on_delete=lambda _, dimension=dimension: drop(dimension),
                    bgcolor=theme.BRAND_SOFT,
                ),
            ),
        ]
    return cards.line(*items, wrap=True)


@component.component
def headline(found: Drill) -> ft.Control:
    app = context.use_app()
    value = figures.value(found.value, found.unit)
    shown = words.figure(value) if value is not None else words.heading(strings.t("kit.no_data"))
    when = strings.t("kit.as_of", when=formats.moment(found.as_of, app.now())) if found.as_of else ""
    return cards.card(
        cards.stack(shown, words.soft(found.definition, lines=3), words.fine(when, lines=1), gap=4)
    )


def breakdowns(found: Mapping[str, tuple[Slice, ...]], choose: Callable[[str, str], None]) -> ft.Control:
    """One card a dimension, side by side where there is room."""
    shown = {name: parts for name, parts in found.items() if len(parts) > 1}
    tiles: list[ft.Control] = [
        ft.Container(
            breakdown(name, parts, choose, key=name),
            col={"xs": 12, "md": 6, "xl": 4},
            key=f"col-{name}",
        )
        for name, parts in shown.items()
    ]
    return ft.ResponsiveRow(tiles, spacing=theme.GAP, run_spacing=theme.GAP, visible=bool(tiles))


@component.component
def breakdown(dimension: str, parts: tuple[Slice, ...], choose: Callable[[str, str], None]) -> ft.Control:
    rows = [part_row(dimension, part, choose) for part in parts[:MOST_PARTS]]
    return cards.section(strings.t(f"executive.drill.by.{dimension}"), rows)


_WORDS = {"temperature": "kit.temperature", "stage": "executive.stage", "late": "executive.late"}


def part_label(dimension: str, key: str, stored: str) -> str:
    """Closed sets have words of ours; names of people, places and sources are as stored."""
    known = f"{_WORDS.get(dimension, '')}.{key}"
    return strings.t(known) if known in strings.table() else stored


def part_row(dimension: str, part: Slice, choose: Callable[[str, str], None]) -> ft.Control:
    """A part with its share as a bar; a touch looks only at it."""
    label = part_label(dimension, part.key, part.label)
    amount = formats.number(part.count) if part.amount_cents is None else formats.money(part.amount_cents)
    share = formats.percent(part.share)
    bar = ft.ProgressBar(
        value=min(max(part.share, 0.0), 1.0),
        color=theme.BRAND,
        bgcolor=theme.SUNK,
        bar_height=6,
        border_radius=3,
    )
    face = cards.stack(
        ft.Row([words.label(label, expand=True), words.soft(f"{amount} · {share}", lines=1)]), bar, gap=4
    )
    return ft.Semantics(
        identifier=f"part-{dimension}-{part.key}",
        label=strings.t("executive.drill.part", label=label, count=amount, share=share),
        button=True,
        content=ft.Container(
            face,
            on_click=lambda _: choose(dimension, part.key),
            padding=ft.Padding.symmetric(vertical=theme.GAP_S),
            ink=True,
            border_radius=8,
        ),
    )


@component.component
def lead_list(found: Drill, more: Callable[[], None]) -> ft.Control:
    app = context.use_app()
    metric = found.metric
    open_lead = ft.use_callback(
        lambda lead_id: app.go(routes.lead(lead_id, under=routes.drill(metric))), [metric]
    )
    if not found.leads:
        return empty_state.empty_state(
            ft.Icons.PEOPLE_OUTLINE,
            strings.count("executive.drill.leads", 0),
            found.note or strings.t("executive.drill.none.text"),
        )
    rows: list[ft.Control] = [
        lead_row.lead_row(command.card(item, app), open_lead, key=item.id) for item in found.leads
    ]
    if found.total > len(found.leads):
        rows.append(buttons.outlined(strings.t("executive.drill.more"), more, id="more-leads"))
    return cards.section(strings.count("executive.drill.leads", found.total), rows)
