"""The registry says what the database does."""

from __future__ import annotations

import pytest

from backend.deps import Deps
from backend.metrics import FIGURES, MEASURES, Shape

pytestmark = pytest.mark.anyio


async def test_the_database_counts_by_the_measures_of_the_registry(deps: Deps) -> None:
    rows = await deps.pool.fetch("SELECT name, fact, expression FROM bi_measures ORDER BY place")

    assert [tuple(row) for row in rows] == [(m.name, m.fact, m.expression) for m in MEASURES.values()]


async def test_both_aggregates_have_a_column_for_each_measure(deps: Deps) -> None:
    for table in ("agg_hourly_metrics", "agg_daily_metrics"):
        columns = await deps.pool.fetch(
            "SELECT column_name FROM information_schema.columns WHERE table_name = $1 ORDER BY ordinal_position",
            table,
        )

        assert [row["column_name"] for row in columns][3:] == list(MEASURES)


def test_each_figure_is_made_of_measures_that_exist() -> None:
    for figure in FIGURES.values():
        assert set(figure.measures) <= MEASURES.keys()
        needed = {Shape.SUM: 1, Shape.RATIO: 2, Shape.QUANTILE: 0, Shape.STOCK: 0}[figure.shape]
        assert len(figure.measures) == needed
        assert (figure.quantile is not None and figure.timed is not None) == (figure.shape is Shape.QUANTILE)
