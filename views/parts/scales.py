"""From values to pixels: round ticks, an axis of numbers, dates or names."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from views.parts import formats, plot


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """The part of the canvas where the data is."""

    left: float
    top: float
    width: float
    height: float

    @property
    def bottom(self) -> float:
        return self.top + self.height

    @property
    def right(self) -> float:
        return self.left + self.width


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """Values and the pixels that they fall on."""

    low: float
    high: float
    start: float
    end: float

    def at(self, value: float) -> float:
        span = (self.high - self.low) or 1.0
        return self.start + (value - self.low) / span * (self.end - self.start)

    def back(self, pixel: float) -> float:
        return self.low + (pixel - self.start) / ((self.end - self.start) or 1.0) * (self.high - self.low)


def ticks(low: float, high: float, wanted: int = 5) -> tuple[float, ...]:
    """Round numbers that cover the range."""
    span = (high - low) or abs(high) or 1.0
    raw = span / max(1, wanted - 1)
    unit: float = 10.0 ** math.floor(math.log10(raw))
    step = next(unit * factor for factor in (1, 2, 2.5, 5, 10) if unit * factor >= raw * 0.999)
    first = math.floor(low / step)
    count = math.ceil(high / step - 1e-9) - first
    return tuple(round((first + i) * step, 10) for i in range(count + 1))


def value_range(data: plot.Plot) -> tuple[float, float]:
    """Lowest and highest of what is drawn; bars stand on zero, stacks add up."""
    values = [y for one in data.series for y in one.ys if y is not None]
    if not values:
        return 0.0, 1.0
    low, high = min(values), max(values)
    if any(one.kind == "bar" or one.fill_to_zero for one in data.series):
        low, high = min(low, 0.0), max(high, 0.0)
    if data.stacked:
        high = max(high, *_sums(data).values())
    return low, high if high > low else low + 1.0


def _sums(data: plot.Plot) -> dict[float, float]:
    sums: dict[float, float] = {0.0: 0.0}
    for one in data.series:
        for x, y in zip(one.xs, one.ys, strict=False):
            if one.kind == "bar" and y is not None and y > 0:
                sums[x] = sums.get(x, 0.0) + y
    return sums


def x_range(data: plot.Plot) -> tuple[float, float]:
    """First and last position; room for half a bar at both ends."""
    xs = [x for one in data.series for x in one.xs]
    if not xs:
        return 0.0, 1.0
    low, high = min(xs), max(xs)
    if any(one.kind == "bar" for one in data.series):
        pad = bar_step(data) / 2
        return low - pad, high + pad
    return low, high if high > low else low + 1.0


def bar_step(data: plot.Plot) -> float:
    """The smallest distance between two bars."""
    xs = sorted({x for one in data.series if one.kind == "bar" for x in one.xs})
    gaps = [b - a for a, b in itertools.pairwise(xs)]
    return min(gaps, default=1.0)


def y_words(data: plot.Plot, value: float) -> str:
    """A tick's words: `$1.2M`, `61%`, `1,200`."""
    size = abs(value)
    for limit, unit in ((1e9, "B"), (1e6, "M"), (1e4, "k")):
        if size >= limit:
            scale = {"B": 1e9, "M": 1e6, "k": 1e3}[unit]
            number = f"{value / scale:.1f}".rstrip("0").rstrip(".") + unit
            break
    else:
        number = (
            formats.number(value) if value == int(value) else f"{value:.2g}" if size < 1 else f"{value:.1f}"
        )
    return f"{data.y_prefix}{number}{data.y_suffix}"


def x_words(data: plot.Plot, value: float, span: float) -> str:
    """A position's words: its name, a date, or the number."""
    if data.labels:
        index = round(value)
        return data.labels[index] if 0 <= index < len(data.labels) else ""
    if data.dates:
        form = "%H:%M" if span < 2 * 86400 else "%-d %b" if span < 400 * 86400 else "%b %Y"
        return datetime.fromtimestamp(value, UTC).strftime(form)
    return formats.number(value) if value == int(value) else f"{value:g}"


def x_ticks(data: plot.Plot, low: float, high: float, wanted: int) -> Sequence[float]:
    """Positions that get words; at most as many as there is room for."""
    if data.labels:
        every = max(1, math.ceil(len(data.labels) / max(1, wanted)))
        return [float(i) for i in range(0, len(data.labels), every)]
    if data.dates:
        xs = sorted({x for one in data.series for x in one.xs if low <= x <= high})
        every = max(1, math.ceil(len(xs) / max(1, wanted)))
        return xs[::every]
    return [tick for tick in ticks(low, high, wanted) if low <= tick <= high]
