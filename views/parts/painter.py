"""A plot as canvas shapes: grid, bands, bars, lines, markers and words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import flet as ft
import flet.canvas as cv

from views import theme
from views.parts import plot, scales

PALETTE = (theme.BRAND, theme.ACCENT, "#B4570B", theme.GOOD, "#8A3FA0", theme.BAD)
_MAX_POINTS = 400


def words_at(
    x: float, y: float, value: str, align: ft.Alignment, *, color: str = theme.INK_SOFT, bold: bool = False
) -> cv.Text:
    """Words on the canvas; `align` says which corner of them lies on the point."""
    weight = ft.FontWeight.W_600 if bold else ft.FontWeight.W_500
    style = ft.TextStyle(size=13, color=color, weight=weight, font_family=theme.FONT)
    return cv.Text(x, y, value, style=style, alignment=align)


def layout(data: plot.Plot, width: float, height: float) -> tuple[scales.Box, scales.Scale, scales.Scale]:
    """Where the data goes, once the words of the axes have their room."""
    low, high = scales.value_range(data)
    marks = scales.ticks(low, high)
    left = 10 + 8 * max(len(scales.y_words(data, mark)) for mark in marks)
    box = scales.Box(
        left=left, top=12, width=max(40.0, width - left - 26), height=max(40.0, height - 12 - 30)
    )
    x_low, x_high = scales.x_range(data)
    across = scales.Scale(low=x_low, high=x_high, start=box.left, end=box.right)
    up = scales.Scale(low=marks[0], high=marks[-1], start=box.bottom, end=box.top)
    return box, across, up


def grid(data: plot.Plot, box: scales.Box, across: scales.Scale, up: scales.Scale) -> Iterator[cv.Shape]:
    """Hair lines and the words of both axes."""
    for mark in scales.ticks(up.low, up.high):
        y = up.at(mark)
        ink = theme.LINE_STRONG if mark == 0 else theme.LINE
        yield cv.Line(box.left, y, box.right, y, paint=ft.Paint(color=ink, stroke_width=1))
        yield words_at(box.left - 8, y, scales.y_words(data, mark), ft.Alignment.CENTER_RIGHT)
    wanted = max(2, int(box.width // (62 if data.labels else 84)))
    for x in scales.x_ticks(data, across.low, across.high, wanted):
        text = scales.x_words(data, x, across.high - across.low)
        yield words_at(across.at(x), box.bottom + 8, text, ft.Alignment.TOP_CENTER)


def _points(one: plot.Series, across: scales.Scale, up: scales.Scale) -> list[tuple[float, float]]:
    found = [(across.at(x), up.at(y)) for x, y in zip(one.xs, one.ys, strict=False) if y is not None]
    step = max(1, len(found) // _MAX_POINTS)
    return found[::step] + ([found[-1]] if found and (len(found) - 1) % step else [])


def _area(edge: Sequence[tuple[float, float]], back: Sequence[tuple[float, float]], color: str) -> cv.Path:
    ring = [*edge, *reversed(back)]
    start, *rest = ring
    return cv.Path(
        [cv.Path.MoveTo(*start), *[cv.Path.LineTo(x, y) for x, y in rest], cv.Path.Close()],
        paint=ft.Paint(color=color, style=ft.PaintingStyle.FILL),
    )


def _soft(color: str) -> str:
    """A fill through which the grid is seen; a colour that has an alpha of its own keeps it."""
    return color if color.startswith("#") and len(color) == 9 else ft.Colors.with_opacity(0.16, color)


def _line(one: plot.Series, points: Sequence[tuple[float, float]]) -> cv.Shape:
    paint = ft.Paint(
        color=one.color,
        stroke_width=one.width,
        stroke_cap=ft.StrokeCap.ROUND,
        stroke_join=ft.StrokeJoin.ROUND,
        style=ft.PaintingStyle.STROKE,
    )
    if not one.dash:
        return cv.Points([ft.Offset(x, y) for x, y in points], cv.PointMode.POLYGON, paint=paint)
    paint.stroke_dash_pattern = [7, 6]
    (x, y), *rest = points
    return cv.Path([cv.Path.MoveTo(x, y), *[cv.Path.LineTo(*point) for point in rest]], paint=paint)


def lines(data: plot.Plot, box: scales.Box, across: scales.Scale, up: scales.Scale) -> Iterator[cv.Shape]:
    """Bands first in their order, then lines and markers on them."""
    before: list[tuple[float, float]] = []
    for one in (one for one in data.series if one.kind == "line"):
        points = _points(one, across, up)
        if not points:
            continue
        if one.fill_to_previous and before:
            yield _area(points, before, _soft(one.color))
        if one.fill_to_zero:
            ground = up.at(max(up.low, 0.0))
            yield _area(points, [(points[0][0], ground), (points[-1][0], ground)], _soft(one.color))
        if one.line and len(points) > 1:
            yield _line(one, points)
        if one.markers or len(points) == 1:
            for x, y in points:
                yield cv.Circle(x, y, 4, paint=ft.Paint(color=one.color))
        before = points


def bars(data: plot.Plot, across: scales.Scale, up: scales.Scale) -> Iterator[cv.Shape]:
    """Bars side by side, or one on the other."""
    group = [one for one in data.series if one.kind == "bar"]
    if not group:
        return
    step = abs(across.at(scales.bar_step(data)) - across.at(0.0))
    room = min(64.0, step * 0.72)
    wide = room if data.stacked else room / len(group)
    heights: dict[float, float] = {}
    for i, one in enumerate(group):
        for x, y in zip(one.xs, one.ys, strict=False):
            if y is None or y == 0:
                continue
            base = heights.get(x, 0.0) if data.stacked else 0.0
            heights[x] = base + y
            left = across.at(x) - room / 2 + (0 if data.stacked else i * wide)
            top, foot = sorted((up.at(base + y), up.at(base)))
            yield cv.Rect(
                left + 1,
                top,
                wide - 2,
                foot - top,
                border_radius=min(5.0, wide / 4),
                paint=ft.Paint(color=one.color),
            )


def base(data: plot.Plot, width: float, height: float) -> list[cv.Shape]:
    """All that does not change while one looks."""
    box, across, up = layout(data, width, height)
    return [*grid(data, box, across, up), *bars(data, across, up), *lines(data, box, across, up)]


def pointer(data: plot.Plot, width: float, height: float, at: float) -> tuple[list[cv.Shape], str]:
    """The upright line at a position, its dots, and its words."""
    box, across, up = layout(data, width, height)
    xs = sorted({x for one in data.series for x in one.xs})
    if not xs:
        return [], ""
    nearest = min(xs, key=lambda x: abs(across.at(x) - at))
    px = across.at(nearest)
    shapes: list[cv.Shape] = [
        cv.Line(px, box.top, px, box.bottom, paint=ft.Paint(color=theme.LINE_STRONG, stroke_width=1))
    ]
    said = [scales.x_words(data, nearest, across.high - across.low)]
    for one in data.series:
        value = next((y for x, y in zip(one.xs, one.ys, strict=False) if x == nearest), None)
        if value is None:
            continue
        if one.kind == "line" and one.line:
            shapes.append(cv.Circle(px, up.at(value), 5, paint=ft.Paint(color=one.color)))
        said.append(f"{one.name} {scales.y_words(data, value)}".strip())
    return shapes, " · ".join(said)
