"""Plain statistics that state their own error: robust bands of counts, slopes, conformal widths, shares that differ."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from domain.kpis import Z_95

Floats: TypeAlias = NDArray[np.float64]

LEAST_WEEKS = 4
"""Fewer like times than this are no history to judge by."""
MAD_TO_SD = 1.4826


@dataclass(frozen=True, slots=True, kw_only=True)
class Slope:
    """Change of a figure with each step of time, and its 95 % interval."""

    per_step: float
    low: float
    high: float
    n: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Bands:
    """Where counts are expected (`low` to `high`), and how many spreads the observed ones lie off. NaN = not known."""

    middle: Floats
    low: Floats
    high: Floats
    score: Floats


def threshold(sensitivity: float) -> float:
    """How many spreads are too many: 5.6 at a sensitivity of .1, down to 2 at 1. Raises: ValueError outside .1-1."""
    if not 0.1 <= sensitivity <= 1:
        raise ValueError("sensitivity lies between .1 and 1")
    return 6.0 - 4.0 * sensitivity


def flat(counts: Floats) -> Floats:
    """Counts on a scale where chance alone has a spread of one, however large they are (Anscombe)."""
    return np.asarray(2.0 * np.sqrt(np.maximum(counts, 0.0) + 0.375), dtype=np.float64)


def unflat(values: Floats) -> Floats:
    """Back to counts, never below none."""
    return np.asarray(np.maximum((np.maximum(values, 0.0) / 2.0) ** 2 - 0.375, 0.0), dtype=np.float64)


def bands(history: Floats, observed: Floats, limit: float) -> Bands:
    """`observed` against its column of `history` (a row a week, NaN = not known): median ± `limit` spreads.

    Median and MAD on the flat scale; the spread is never less than that of chance, so that small counts do not alarm.
    """
    enough = np.count_nonzero(~np.isnan(history), axis=0) >= LEAST_WEEKS
    scaled = np.where(enough, flat(history), 0.0)
    middle = np.nanmedian(scaled, axis=0)
    spread = np.maximum(MAD_TO_SD * np.nanmedian(np.abs(scaled - middle), axis=0), 1.0)
    middle = np.where(enough, middle, np.nan)
    return Bands(
        middle=unflat(middle),
        low=unflat(middle - limit * spread),
        high=unflat(middle + limit * spread),
        score=(flat(observed) - middle) / spread,
    )


def theil_sen(values: Sequence[float], at: Sequence[float] | None = None) -> Slope | None:
    """The median slope between all pairs of values (at rising times, or one step apart), with Sen's 95 % interval.

    None under three values.
    """
    n = len(values)
    if n < 3:
        return None
    points = np.asarray(values, dtype=np.float64)
    times = np.arange(n, dtype=np.float64) if at is None else np.asarray(at, dtype=np.float64)
    first, second = np.triu_indices(n, k=1)
    slopes = np.sort((points[second] - points[first]) / (times[second] - times[first]))
    spread = Z_95 * math.sqrt(n * (n - 1) * (2 * n + 5) / 18)
    lowest = max(math.floor((len(slopes) - spread) / 2), 0)
    return Slope(
        per_step=float(np.median(slopes)),
        low=float(slopes[lowest]),
        high=float(slopes[len(slopes) - 1 - lowest]),
        n=n,
    )


def conformal(residuals: Sequence[float], level: float, *, overlap: int = 1) -> float | None:
    """Half the width that holds `level` of what comes, from errors made before; None where they are too few to say.

    Where `overlap` neighbours share most of their time, n errors are worth fewer. A higher level is read off then: by half of what
    n ÷ overlap errors would ask for; on real series that comes nearest to `level` (docs/measured.md).
    """
    n = len(residuals)
    if not n or math.ceil((n + 1) * level) > n:
        return None
    if overlap > 1:
        level += level / 2 / (n / overlap + 1)
    place = min(math.ceil((n + 1) * level), n)
    return sorted(abs(residual) for residual in residuals)[place - 1]


def wape(actual: Sequence[float], predicted: Sequence[float]) -> float | None:
    """Σ |error| ÷ Σ |actual|; None where nothing was."""
    whole = math.fsum(abs(value) for value in actual)
    if whole == 0:
        return None
    return math.fsum(abs(a - p) for a, p in zip(actual, predicted, strict=True)) / whole


def chance_lower(good: int, n: int, good_before: int, n_before: int) -> float | None:
    """The chance that a share fell below what it was: normal approximation with one case of each kind added; None of nothing."""
    if not n or not n_before:
        return None
    now, before = (good + 1) / (n + 2), (good_before + 1) / (n_before + 2)
    variance = now * (1 - now) / (n + 3) + before * (1 - before) / (n_before + 3)
    return NormalDist().cdf((before - now) / math.sqrt(variance))


def luck(total: float, deal: float, level: float) -> float:
    """Half the width that luck alone gives a total of deals: they come as Poisson; `deal` is the mean of their squares ÷ their mean."""
    return spreads(level) * math.sqrt(max(total, 0.0) * deal)


def spreads(level: float) -> float:
    """Half the width of a normal band, in spreads: 1.28 of 80 %, 1.96 of 95 %."""
    return NormalDist().inv_cdf((1 + level) / 2)


def luck_floor(events: float, spread: float) -> float | None:
    """The relative error that luck alone brings to a total of `events` amounts whose spread ÷ mean is `spread`."""
    if events <= 0:
        return None
    return math.sqrt(2 / math.pi) * math.sqrt((1 + spread**2) / events)
