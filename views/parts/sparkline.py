"""A small line without axes: the way of a number over time."""

from __future__ import annotations

from collections.abc import Sequence

import flet as ft
import flet.canvas as cv

from views import theme
from views.parts import marks


def scaled(values: Sequence[float], width: float, height: float, pad: float = 3) -> list[tuple[float, float]]:
    """The values as points of a box; a constant line runs in the middle."""
    low, high = min(values), max(values)
    span = (high - low) or 1.0
    flat = high == low
    step = (width - 2 * pad) / max(1, len(values) - 1)
    return [
        (pad + i * step, height / 2 if flat else pad + (height - 2 * pad) * (1 - (value - low) / span))
        for i, value in enumerate(values)
    ]


def _shapes(points: list[tuple[float, float]], height: float, color: str) -> list[cv.Shape]:
    first, last = points[0], points[-1]
    outline = [cv.Path.MoveTo(first[0], height), *[cv.Path.LineTo(x, y) for x, y in points]]
    area = cv.Path(
        [*outline, cv.Path.LineTo(last[0], height), cv.Path.Close()],
        paint=ft.Paint(color=ft.Colors.with_opacity(0.12, color), style=ft.PaintingStyle.FILL),
    )
    line = cv.Points(
        points=[ft.Offset(x, y) for x, y in points],
        point_mode=cv.PointMode.POLYGON,
        paint=ft.Paint(
            color=color,
            stroke_width=2,
            stroke_cap=ft.StrokeCap.ROUND,
            stroke_join=ft.StrokeJoin.ROUND,
            style=ft.PaintingStyle.STROKE,
        ),
    )
    return [area, line, cv.Circle(last[0], last[1], 3, paint=ft.Paint(color=color))]


def sparkline(
    values: Sequence[float], *, label: str, width: float = 120, height: float = 36, color: str = theme.BRAND
) -> ft.Control:
    """Fewer than two values draw nothing: there is no way to show."""
    if len(values) < 2:
        return ft.Container(width=width, height=height)
    shapes = _shapes(scaled(values, width, height), height, color)
    return marks.picture(label, cv.Canvas(shapes=shapes, width=width, height=height))
