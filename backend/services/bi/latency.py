"""Quantiles out of counted cells: right to 1 % (decision 0013)."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np

from backend.storage.warehouse.latencies import CELLS, Counts

ACCURACY = 0.01
LEAST_US = 100.0
GROWTH = (1 + ACCURACY) / (1 - ACCURACY)


def quantile_us(counts: Counts, q: float) -> float | None:
    """The value of the cell in which the ⌈q·n⌉-th smallest latency lies, in µs; None of nothing."""
    n = int(counts.sum())
    if n <= 0:
        return None
    return _value(int(np.searchsorted(np.cumsum(counts), max(1, math.ceil(q * n)))))


def quantiles_us(counts: Counts, low: int, q: float) -> list[float | None]:
    """The same of each row; its first column is the cell `low`."""
    if not counts.size:
        return [None] * len(counts)
    upto = np.cumsum(counts, axis=1)
    n = upto[:, -1]
    ranks = np.maximum(1, np.ceil(q * n))
    cells = low + (upto < ranks[:, None]).sum(axis=1)
    return [
        _VALUES[cell] if many > 0 else None for cell, many in zip(cells.tolist(), n.tolist(), strict=True)
    ]


def _value(cell: int) -> float:
    return LEAST_US if cell == 0 else LEAST_US * GROWTH**cell * (1 - ACCURACY)


_VALUES = [_value(cell) for cell in range(CELLS + 1)]


def total(parts: Iterable[Counts]) -> Counts:
    return sum(parts, start=np.zeros(CELLS, np.int64))
