"""The command centre: five figures, live, each with the leads behind it, and who needs an answer now."""

from __future__ import annotations

from dataclasses import dataclass, replace

import flet as ft

from domain import periods
from services import kpis, live_figures
from services.kpis.values import TileSet
from services.leads import Leads
from services.leads.values import Filter, LeadItem, Sort
from services.live_figures import Unfollow
from views import cells, component, context, live, routes, shell, standing, strings
from views.executive import figures
from views.parts import buttons, cards, chips, empty_state, formats, kpi_tile, lead_row, words

URGENT = 5
_TABLES = ("kpi_tiles", "leads", "deals", "locations")


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What the executive looks at; kept in the address, so that a reload and a drill keep it."""

    timeframe: str = "30d"
    location_id: str = ""


def chosen() -> Choice:
    """From the address of this screen; what is no period becomes the usual one."""
    asked = routes.query()
    timeframe = asked.get("period", "30d")
    return Choice(
        timeframe=timeframe if timeframe in periods.TIMEFRAMES else "30d",
        location_id=asked.get("location", ""),
    )


@component.screen
def command_screen() -> ft.View:
    app = context.use_app()
    choice = cells.use_cell(chosen())
    service = app.service(kpis.Kpis)
    look = choice.value
    found = live.use_live(
        lambda: service.tiles(look.timeframe, look.location_id),
        look.timeframe,
        look.location_id,
        tables=_TABLES,
    )
    live.use_tick(30)
    follow(look)

    def open_tile(name: str) -> None:
        app.go(routes.drill(name, period=look.timeframe, location=look.location_id))

    tiles = [figures.tile(tile, app.now()) for tile in found.tiles]
    grid: ft.Control = (
        kpi_tile.kpi_grid(tiles, on_open=open_tile)
        if tiles
        else empty_state.empty_state(
            ft.Icons.INSIGHTS,
            strings.t("executive.command.nothing"),
            strings.t("executive.command.nothing.text"),
        )
    )
    body = cards.page(filters(choice), freshness(found), grid, urgent(look.location_id), wide=True)
    return shell.frame(strings.t("executive.command.title"), body, tab=routes.Screen.COMMAND)


def follow(look: Choice) -> None:
    """Hook: the server's figures for this choice are kept fresh while the screen is open."""
    figures_line = context.use_app().service(live_figures.LiveFigures)
    following: ft.MutableRef[list[Unfollow]] = ft.use_ref(list)

    def start() -> None:
        following.current.append(figures_line.start(look.location_id, look.timeframe))

    def leave() -> None:
        while following.current:
            following.current.pop()()

    ft.use_effect(start, [look.location_id, look.timeframe], cleanup=leave)


def filters(choice: cells.Cell[Choice]) -> ft.Control:
    """Period and location; "all" is everything that this person may see."""
    app = context.use_app()
    service = app.service(kpis.Kpis)
    places = live.use_live(service.locations, tables=("locations",))
    look = choice.value
    periods_row = chips.segments(
        {name: strings.t(f"executive.command.period.{name}") for name in periods.TIMEFRAMES},
        look.timeframe,
        lambda name: choice.set(replace(choice.value, timeframe=name)),
        id="period",
    )
    rows: list[ft.Control] = [periods_row]
    if len(places) > 1:
        options = {"": strings.t("executive.command.all"), **dict(places)}
        rows += [
            chips.choice(
                label,
                look.location_id == place,
                lambda _=None, place=place: choice.set(replace(choice.value, location_id=place)),
                id=f"location-{place or 'all'}",
            )
            for place, label in options.items()
        ]
    return cards.line(*rows, wrap=True)


@component.component
def freshness(found: TileSet) -> ft.Control:
    """Whether the figures are live, last known, or counted here: said, never hidden."""
    app = context.use_app()
    status = standing.use_status()
    online = status.online and not status.forced
    when = formats.moment(found.as_of, app.now())
    if found.source == "server" and online:
        word, text, icon = "live", strings.t("executive.command.live.text"), ft.Icons.SENSORS
    elif found.source == "server":
        word, text, icon = "still", strings.t("executive.command.still.text", when=when), ft.Icons.HISTORY
    else:
        word, text, icon = (
            "counted",
            strings.t("executive.command.counted.text", when=when),
            ft.Icons.CALCULATE_OUTLINED,
        )
    return cards.line(
        chips.chip(strings.t(f"executive.command.{word}"), icon=icon), words.fine(text, lines=3, expand=True)
    )


@component.component
def urgent(location_id: str) -> ft.Control:
    """Hot leads past their answer time, the longest waiting first."""
    app = context.use_app()
    service = app.service(Leads)
    wanted = Filter(location_id=location_id, temperature="hot", late_only=True, open_only=True)
    late = live.use_live(
        lambda: service.list(wanted, sort=Sort.ANSWER_DUE, limit=URGENT),
        location_id,
        tables=("leads", "people"),
    )
    open_lead = ft.use_callback(lambda lead_id: app.go(routes.lead(lead_id, under=routes.COMMAND)), [])
    rows: list[ft.Control] = [
        lead_row.lead_row(card(item, app), open_lead, key=item.id) for item in late.items
    ] or [words.soft(strings.t("executive.urgent.none"))]
    more = (
        [
            buttons.quiet(
                strings.t("executive.urgent.all"), lambda: app.go(routes.drill("hot_leads")), id="all-hot"
            )
        ]
        if late.more
        else []
    )
    return cards.section(strings.t("executive.urgent.title"), [*rows, *more])


def card(item: LeadItem, app: context.AppContext) -> lead_row.LeadCard:
    """A lead as managers look at it: whose it is, where it stands, how long it waits."""
    waits = formats.left(item.answer_due_at, app.now()) if item.answer_due_at else ""
    detail = " · ".join(part for part in (item.agent_name, item.stage, item.source) if part)
    return lead_row.LeadCard(
        id=item.id,
        name=item.name,
        temperature=item.temperature,
        detail=detail,
        badges=(strings.t("executive.lead.score", score=formats.number(item.score)),)
        if item.score is not None
        else (),
        place=formats.money(item.price_cents) if item.price_cents else "",
        warning=waits,
    )
