"""Drill-down over the whole registry: each figure by each dimension under each filter, and a plain no to everything else."""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import product
from typing import Any

import pytest

from backend.actor import Actor
from backend.deps import Deps
from backend.metrics import FIGURES, MEASURES, Dimension, Figure
from backend.services.bi import drill
from domain import errors, ports
from tests.backend.services.bi import filled
from tests.fakes import FakeClock

pytestmark = pytest.mark.anyio


@pytest.fixture
def clock() -> ports.Clock:
    return FakeClock(filled.utc("2026-11-23T05:40:12"))


@pytest.fixture
async def boss(deps: Deps, clock: ports.Clock) -> Actor:
    offices = await filled.open_offices(deps)
    invented = filled.Invented(rng=random.Random(11), now=clock.now(), offices=offices)
    await filled.fill(deps, invented, 200)
    await filled.store(deps, "dim_lead", [invented.lead() for _ in range(60)])
    return filled.manager(offices)


def _kinds() -> list[Figure]:
    """One figure of each kind: those of one fact, form and set of dimensions are asked in the same way."""
    found: dict[Any, Figure] = {}
    for figure in FIGURES.values():
        facts = tuple(MEASURES[name].fact for name in figure.measures)
        found.setdefault((figure.shape, facts, figure.dimensions, figure.unit), figure)
    return list(found.values())


async def _answer(deps: Deps, boss: Actor, figure: Figure, **asked: Any) -> dict[str, Any]:
    one = await drill.ask(
        deps, boss, component=figure.component, metric=figure.name, timeframe="30d", limit=200, **asked
    )
    return await drill.answer(deps, one)


@pytest.mark.parametrize("figure", _kinds(), ids=lambda figure: figure.name)
async def test_each_dimension_under_each_filter_adds_up_to_what_the_filter_names(
    deps: Deps, boss: Actor, figure: Figure
) -> None:
    dimensions = sorted(figure.dimensions)
    for other in dimensions:
        rows = (await _answer(deps, boss, figure, group_by=other))["rows"]
        picked = max(rows, key=lambda row: row["n"])
        for by in (*dimensions, None):
            answer = await _answer(deps, boss, figure, group_by=by, filters={other: picked["key"]})
            case = (by, other, picked["key"])
            assert answer["total"]["n"] == picked["n"], case
            assert sum(row["n"] for row in answer["rows"]) == picked["n"] or answer["next_cursor"], case


def _not_named() -> Iterator[tuple[str, str]]:
    for figure, dimension in product(FIGURES.values(), Dimension):
        if dimension not in figure.dimensions:
            yield figure.name, dimension


async def test_what_a_figure_is_not_divided_by_is_refused_with_what_there_is(deps: Deps, boss: Actor) -> None:
    refused = 0
    for name, dimension in _not_named():
        figure = FIGURES[name]
        for asked in ({"group_by": dimension}, {"filters": {dimension: "x"}}):
            with pytest.raises(errors.InputError) as caught:
                await drill.ask(deps, boss, component=figure.component, metric=name, **asked)
            assert all(one in caught.value.hint for one in figure.dimensions), (name, asked)
            refused += 1
    assert refused > 100
