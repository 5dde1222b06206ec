"""Nearby, an agent's home: whom to see next from here, why, and what sold around."""

from __future__ import annotations

from collections.abc import Sequence

import flet as ft

from domain import ports
from services import here, nearby, settings, sync_centre
from views import cells, component, context, live, routes, shell, strings, theme
from views.agent import lead_reach
from views.agent.nearby import around, choices, place_bar
from views.parts import cards, progress

_MAP = 480
_TABLES = ("leads", "tasks", "properties", "conflicts", "outbox")


@component.screen
def nearby_screen() -> ft.View:
    app = context.use_app()
    page = ft.context.page
    prefs = live.use_live(app.service(settings.Settings).read)
    chosen = cells.use_cell(
        choices.Choices(
            radius=choices.nearest(prefs.radius_km), mine=prefs.only_mine and not app.user.is_executive
        )
    )
    place = prefs.last_place or prefs.home
    service = app.service(nearby.Nearby)
    turn = live.use_tick(30)  # clocks run and windows close by themselves
    first = live.use_live(lambda: _first_load(app.service(sync_centre.SyncCentre)), turn)
    found = live.use_live(
        lambda: _read(service, place, chosen.value), place, chosen.value, turn, tables=_TABLES
    )
    open_lead = ft.use_callback(
        lambda lead_id: app.go(routes.lead(lead_id, under=routes.NEARBY)), [id(app.go)]
    )

    async def act(way: str, lead_id: str) -> None:
        await lead_reach.reach(app, page, way, lead_id)

    acting = ft.use_callback(act, [id(app)])

    def choose(new: choices.Choices) -> None:
        """Radius and whose are remembered on the device."""
        old = chosen.value
        chosen.set(new)
        if (new.radius, new.mine) != (old.radius, old.mine):
            app.service(settings.Settings).change(radius_km=new.km, only_mine=new.mine)

    def take_point(lat: float, lon: float) -> None:
        label = strings.t("agent_field.place.point", lat=f"{lat:.4f}", lon=f"{lon:.4f}")
        app.service(here.Here).choose(ports.Position(lat=lat, lon=lon, label=label))

    board = around.Board(
        found=found,
        place=place,
        chosen=chosen.value,
        now=app.now(),
        choose=choose,
        open_lead=open_lead,
        act=acting,
        take_point=take_point,
        go=app.go,
    )
    top: list[ft.Control] = [
        place_bar.place_bar(place),
        choices.bar(chosen, choose, placed=place is not None, with_map=not app.wide),
    ]
    if first is not None:
        top.append(progress.progress(strings.t("agent_field.nearby.loading"), first, id="first-sync"))
    body = _desk(top, board) if app.wide and place is not None else _phone(top, board)
    return shell.frame(strings.t("agent_field.nearby.title"), body, tab=routes.Screen.NEARBY)


def _first_load(service: sync_centre.SyncCentre) -> float | None:
    """How far the very first download is, while one runs."""
    lamps = service.lamps()
    return lamps.first.share if lamps.online and lamps.first is not None else None


def _read(
    service: nearby.Nearby, place: ports.Position | None, chosen: choices.Choices
) -> nearby.NearbyList | nearby.SalesList:
    if place is None:
        return service.by_urgency(hot_only=chosen.hot, only_mine=chosen.mine, limit=chosen.limit)
    if chosen.sales:
        return service.sales(place, radius_km=chosen.km, limit=chosen.limit)
    return service.ranked(
        place, radius_km=chosen.km, hot_only=chosen.hot, only_mine=chosen.mine, limit=chosen.limit
    )


def _phone(top: Sequence[ft.Control], board: around.Board) -> ft.Control:
    if board.chosen.as_map and board.place is not None:
        top = [*top, around.plan(board, size=380)]
    return cards.page(*top, around.summary(board), *around.rows(board))


def _desk(top: Sequence[ft.Control], board: around.Board) -> ft.Control:
    """The list and its map side by side."""
    side = ft.Container(
        width=_MAP + theme.GAP_L,
        content=ft.Column([around.plan(board, size=_MAP)], scroll=ft.ScrollMode.AUTO),
        padding=ft.Padding.only(top=theme.GAP_L, right=theme.GAP_L),
    )
    return ft.Row(
        [ft.Container(cards.page(*top, around.summary(board), *around.rows(board)), expand=True), side],
        spacing=0,
        vertical_alignment=ft.CrossAxisAlignment.STRETCH,
    )
