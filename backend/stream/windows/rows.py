"""What the windows say: for each location that changed, and for all together, the values of each window."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from backend.metrics import FIGURES, Shape
from backend.storage.warehouse.scope import ALL
from backend.stream.windows.contributions import BOT_MEASURES, KINDS, PLACE_MEASURES
from backend.stream.windows.histogram import CELLS, quantiles
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
    numbers = [sums.bots_at(location) for location in wanted]
    held = np.stack([sums.latencies[at].sum(axis=0) for at in numbers])
    whole = _figures_of_latencies(held.reshape(-1, CELLS))
    each = _figures_of_latencies(sums.latencies.reshape(-1, CELLS))
    return [
        Row(
            location=location,
            number=number,
            values=with_ratios(sums.values(location, at) | _pick(whole, place)),
            bots=sums.by_bot(location, at, each),
            latencies=_packed(held[place]),
        )
        for place, (location, at) in enumerate(zip(wanted, numbers, strict=True))
    ]


class _Sums:
    """The totals of one window, and whose they are."""

    def __init__(self, windows: Windows, number: int) -> None:
        self._windows, self._number = windows, number
        self._places = {key: at for at, key in enumerate(windows.places.keys)}
        self._totals = windows.places.rings[number].totals
        self._mine: dict[int, list[int]] = {}
        for at, (location, _) in enumerate(windows.bots.keys):
            self._mine.setdefault(location, []).append(at)
        many = len(windows.bots.keys)
        self._bots = windows.bots.rings[number].totals[:many]
        held = windows.histograms[number].totals[: many * len(KINDS)]
        if short := many * len(KINDS) - len(held):
            held = np.pad(held, ((0, short), (0, 0)))
        self.latencies = held.reshape(many, len(KINDS), CELLS)

    def bots_at(self, location: int) -> list[int]:
        """The places of its bots; of every bot anywhere, for ALL."""
        return list(range(len(self._bots))) if location == ALL else self._mine.get(location, [])

    def values(self, location: int, bots_at: Sequence[int]) -> Values:
        leads = self._windows.leads[self._number]
        if location == ALL:
            totals, distinct = self._totals.sum(axis=0), leads.everywhere()
        else:
            at = self._places.get(location)
            totals = self._totals[at] if at is not None else np.zeros(len(PLACE_MEASURES), np.int64)
            distinct = leads.count(location)
        found: Values = dict(zip(PLACE_MEASURES, totals.tolist(), strict=True))
        found |= zip(BOT_MEASURES, self._bots[list(bots_at)].sum(axis=0).tolist(), strict=True)
        return found | {"leads": distinct}

    def by_bot(
        self, location: int, bots_at: Sequence[int], each: Sequence[tuple[str, list[float | None]]]
    ) -> dict[str, Values]:
        keys = self._windows.bots.keys
        if location == ALL:
            return self._across(bots_at)
        found = {}
        for at in bots_at:
            values: Values = dict(zip(BOT_MEASURES, self._bots[at].tolist(), strict=True))
            if any(values.values()):
                found[keys[at][1]] = _sparse(with_ratios(values | _pick(each, at)))
        return found

    def _across(self, bots_at: Sequence[int]) -> dict[str, Values]:
        """Each bot over every location."""
        by_bot: dict[str, list[int]] = {}
        for at in bots_at:
            by_bot.setdefault(self._windows.bots.keys[at][1], []).append(at)
        if not by_bot:
            return {}
        held = np.stack([self.latencies[at].sum(axis=0) for at in by_bot.values()])
        each = _figures_of_latencies(held.reshape(-1, CELLS))
        found = {}
        for place, (bot, mine) in enumerate(by_bot.items()):
            values: Values = dict(zip(BOT_MEASURES, self._bots[mine].sum(axis=0).tolist(), strict=True))
            if any(values.values()):
                found[bot] = _sparse(with_ratios(values | _pick(each, place)))
        return found


def _figures_of_latencies(counts: Ints) -> list[tuple[str, list[float | None]]]:
    """For rows of counts (key · KINDS + kind): the name of each figure, and its value by key."""
    if not len(counts):
        return []
    middle, high = quantiles(counts, _SHARES)
    found = []
    for figure in _QUANTILES:
        kind = KINDS.index(figure.timed or "")
        for name, values in ((figure.name, high), (f"{figure.name}_p50", middle)):
            scaled = [round(us * figure.factor, 4) or None for us in values[kind :: len(KINDS)].tolist()]
            found.append((name, scaled))
    return found


def with_figures(values: Values, counts: Ints) -> Values:
    """Of one location: its sums, and its latencies as counts by kind and cell."""
    return with_ratios(values | _pick(_figures_of_latencies(counts), 0))


def _pick(figures: Sequence[tuple[str, list[float | None]]], place: int) -> Values:
    return {name: values[place] for name, values in figures}


def with_ratios(values: Values) -> Values:
    """With the ratios that can be made of them; None where nothing is there to divide by."""
    for name, over, under, factor in _RATIOS:
        n, value = values.get(under), values.get(over)
        values[name] = round(value / n * factor, 6) if value is not None and n else None
    return values


def _sparse(values: Values) -> Values:
    return {name: value for name, value in values.items() if value}


def _packed(held: Ints) -> dict[str, list[int]]:
    found = {}
    for kind, counts in zip(KINDS, held, strict=True):
        there = np.flatnonzero(counts)
        if len(there):
            low = int(there[0])
            found[kind] = [low, *counts[low : int(there[-1]) + 1].tolist()]
    return found
