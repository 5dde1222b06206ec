"""A small line without axes: the way of a number over time, with gaps where it is not known."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

import flet as ft
import flet.canvas as cv

from views import theme
from views.parts import marks

Place = tuple[float, float]


def scaled(values: Sequence[float | None], width: float, height: float, pad: float = 3) -> list[Place | None]:
    """The values as points of a box, a gap in its place; a constant line runs in the middle."""
    known = [value for value in values if value is not None]
    low, high = min(known, default=0.0), max(known, default=0.0)
    span = (high - low) or 1.0
    flat = high == low
    step = (width - 2 * pad) / max(1, len(values) - 1)

    def y(value: float) -> float:
        return height / 2 if flat else pad + (height - 2 * pad) * (1 - (value - low) / span)

    return [None if value is None else (pad + i * step, y(value)) for i, value in enumerate(values)]


def _pieces(points: Sequence[Place | None]) -> list[list[Place]]:
    """Neighbours without a gap between them."""
    parts = (list(part) for _, part in groupby(points, key=lambda point: point is None))
    return [found for part in parts if (found := [point for point in part if point is not None])]


def _shapes(piece: list[Place], height: float, color: str) -> list[cv.Shape]:
    first, last = piece[0], piece[-1]
    if len(piece) == 1:
        return [cv.Circle(first[0], first[1], 1.5, paint=ft.Paint(color=color))]
    outline = [cv.Path.MoveTo(first[0], height), *[cv.Path.LineTo(x, y) for x, y in piece]]
    area = cv.Path(
        [*outline, cv.Path.LineTo(last[0], height), cv.Path.Close()],
        paint=ft.Paint(color=ft.Colors.with_opacity(0.12, color), style=ft.PaintingStyle.FILL),
    )
    line = cv.Points(
        points=[ft.Offset(x, y) for x, y in piece],
        point_mode=cv.PointMode.POLYGON,
        paint=ft.Paint(
            color=color,
            stroke_width=2,
            stroke_cap=ft.StrokeCap.ROUND,
            stroke_join=ft.StrokeJoin.ROUND,
            style=ft.PaintingStyle.STROKE,
        ),
    )
    return [area, line]


def sparkline(
    values: Sequence[float | None],
    *,
    label: str,
    width: float = 120,
    height: float = 36,
    color: str = theme.BRAND,
) -> ft.Control:
    """None is a gap. Fewer than two known values draw nothing: there is no way to show."""
    pieces = _pieces(scaled(values, width, height))
    if sum(map(len, pieces)) < 2:
        return ft.Container(width=width, height=height)
    x, y = pieces[-1][-1]
    newest = cv.Circle(x, y, 3, paint=ft.Paint(color=color))
    shapes = [shape for piece in pieces for shape in _shapes(piece, height, color)]
    return marks.picture(label, cv.Canvas(shapes=[*shapes, newest], width=width, height=height))
