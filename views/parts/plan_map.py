"""A map without tiles: leads around a point, rings of miles, north up; a tap chooses another point. Works with no network."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import flet as ft
import flet.canvas as cv

from views import cells, component, strings, theme
from views.parts import marks, painter

_MILES_PER_DEGREE = 69.0
_RINGS = (0.25, 0.5, 1, 2, 5, 10, 25, 50, 100)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pin:
    """A place on the map. `tone` is a temperature, or empty for a plain place."""

    id: str
    lat: float
    lon: float
    label: str
    tone: str = ""
    number: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Projection:
    """Degrees to pixels around a centre; flat, which is exact enough for a day's drive."""

    lat: float
    lon: float
    radius: float
    size: float

    @property
    def _scale(self) -> float:
        return (self.size / 2 - 18) / self.radius

    def to_pixels(self, lat: float, lon: float) -> tuple[float, float]:
        east = (lon - self.lon) * _MILES_PER_DEGREE * math.cos(math.radians(self.lat))
        north = (lat - self.lat) * _MILES_PER_DEGREE
        return self.size / 2 + east * self._scale, self.size / 2 - north * self._scale

    def to_degrees(self, x: float, y: float) -> tuple[float, float]:
        east, north = (x - self.size / 2) / self._scale, (self.size / 2 - y) / self._scale
        lat = self.lat + north / _MILES_PER_DEGREE
        return lat, self.lon + east / (_MILES_PER_DEGREE * math.cos(math.radians(self.lat)))


def rings(radius: float) -> tuple[float, ...]:
    """Up to three round distances inside the radius, and the radius itself."""
    inside = [ring for ring in _RINGS if ring < radius * 0.95][-2:]
    return (*inside, radius)


def _ground(view: Projection) -> list[cv.Shape]:
    middle = view.size / 2
    shapes: list[cv.Shape] = []
    for ring in reversed(rings(view.radius)):
        reach = (view.size / 2 - 18) * ring / view.radius
        shapes += [
            cv.Circle(middle, middle, reach, paint=ft.Paint(color=ft.Colors.with_opacity(0.05, theme.BRAND))),
            cv.Circle(
                middle,
                middle,
                reach,
                paint=ft.Paint(color=theme.LINE_STRONG, stroke_width=1, style=ft.PaintingStyle.STROKE),
            ),
            painter.words_at(middle, middle - reach - 2, f"{ring:g} mi", ft.Alignment.BOTTOM_CENTER),
        ]
    shapes.append(
        painter.words_at(view.size - 8, 8, strings.t("kit.map.north"), ft.Alignment.TOP_RIGHT, bold=True)
    )
    return shapes


def _you(view: Projection) -> list[cv.Shape]:
    middle = view.size / 2
    return [
        cv.Circle(middle, middle, 16, paint=ft.Paint(color=ft.Colors.with_opacity(0.2, theme.ACCENT))),
        cv.Circle(middle, middle, 7, paint=ft.Paint(color=theme.ACCENT)),
        cv.Circle(
            middle, middle, 7, paint=ft.Paint(color=theme.CARD, stroke_width=2, style=ft.PaintingStyle.STROKE)
        ),
    ]


def _pin(pin: Pin, view: Projection) -> list[cv.Shape]:
    x, y = view.to_pixels(pin.lat, pin.lon)
    tone = theme.TEMPERATURE_TONES.get(pin.tone, theme.PLAIN)
    return [
        cv.Circle(x, y, 15, paint=ft.Paint(color=tone.ground)),
        cv.Circle(x, y, 15, paint=ft.Paint(color=tone.ink, stroke_width=2, style=ft.PaintingStyle.STROKE)),
        painter.words_at(x, y, pin.number, ft.Alignment.CENTER, color=tone.ink, bold=True),
    ]


def hit(pins: Sequence[Pin], view: Projection, x: float, y: float) -> Pin | None:
    """The pin under a finger: the nearest within 24 px."""
    near = [(math.dist(view.to_pixels(pin.lat, pin.lon), (x, y)), pin) for pin in pins]
    best = min(near, key=lambda found: found[0], default=None)
    return best[1] if best is not None and best[0] <= 24 else None


@component.component
def plan_map(
    centre: tuple[float, float],
    radius: float,
    pins: Sequence[Pin],
    *,
    on_pin: Callable[[str], None] | None = None,
    on_point: Callable[[float, float], None] | None = None,
    size: float = 360,
) -> ft.Control:
    """`radius` in miles. A tap on a pin calls `on_pin(id)`; elsewhere `on_point(lat, lon)`."""
    side = cells.use_cell(size)
    view = Projection(lat=centre[0], lon=centre[1], radius=radius, size=side.value)
    shapes = [*_ground(view), *[shape for pin in reversed(pins) for shape in _pin(pin, view)], *_you(view)]

    def tapped(event: ft.TapEvent[ft.GestureDetector]) -> None:
        at = event.local_position
        if at is None:
            return
        pin = hit(pins, view, at.x, at.y)
        if pin is not None and on_pin is not None:
            on_pin(pin.id)
        elif pin is None and on_point is not None:
            on_point(*view.to_degrees(at.x, at.y))

    drawn = ft.Container(
        ft.GestureDetector(cv.Canvas(shapes=shapes, width=side.value, height=side.value), on_tap_up=tapped),
        bgcolor=theme.CARD,
        border=ft.Border.all(1, theme.LINE),
        border_radius=theme.RADIUS,
        clip_behavior=ft.ClipBehavior.ANTI_ALIAS,
        alignment=ft.Alignment.CENTER,
    )
    words = strings.t("kit.map.spoken", n=len(pins), radius=f"{radius:g} mi")
    names = "; ".join(pin.label for pin in pins[:12])
    return marks.mark("plan-map", drawn, label=f"{words}. {names}")
