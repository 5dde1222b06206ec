"""What a person chose to see nearby, and the chips to choose it by."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import flet as ft

from views import cells, strings, theme
from views.parts import buttons, chips

RADII = (1, 3, 5, 10, 25)
KM_PER_MILE = 1.609344
PAGE = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """`radius` in miles; `limit` grows by "show more"."""

    radius: int = 5
    hot: bool = False
    mine: bool = True
    as_map: bool = False
    sales: bool = False
    limit: int = PAGE

    @property
    def km(self) -> float:
        return self.radius * KM_PER_MILE

    @property
    def wider(self) -> int | None:
        """The next radius, None at the widest."""
        return next((radius for radius in RADII if radius > self.radius), None)


def nearest(radius_km: float) -> int:
    """The offered radius that comes closest to the remembered one."""
    return min(RADII, key=lambda radius: abs(radius * KM_PER_MILE - radius_km))


Choose = Callable[[Choices], None]


def bar(cell: cells.Cell[Choices], choose: Choose, *, placed: bool, with_map: bool) -> ft.Control:
    """Leads or sales, whose, how hot, as list or map; and how far."""
    first = [*(_what(cell, choose) if placed else []), *_switches(cell, choose)]
    if placed and with_map:
        first.append(_map_button(cell, choose))
    rows = [_line(first), *([_line(_radii(cell, choose))] if placed else [])]
    return ft.Column(rows, spacing=theme.GAP, tight=True)


def _what(cell: cells.Cell[Choices], choose: Choose) -> list[ft.Control]:
    def show(sales: bool) -> Callable[[], None]:
        return lambda: choose(replace(cell.value, sales=sales, limit=PAGE))

    return [
        chips.choice(
            strings.t(f"agent_field.nearby.{name}"),
            cell.value.sales is sales,
            show(sales),
            id=f"nearby-{name}",
        )
        for name, sales in (("leads", False), ("sales", True))
    ]


def _map_button(cell: cells.Cell[Choices], choose: Choose) -> ft.Control:
    as_map = cell.value.as_map
    return buttons.icon(
        ft.Icons.VIEW_LIST_OUTLINED if as_map else ft.Icons.MAP_OUTLINED,
        strings.t("agent_field.nearby.list" if as_map else "agent_field.nearby.as_map"),
        lambda: choose(replace(cell.value, as_map=not as_map)),
        id="nearby-map",
        ground=theme.CARD,
        color=theme.BRAND,
    )


def _radii(cell: cells.Cell[Choices], choose: Choose) -> list[ft.Control]:
    def to(radius: int) -> Callable[[], None]:
        return lambda: choose(replace(cell.value, radius=radius, limit=PAGE))

    return [
        chips.choice(
            strings.t("agent_field.miles", n=radius),
            cell.value.radius == radius,
            to(radius),
            id=f"radius-{radius}",
        )
        for radius in RADII
    ]


def _switches(cell: cells.Cell[Choices], choose: Choose) -> list[ft.Control]:
    if cell.value.sales:
        return []

    def flip(name: str) -> Callable[[], None]:
        return lambda: choose(replace(cell.value, limit=PAGE, **{name: not getattr(cell.value, name)}))

    return [
        chips.choice(
            strings.t(f"agent_field.nearby.{name}"),
            bool(getattr(cell.value, name)),
            flip(name),
            id=f"nearby-{name}",
        )
        for name in ("hot", "mine")
    ]


def _line(items: list[ft.Control]) -> ft.Control:
    return ft.Row(items, spacing=theme.GAP_S, scroll=ft.ScrollMode.HIDDEN)
