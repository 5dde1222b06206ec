"""The small line of a figure: what is not known is a gap, never a zero and never left out."""

from __future__ import annotations

import flet as ft
import flet.canvas as cv
import pytest

from tests import screen
from views.parts import kpi_tile, sparkline

pytestmark = pytest.mark.anyio


def _drawn(*values: float | None) -> list[cv.Shape]:
    picture = sparkline.sparkline(values, label="Trend", width=106, height=36)
    assert isinstance(picture, ft.Semantics)
    assert isinstance(picture.content, cv.Canvas)
    return picture.content.shapes


def _lines(shapes: list[cv.Shape]) -> list[list[float]]:
    """Where each piece of the line goes, from left to right."""
    lines = [shape.points or [] for shape in shapes if isinstance(shape, cv.Points)]
    return [[point.x for point in line if isinstance(point, ft.Offset)] for line in lines]


def test_a_gap_keeps_its_place_and_parts_the_line() -> None:
    placed = sparkline.scaled([2, None, 0, 4], 106, 36)

    assert [None if point is None else point[0] for point in placed] == [
        3,
        None,
        pytest.approx(69.67, abs=0.01),
        103,
    ]
    assert placed[2] is not None
    assert placed[3] is not None
    assert placed[2][1] > placed[3][1]

    shapes = _drawn(1, 2, None, None, 3, 4)

    assert _lines(shapes) == [[3, 23], [83, 103]]
    assert len([shape for shape in shapes if isinstance(shape, cv.Path)]) == 2  # nor is the gap filled below


def test_a_point_between_two_gaps_is_a_dot_and_the_newest_known_one_is_marked() -> None:
    shapes = _drawn(1, None, 3, None, 5, 4, None)

    circles = [shape for shape in shapes if isinstance(shape, cv.Circle)]
    assert [round(dot.x, 1) for dot in circles] == [3, 36.3, 86.3]
    assert circles[-1].radius == 3 > circles[0].radius == circles[1].radius
    assert len(_lines(shapes)) == 1


@pytest.mark.parametrize("values", [(), (1,), (None, None), (None, 1, None)])
def test_less_than_two_known_points_draw_nothing(values: tuple[float | None, ...]) -> None:
    assert isinstance(sparkline.sparkline(values, label="Trend"), ft.Container)


@pytest.mark.parametrize(
    ("trend", "label"),
    [
        ((1, 2, 3), "Trend of Hot leads"),
        ((1, None, 3), "Trend of Hot leads, 1 of 3 points without data"),
        ((None, None, 2, 3), "Trend of Hot leads, 2 of 4 points without data"),
    ],
)
async def test_a_tile_says_how_much_of_its_trend_is_not_known(
    trend: tuple[float | None, ...], label: str
) -> None:
    kpi = kpi_tile.Kpi(id="hot", title="Hot leads", value="27", trend=trend)
    async with screen.drawn(lambda: kpi_tile.kpi_tile(kpi)) as shown:
        assert shown.sees(label)
