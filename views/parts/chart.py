"""A chart drawn from a Plotly figure dict on a canvas; touch or point to read values, and the same as a table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import flet as ft
import flet.canvas as cv

from views import cells, component, strings, theme
from views.parts import buttons, cards, empty_state, marks, painter, plot, scales, words

_ROWS = 60


def _legend(data: plot.Plot) -> ft.Control:
    items = [
        ft.Row(
            [
                ft.Container(width=14, height=14, border_radius=4, bgcolor=one.color),
                words.fine(one.name, color=theme.INK),
            ],
            spacing=6,
            tight=True,
        )
        for one in data.series
        if one.name
    ]
    return ft.Row(list(items), spacing=theme.GAP_L, run_spacing=4, wrap=True)


def spoken(data: plot.Plot) -> str:
    """The chart in words: each series with its first, last, lowest and highest value."""
    said = []
    for one in data.series:
        values = [y for y in one.ys if y is not None]
        if not values:
            continue
        first, last, low, high = (
            scales.y_words(data, v) for v in (values[0], values[-1], min(values), max(values))
        )
        said.append(f"{one.name or data.y_title}: {first} … {last}, {low}–{high}")
    return strings.t("kit.chart.spoken", title=data.title, series="; ".join(said))


def table(data: plot.Plot) -> ft.Control:
    """The same values as rows; the newest sixty."""
    xs = sorted({x for one in data.series for x in one.xs})
    span = (xs[-1] - xs[0]) if xs else 0.0
    head = [words.label(""), *[words.label(one.name or data.y_title) for one in data.series]]
    rows = [[words.body(scales.x_words(data, x, span)), *_values(data, x)] for x in xs[-_ROWS:]]
    return cards.stack(*[_table_row(cells_) for cells_ in (head, *rows)], gap=0)


def _values(data: plot.Plot, x: float) -> list[ft.Text]:
    found = [dict(zip(one.xs, one.ys, strict=False)).get(x) for one in data.series]
    return [words.body("—" if value is None else scales.y_words(data, value)) for value in found]


def _table_row(texts: Sequence[ft.Control]) -> ft.Control:
    return ft.Container(
        ft.Row([ft.Container(text, expand=True) for text in texts]),
        border=ft.Border.only(bottom=ft.BorderSide(1, theme.LINE)),
        padding=ft.Padding.symmetric(vertical=8),
    )


def _canvas(data: plot.Plot, height: float) -> ft.Control:
    width = cells.use_cell(0.0)
    at: cells.Cell[float | None] = cells.use_cell(None)
    shapes = painter.base(data, width.value, height) if width.value else []
    over, said = painter.pointer(data, width.value, height, at.value) if at.value is not None else ([], "")
    stack = ft.Stack(
        [
            cv.Canvas(
                shapes=shapes,
                expand=True,
                height=height,
                on_resize=lambda e: width.set(round(e.width)),
                key="base",
            ),
            cv.Canvas(shapes=over, expand=True, height=height, key="over"),
        ],
        height=height,
    )
    touch = ft.GestureDetector(
        content=stack,
        on_hover=lambda e: at.set(round(e.local_position.x)),
        hover_interval=40,
        on_tap_down=lambda e: at.set(round(e.local_position.x) if e.local_position else None),
        on_exit=lambda e: at.set(None),
    )
    reading = ft.Container(words.fine(said, color=theme.INK), height=22)
    return cards.stack(reading, marks.picture(spoken(data), touch, identifier="chart"), gap=0)


@component.component
def chart(figure: dict[str, Any], height: float = 280, title: str = "") -> ft.Control:
    """`figure` is `fig.to_plotly_json()` or a plain dict: scatter (lines, dashes, markers, bands by `tonexty`) and bars."""
    as_table = cells.use_cell(False)
    data = ft.use_memo(lambda: plot.read(figure, painter.PALETTE), [id(figure)])
    body = ft.use_memo(lambda: component.component(_canvas), [])
    heading = title or data.title
    if data.empty:
        return cards.stack(words.name(heading), empty_state.no_data(strings.t("kit.no_data")))
    as_rows = as_table.value or bool(data.unknown)
    switch = buttons.icon(
        ft.Icons.SHOW_CHART if as_rows else ft.Icons.TABLE_ROWS_OUTLINED,
        strings.t("kit.chart.drawing" if as_rows else "kit.chart.table"),
        lambda: as_table.set(not as_table.value),
        id="chart-table",
    )
    rows: list[ft.Control] = [ft.Row([words.name(heading, expand=True), switch]), _legend(data)]
    if data.unknown:
        rows.append(words.fine(strings.t("kit.chart.unknown"), lines=2))
    rows.append(table(data) if as_rows else body(data, height))
    return cards.stack(*rows, gap=theme.GAP_S)
