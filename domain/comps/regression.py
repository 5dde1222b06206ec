"""A small local ridge regression of log prices by normal equations, in plain Python."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from domain import linear
from domain.comps import values

LOGGED = ("sqft", "lot_sqft")
MIN_SALES = 30
RIDGE = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Local:
    """What the local market pays: log points by attribute and by month, with the sales behind them.

    `spread` = how far (log) the local sales lie from it, typically.
    """

    weights: dict[str, float]
    monthly: float
    n: int
    price_per_sqft: float | None
    spread: float = 0.0

    def change(self, name: str, subject: float, comp: float) -> float:
        """The relative price change when a comp's attribute becomes the subject's."""
        return math.exp(self.weights.get(name, 0.0) * (_read(name, subject) - _read(name, comp))) - 1


def _read(name: str, value: float) -> float:
    return math.log(max(value, 1.0)) if name in LOGGED else value


def fit(sales: Sequence[values.Sale], subject: values.House, as_of: date) -> Local:
    """Fitted on the sales given where there are enough of them, else nothing but dollars per square foot."""
    per_foot = sorted(s.price_cents / s.sqft for s in sales if s.sqft)
    median = per_foot[len(per_foot) // 2] if per_foot else None
    names = [
        name
        for name in values.ATTRIBUTES
        if getattr(subject, name) is not None and all(getattr(sale, name) is not None for sale in sales)
    ]
    if len(sales) < MIN_SALES or not names:
        return Local(weights={}, monthly=0.0, n=len(sales), price_per_sqft=median)
    rows = [_row(sale, names, as_of) for sale in sales]
    prices = [math.log(sale.price_cents) for sale in sales]
    betas = ridge(rows, prices)
    residuals = [
        y - sum(b * x for b, x in zip(betas, row, strict=True)) for row, y in zip(rows, prices, strict=True)
    ]
    found = dict(zip(names, betas, strict=False))
    found = {name: max(0.0, beta) if name in LOGGED else beta for name, beta in found.items()}
    monthly = min(max(-betas[len(names)], -0.02), 0.02)
    return Local(
        weights=found, monthly=monthly, n=len(sales), price_per_sqft=median, spread=_spread(residuals)
    )


def _spread(residuals: Sequence[float]) -> float:
    """The 80th percentile of the distances from the middle: one family estate does not widen every range."""
    ordered = sorted(residuals)
    middle = ordered[len(ordered) // 2]
    return sorted(abs(residual - middle) for residual in ordered)[int(0.8 * len(ordered))]


def _row(sale: values.Sale, names: Sequence[str], as_of: date) -> list[float]:
    """The attributes, months of age, and the place, since a local market slopes too."""
    attributes = [_read(name, getattr(sale, name)) for name in names]
    return [*attributes, values.months_between(sale.sold_on, as_of), sale.lat, sale.lon]


def ridge(rows: Sequence[Sequence[float]], targets: Sequence[float], penalty: float = RIDGE) -> list[float]:
    """Slopes of the standardised columns, back in the columns' own units; a flat column gets 0."""
    n, width = len(rows), len(rows[0])
    means = [sum(column) / n for column in zip(*rows, strict=True)]
    spreads = [math.sqrt(sum((row[j] - means[j]) ** 2 for row in rows) / n) for j in range(width)]
    scaled = [
        [(row[j] - means[j]) / spreads[j] if spreads[j] > 1e-12 else 0.0 for j in range(width)]
        for row in rows
    ]
    middle = sum(targets) / n
    gram = [[sum(row[i] * row[j] for row in scaled) for j in range(width)] for i in range(width)]
    for j in range(width):
        gram[j][j] += penalty
    moments = [
        sum(row[j] * (target - middle) for row, target in zip(scaled, targets, strict=True))
        for j in range(width)
    ]
    slopes = linear.solve(gram, moments)
    return [slope / spread if spread > 1e-12 else 0.0 for slope, spread in zip(slopes, spreads, strict=True)]
