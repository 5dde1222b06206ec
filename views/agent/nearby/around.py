"""What is around the place, as a list and as a plan: leads by rank, or sales by distance."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

import flet as ft

from domain import ports
from services import nearby
from views import device, routes, strings, theme
from views.agent import lead_words
from views.agent.nearby import moves, sales
from views.agent.nearby.choices import KM_PER_MILE, PAGE, RADII, Choices, Choose
from views.parts import banners, buttons, cards, empty_state, formats, plan_map, words

_OPENED = 3
_PINS = 25


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """One answer of the service, with what can be done about it."""

    found: nearby.NearbyList | nearby.SalesList
    place: ports.Position | None
    chosen: Choices
    now: datetime
    choose: Choose
    open_lead: Callable[[str], None]
    act: moves.Act
    take_point: Callable[[float, float], None]
    go: Callable[[str], None]


def summary(board: Board) -> ft.Control:
    """How many, and how fresh."""
    found = board.found
    return ft.Row(
        [words.label(_count(board)), banners.freshness(found.as_of, board.now)],
        spacing=theme.GAP_S,
        wrap=True,
        run_spacing=2,
    )


def _count(board: Board) -> str:
    found = board.found
    if isinstance(found, nearby.SalesList):
        return sales.summary(found, board.chosen.radius)
    if found.place is None:
        return strings.count("agent_field.nearby.urgent", found.within)
    return strings.count("agent_field.nearby.within", found.within, miles=board.chosen.radius)


def rows(board: Board) -> list[ft.Control]:
    """The cards of the list, and how to see more."""
    found = board.found
    if isinstance(found, nearby.SalesList):
        items = [sales.sale_row(sale, key=sale.id) for sale in found.items]
        return [*(items or [sales.nothing(board.chosen.radius)]), *_more(board, len(items), found.within)]
    if not found.items:
        return _nobody(board, found)
    items = [
        moves.move_card(
            moves.move(lead, board.now, opened=i < _OPENED), board.open_lead, board.act, key=lead.id
        )
        for i, lead in enumerate(found.items)
    ]
    return [
        *items,
        *_more(board, len(items), found.within),
        *_widen(board, found),
        _add(board),
        *_unplaced(found),
    ]


def _more(board: Board, shown: int, total: int) -> list[ft.Control]:
    if shown >= total:
        return []
    new = replace(board.chosen, limit=board.chosen.limit + PAGE)
    text = strings.t("agent_field.more", shown=shown, total=f"{total:,}")
    return [buttons.outlined(text, lambda: board.choose(new), id="show-more")]


def _widen(board: Board, found: nearby.NearbyList) -> list[ft.Control]:
    """ "Widen to 10 mi", with how many more twice the radius would bring."""
    wider = board.chosen.wider
    if found.place is None or wider is None:
        return []
    text = strings.t("agent_field.widen", miles=wider)
    button = buttons.outlined(
        text,
        lambda: board.choose(replace(board.chosen, radius=wider)),
        icon=ft.Icons.ZOOM_OUT_MAP,
        id="widen",
    )
    if not found.beyond:
        return [button]
    note = strings.count("agent_field.beyond", found.beyond, miles=2 * board.chosen.radius)
    return [cards.stack(button, words.fine(note), gap=6)]


def _unplaced(found: nearby.NearbyList) -> list[ft.Control]:
    if not found.unplaced or found.place is None:
        return []
    return [words.fine(strings.count("agent_field.unplaced", found.unplaced), lines=3)]


def _add(board: Board) -> ft.Control:
    return buttons.secondary(
        strings.t("agent_field.add"),
        lambda: board.go(routes.quick_add(under=routes.NEARBY)),
        icon=ft.Icons.PERSON_ADD_ALT,
        id="add-lead",
    )


def _nobody(board: Board, found: nearby.NearbyList) -> list[ft.Control]:
    """Nothing here: the three nearest and a wider circle; or no leads at all yet."""
    if found.as_of is None and not found.nearest:
        return [_text_state(ft.Icons.CLOUD_DOWNLOAD_OUTLINED, "first", "first-data")]
    if not found.nearest:
        key = "hot" if board.chosen.hot else "mine" if board.chosen.mine else "none"
        return [_text_state(ft.Icons.PERSON_SEARCH, key, "nobody", action=_add(board))]
    nearest = [
        moves.move_card(moves.move(lead, board.now, opened=False), board.open_lead, board.act, key=lead.id)
        for lead in found.nearest
    ]
    title = strings.t("agent_field.nearby.nobody", miles=board.chosen.radius)
    head = empty_state.empty_state(
        ft.Icons.NEAR_ME_DISABLED_OUTLINED, title, strings.t("agent_field.nearby.nearest"), id="nobody"
    )
    return [head, *_widen(board, found), *nearest]


def _text_state(icon: ft.IconData, key: str, id: str, action: ft.Control | None = None) -> ft.Control:
    return empty_state.empty_state(
        icon,
        device.t(f"agent_field.nearby.empty.{key}.title"),
        device.t(f"agent_field.nearby.empty.{key}.text"),
        action=action,
        id=id,
    )


def plan(board: Board, *, size: float) -> ft.Control:
    """The plan map; a tap on a number opens the lead, elsewhere it moves the place."""
    assert board.place is not None
    found = board.found
    is_sales = isinstance(found, nearby.SalesList)
    centre = (board.place.lat, board.place.lon)
    drawn = plan_map.plan_map(
        centre,
        _reach(board),
        _pins(found),
        on_pin=None if is_sales else board.open_lead,
        on_point=board.take_point,
        size=size,
        key=f"plan-{size}",
    )
    hint = strings.t("agent_field.sales.tap" if is_sales else "agent_field.nearby.tap")
    return cards.stack(drawn, words.fine(hint, lines=2), gap=6)


def _reach(board: Board) -> float:
    """The map of sales shows the nearest: it closes in on them where the circle is far wider."""
    found, radius = board.found, float(board.chosen.radius)
    if not isinstance(found, nearby.SalesList) or not found.items:
        return radius
    farthest = found.items[:_PINS][-1].km / KM_PER_MILE
    return next((ring for ring in (0.25, 0.5, *map(float, RADII)) if farthest <= ring <= radius), radius)


def _pins(found: nearby.NearbyList | nearby.SalesList) -> list[plan_map.Pin]:
    if isinstance(found, nearby.SalesList):
        return [
            plan_map.Pin(
                id=sale.id,
                lat=sale.lat,
                lon=sale.lon,
                label=lead_words.joined(f"{i} {sale.address}", formats.money(sale.price_cents)),
                number=str(i),
            )
            for i, sale in enumerate(found.items[:_PINS], start=1)
        ]
    return [
        plan_map.Pin(
            id=lead.id,
            lat=lead.lat,
            lon=lead.lon,
            label=f"{i} {lead.name}",
            tone=lead.temperature,
            number=str(i),
        )
        for i, lead in enumerate(found.items[:_PINS], start=1)
    ]
