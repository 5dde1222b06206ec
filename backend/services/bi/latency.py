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
    cell = int(np.searchsorted(np.cumsum(counts), max(1, math.ceil(q * n))))
    return LEAST_US if cell == 0 else LEAST_US * GROWTH**cell * (1 - ACCURACY)


def total(parts: Iterable[Counts]) -> Counts:
    return sum(parts, start=np.zeros(CELLS, np.int64))
