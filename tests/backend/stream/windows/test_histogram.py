"""Latencies fall into the cells of the database, and quantiles are right to one in a hundred."""

from __future__ import annotations

import math
import random

import numpy as np
import pytest

from backend.deps import Deps
from backend.stream.windows.histogram import CELLS, LAST, bounds, cell, cells, quantiles


@pytest.mark.anyio
async def test_the_cells_are_those_of_the_database(deps: Deps) -> None:
    edges = bounds().tolist()
    values = sorted({0, 1, 99, 100, 101, 3_600_000_000, *edges, *(edge + 1 for edge in edges)})

    rows = await deps.pool.fetch("SELECT bi_latency_cell(us) AS cell FROM unnest($1::bigint[]) AS us", values)

    assert [row["cell"] for row in rows] == [cell(us) for us in values] == cells(np.array(values)).tolist()


def test_a_quantile_is_right_to_one_in_a_hundred() -> None:
    rnd = random.Random(1)
    values = sorted(int(rnd.lognormvariate(10, 2)) + 100 for _ in range(5_000))
    counts = np.bincount(cells(np.array(values)), minlength=CELLS)[None, :]

    for share, found in zip((0.01, 0.5, 0.95, 1.0), quantiles(counts, (0.01, 0.5, 0.95, 1.0)), strict=True):
        exact = values[math.ceil(share * len(values)) - 1]
        assert exact * 0.989 <= found[0] <= exact * 1.011


def test_an_empty_row_has_no_quantile() -> None:
    assert quantiles(np.zeros((2, CELLS), np.int64), (0.5,))[0].tolist() == [0, 0]


def test_the_last_cell_has_no_end() -> None:
    assert cell(10**15) == LAST
