"""What the windows say: for each location that changed, and for all together, the values of each window."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from backend.metrics import FIGURES, Shape
from backend.storage.warehouse.scope import ALL
from backend.stream.windows.contributions import BOT_MEASURES, KINDS, PLACE_MEASURES
from backend.stream.windows.histogram import quantiles
from backend.stream.windows.panes import Ints
from backend.stream.windows.spans import SPANS
from backend.stream.windows.state import Windows

Values: TypeAlias = dict[str, float | int | None]

_RATIOS: Sequence[tuple[str, str, str, float]] = tuple(
    (f.name, f.measures[0], f.measures[1], f.factor)
    for f in FIGURES.values()
    if f.live and f.shape is Shape.RATIO
)
_QUANTILES = tuple(f for f in FIGURES.values() if f.live and f.shape is Shape.QUANTILE)
_SHARES = (0.5, 0.95)
_FIGURES = tuple(name for f in _QUANTILES for name in (f.name, f"{f.name}_p50")) + tuple(
    name for name, *_ in _RATIOS
)
_PLACE = (*PLACE_MEASURES, *BOT_MEASURES, *_FIGURES)
_BOT = (*BOT_MEASURES, *_FIGURES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One window of one location (or ALL). `bots`: by bot id, the measures that are not 0, and the figures of the bot."""

    location: int
    number: int
    values: Values
    bots: Mapping[str, Values]
    latencies: Mapping[str, Sequence[int]]
    """By kind, [first cell, counts …]; nothing where none was timed."""

    @property
    def window(self) -> str:
        return SPANS[self.number].name


def changed(windows: Windows) -> list[Row]:
    """What is otherwise than when this was last asked."""
    found: list[Row] = []
    for number in range(len(SPANS)):
        places, bots = windows.places.rings[number].changed, windows.bots.rings[number].changed
        locations = {windows.places.keys[at] for at in np.flatnonzero(places).tolist()}
        locations |= {windows.bots.keys[at][0] for at in np.flatnonzero(bots).tolist()}
        locations |= windows.leads_changed[number]
        places[:], bots[:] = False, False
        windows.leads_changed[number].clear()
        if locations:
            found += of_window(windows, number, locations)
    return found


def of_window(windows: Windows, number: int, locations: Collection[int]) -> list[Row]:
    """The rows of these locations, and that of all together."""
    sums = _Sums(windows, number)
    wanted = [*sorted(locations), ALL]
    bots_at = [sums.bots_at(location) for location in wanted]
    measured = np.array([sums.bots[at].sum(axis=0) for at in bots_at])
    held = np.array([sums.latencies[at].sum(axis=0) for at in bots_at])
    places = np.array([sums.place(location) for location in wanted])
    figures = _figures(measured, held, sums.low)
    packed = _packed(held, sums.low)
    rows = zip(wanted, bots_at, np.hstack((places, measured)).tolist(), figures, packed, strict=True)
    bots = sums.by_bot([one for at in bots_at[:-1] for one in at])
    return [
        Row(
            location=location,
            number=number,
            values=dict(zip(_PLACE, counts + found, strict=True)) | {"leads": sums.leads(location)},
            bots=sums.across() if location == ALL else dict(bots[one] for one in at if bots[one][1]),
            latencies=latencies,
        )
        for location, at, counts, found, latencies in rows
    ]


class _Sums:
    """The totals of one window, and whose they are. `latencies`: by bot, kind, and cell from `low` to the last with something in it.

    Worked out for all at once: a call of numpy costs as much as a row."""

    def __init__(self, windows: Windows, number: int) -> None:
        self._windows, self._number = windows, number
        self._places = {key: at for at, key in enumerate(windows.places.keys)}
        self._totals = windows.places.rings[number].totals
        self._mine: dict[int, list[int]] = {}
        for at, (location, _) in enumerate(windows.bots.keys):
            self._mine.setdefault(location, []).append(at)
        many = len(windows.bots.keys)
        self.bots = windows.bots.rings[number].totals[:many]
        held = windows.histograms[number].totals[: many * len(KINDS)]
        if short := many * len(KINDS) - len(held):
            held = np.pad(held, ((0, short), (0, 0)))
        there = np.flatnonzero(held.any(axis=0))  # most cells are never seen
        self.low = int(there[0]) if len(there) else 0
        high = int(there[-1]) + 1 if len(there) else 1
        self.latencies = held[:, self.low : high].reshape(many, len(KINDS), high - self.low)

    def bots_at(self, location: int) -> list[int]:
        """The places of its bots; of every bot anywhere, for ALL."""
        return list(range(len(self.bots))) if location == ALL else self._mine.get(location, [])

    def place(self, location: int) -> Ints:
        if location == ALL:
            found: Ints = self._totals.sum(axis=0)
            return found
        at = self._places.get(location)
        return self._totals[at] if at is not None else np.zeros(len(PLACE_MEASURES), np.int64)

    def leads(self, location: int) -> int:
        leads = self._windows.leads[self._number]
        return leads.everywhere() if location == ALL else leads.count(location)

    def by_bot(self, places: Sequence[int]) -> dict[int, tuple[str, Values]]:
        """The bots in these places; no values where one did nothing."""
        names = [self._windows.bots.keys[at][1] for at in places]
        at = np.array(places, np.int64)
        return dict(zip(places, self._sparse(names, self.bots[at], self.latencies[at]), strict=True))

    def across(self) -> dict[str, Values]:
        """Each bot over every location."""
        by_bot: dict[str, list[int]] = {}
        for at, (_, bot) in enumerate(self._windows.bots.keys):
            by_bot.setdefault(bot, []).append(at)
        if not by_bot:
            return {}
        measured = np.array([self.bots[at].sum(axis=0) for at in by_bot.values()])
        held = np.array([self.latencies[at].sum(axis=0) for at in by_bot.values()])
        return {bot: values for bot, values in self._sparse(list(by_bot), measured, held) if values}

    def _sparse(self, names: Sequence[str], measured: Ints, held: Ints) -> list[tuple[str, Values]]:
        there: Any = measured.any(axis=1)
        rows = zip(names, there.tolist(), measured.tolist(), _figures(measured, held, self.low), strict=True)
        return [
            (name, {k: v for k, v in zip(_BOT, counts + found, strict=True) if v} if some else {})
            for name, some, counts, found in rows
        ]


def _figures(measured: Ints, held: Ints, low: int = 0) -> list[list[float | None]]:
    """For rows of BOT_MEASURES and of their latencies by kind and cell from `low` on: the values of `_FIGURES`."""
    if not len(measured):
        return []
    middle, high = quantiles(held.reshape(-1, held.shape[2]), _SHARES, first=low)
    columns: list[list[float | None]] = []
    for figure in _QUANTILES:
        kind = KINDS.index(figure.timed or "")
        for values in (high, middle):
            scaled = (values[kind :: len(KINDS)] * figure.factor).round(4).tolist()
            columns.append([us or None for us in scaled])
    for _, over, under, factor in _RATIOS:
        n = measured[:, BOT_MEASURES.index(under)]
        ratio = (measured[:, BOT_MEASURES.index(over)] / n.clip(1) * factor).round(6)
        columns.append([one if some else None for one, some in zip(ratio.tolist(), n.tolist(), strict=True)])
    return [list(row) for row in zip(*columns, strict=True)]


def with_figures(values: Values, counts: Ints) -> Values:
    """Of one location: its sums, and its latencies as counts by kind and cell."""
    measured = np.array([[values.get(name) or 0 for name in BOT_MEASURES]], np.int64)
    return values | dict(zip(_FIGURES, _figures(measured, counts[None])[0], strict=True))


def with_ratios(values: Values) -> Values:
    """With the ratios that can be made of them; None where nothing is there to divide by."""
    for name, over, under, factor in _RATIOS:
        n, value = values.get(under), values.get(over)
        values[name] = round(value / n * factor, 6) if value is not None and n else None
    return values


def _packed(held: Ints, low: int) -> list[dict[str, list[int]]]:
    """For rows of counts by kind and cell from `low` on: of each kind the first cell with something in it, and the counts up to the
    last."""
    there: NDArray[np.bool_] = np.not_equal(held, 0)
    some_of: Any = there.any(axis=2)
    begin, end = there.argmax(axis=2), held.shape[2] - there[:, :, ::-1].argmax(axis=2)
    return [
        {
            kind: [low + first, *counts[first:last].tolist()]
            for kind, some, first, last, counts in zip(KINDS, *row, strict=True)
            if some
        }
        for row in zip(some_of.tolist(), begin.tolist(), end.tolist(), held, strict=True)
    ]
