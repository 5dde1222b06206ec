"""A Plotly figure, read without Plotly and drawn with round ticks."""

from __future__ import annotations

import base64
import json
import struct

import plotly.graph_objects as go
import pytest

from views.parts import chart, painter, plot, scales

PALETTE = ("#111111", "#222222")


def _read(figure: go.Figure) -> plot.Plot:
    return plot.read(json.loads(figure.to_json()), PALETTE)


def test_a_figure_of_plotly_itself_is_read() -> None:
    figure = go.Figure(
        [
            go.Scatter(x=["2026-01-01", "2026-02-01"], y=[1.5, 2.5], name="net", line={"dash": "dot"}),
            go.Bar(
                x=["2026-01-01", "2026-02-01"], y=[1, 2], name="n", marker={"color": "rgba(255, 0, 0, 0.5)"}
            ),
        ],
        layout={"title": {"text": "Revenue"}, "yaxis": {"tickprefix": "$"}},
    )

    data = _read(figure)

    assert (data.title, data.dates, data.y_prefix) == ("Revenue", True, "$")
    assert [one.kind for one in data.series] == ["line", "bar"]
    assert data.series[0].dash
    assert data.series[1].color == "#80ff0000"


def test_numbers_packed_as_bytes_are_read() -> None:
    packed = {"dtype": "f8", "bdata": base64.b64encode(struct.pack("<3d", 1, 2.5, -3)).decode()}

    assert plot.array(packed) == [1.0, 2.5, -3.0]


def test_names_share_one_axis_and_gaps_stay_gaps() -> None:
    data = plot.read(
        {
            "data": [
                {"type": "bar", "x": ["a", "b"], "y": [1, None]},
                {"type": "bar", "x": ["b", "c"], "y": [2, 3]},
            ]
        },
        PALETTE,
    )

    assert data.labels == ("a", "b", "c")
    assert data.series[0].ys == (1.0, None)
    assert data.series[1].xs == (1.0, 2.0)


def test_what_can_not_be_drawn_is_named() -> None:
    data = plot.read({"data": [{"type": "heatmap", "z": [[1]]}]}, PALETTE)

    assert data.unknown == ("heatmap",)
    assert data.empty


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [(0, 43, (0, 20, 40, 60)), (0, 1, (0, 0.25, 0.5, 0.75, 1.0)), (310, 548, (300, 400, 500, 600))],
)
def test_ticks_are_round_and_cover_the_range(low: float, high: float, expected: tuple[float, ...]) -> None:
    assert scales.ticks(low, high) == expected


def test_stacked_bars_need_the_room_of_their_sum() -> None:
    data = plot.read(
        {
            "data": [{"type": "bar", "x": ["a"], "y": [3]}, {"type": "bar", "x": ["a"], "y": [4]}],
            "layout": {"barmode": "stack"},
        },
        PALETTE,
    )

    assert scales.value_range(data) == (0.0, 7.0)


def test_a_pointer_reads_the_nearest_values() -> None:
    data = plot.read({"data": [{"x": [0, 10, 20], "y": [5, 6, 7], "name": "net"}]}, PALETTE)

    shapes, words = painter.pointer(data, 400, 280, 210)

    assert words == "10 · net 6"
    assert shapes


def test_a_thousand_points_are_thinned() -> None:
    data = plot.read({"data": [{"x": list(range(5000)), "y": list(range(5000))}]}, PALETTE)

    drawn = painter.base(data, 400, 280)

    longest = max(len(shape.points) for shape in drawn if hasattr(shape, "points"))
    assert longest <= 450


def test_a_chart_says_itself_in_words() -> None:
    data = plot.read(
        {"data": [{"x": [0, 1], "y": [5, 7], "name": "net"}], "layout": {"title": "Revenue"}}, PALETTE
    )

    assert chart.spoken(data) == "Chart: Revenue. net: 5 … 7, 5–7"
