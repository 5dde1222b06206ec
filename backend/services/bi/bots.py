"""The bots' figures, one by one: what the registry says a bot is measured by, against the equal period before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from backend.metrics import FIGURES, Figure, Shape
from backend.services.bi import compare, latency, points, spans
from backend.services.bi.closed import Reader
from backend.storage.pool import Connection
from backend.storage.warehouse import bots as store
from backend.storage.warehouse import latencies, sums
from backend.storage.warehouse.ranges import Group, Span
from domain import kpis

SHOWN = (
    "bot_success",
    "ml_response",
    "turn_response",
    "conversation_quality",
    "bot_confidence",
    "bot_error_rate",
    "conversations",
    "qualified",
    "bot_events",
    "handoffs",
)
"""Figures of a bot, in this order."""
_FIGURES = tuple(FIGURES[name] for name in SHOWN)
MEASURES = tuple(dict.fromkeys(name for figure in _FIGURES for name in figure.measures))
TIMED = tuple(figure.timed for figure in _FIGURES if figure.timed)
_WHOLE = frozenset({spans.ASKED, spans.BEFORE})
_COUNTED_SHARES = frozenset({"bot_success", "bot_error_rate"})
"""Shares of cases, so that they have a Wilson interval; the others are means."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """What is stored of a time: sums and latencies by (tag, bot)."""

    sums: Mapping[Group, Mapping[str, int]]
    latencies: Mapping[str, latencies.Histograms]

    def of(self, figure: Figure, group: Group) -> tuple[float | None, int]:
        """The figure of a group, and of how many cases it is."""
        if figure.shape is Shape.QUANTILE:
            assert figure.timed is not None
            return self.quantile(figure, group, figure.quantile or 0.5)
        found = self.sums.get(group, {})
        first = found.get(figure.measures[0], 0)
        if figure.shape is Shape.SUM:
            return (first * figure.factor, first) if found else (None, 0)
        n = found.get(figure.measures[1], 0)
        return (first * figure.factor / n if n else None), n

    def quantile(self, figure: Figure, group: Group, q: float) -> tuple[float | None, int]:
        counts = self.latencies[figure.timed or ""].get(group)
        if counts is None:
            return None, 0
        us = latency.quantile_us(counts, q)
        return (None if us is None else us * figure.factor), int(counts.sum())

    def course(self, figure: Figure, bot_key: int, tags: Sequence[int]) -> list[float | None]:
        """The figure of a bot, tag by tag; empty where no tag has one."""
        found = self._course(figure, bot_key, tags)
        return [] if all(point is None for point in found) else found

    def _course(self, figure: Figure, bot_key: int, tags: Sequence[int]) -> list[float | None]:
        if figure.shape is not Shape.QUANTILE:
            return [self.of(figure, (tag, bot_key))[0] for tag in tags]
        found = self.latencies[figure.timed or ""]
        counts = {tag: found[tag, bot_key] for tag in tags if (tag, bot_key) in found}
        quantiles = latency.quantiles_us(np.array([*counts.values()]), 0, figure.quantile or 0.5)
        by_tag = dict(zip(counts, quantiles, strict=True))
        return [None if (us := by_tag.get(tag)) is None else us * figure.factor for tag in tags]

    @property
    def groups(self) -> set[Group]:
        return {group for part in (self.sums, *self.latencies.values()) for group in part}


async def read(reads: Reader, span: Span, keys: Sequence[int]) -> Read:
    by = (sums.BOT,)
    return Read(
        sums=await reads.sums(MEASURES, span, by=by, bots=keys),
        latencies={kind: await reads.latencies(kind, span, by=by, bots=keys) for kind in TIMED},
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A timeframe, the equal part before it, and its course by tag; `label` says what is compared."""

    label: str
    read: Read
    """By the tags ASKED and BEFORE, and those of the course."""
    tags: Sequence[int]
    """Of the course: one for each point of the timeframe."""


async def counts(
    connection: Connection, span: Span, keys: Sequence[int]
) -> Mapping[Group, Mapping[str, int]]:
    """The measures alone, by (tag, bot)."""
    return await sums.of_span(connection, MEASURES, span, by=(sums.BOT,), bots=keys)


async def bots(reads: Reader, timeframe: str, known: Sequence[store.Bot]) -> dict[str, Any]:
    """Each of our four bots, and any other that did something here, by its id."""
    calendar = reads.calendar
    keys = [bot.bot_key for bot in known]
    span = calendar.asked(timeframe) + calendar.before(timeframe) + points.series(calendar, timeframe)
    found = await read(reads, span, keys)
    told = Told(
        label=compare.label(calendar, timeframe),
        read=found,
        tags=[point.first for point in points.of(calendar, timeframe)],
    )
    seen = {bot_key for tag, bot_key in found.groups if tag in _WHOLE}
    return {bot.bot_id: _bot(bot, told) for bot in known if bot.bot_key in seen or bot.bot_id in store.OURS}


def _bot(bot: store.Bot, told: Told) -> dict[str, Any]:
    figures = {figure.name: _figure(figure, bot.bot_key, told) for figure in _FIGURES}
    silent = all(figure["value"] is None for figure in figures.values())
    return {
        "bot_id": bot.bot_id,
        "name": bot.name,
        "metrics": figures,
        "performance_tiers": {name: figure["tier"] for name, figure in figures.items()},
        "note": compare.NO_DATA if silent else None,
    }


def _figure(figure: Figure, bot_key: int, told: Told) -> dict[str, Any]:
    group = (spans.ASKED, bot_key)
    value, n = told.read.of(figure, group)
    tier = figure.tiers.of(value) if figure.tiers else None
    return {
        "title": figure.title,
        "definition": figure.definition,
        "value": compare.in_unit(value, figure.unit),
        "unit": figure.unit.value,
        "n": n,
        "interval": _interval(figure, told.read, group),
        "comparison": _comparison(figure, value, bot_key, told),
        "trend": [
            compare.in_unit(point, figure.unit) for point in told.read.course(figure, bot_key, told.tags)
        ],
        "tier": tier.value if tier else None,
        "parts": _parts(figure, told.read, group),
        "higher_is_better": figure.higher_is_better,
        "note": None if value is not None else compare.NO_DATA,
    }


def _comparison(figure: Figure, value: float | None, bot_key: int, told: Told) -> dict[str, Any] | None:
    previous, n = told.read.of(figure, (spans.BEFORE, bot_key))
    found = compare.as_json(kpis.compare(value, previous, told.label), figure.unit)
    return None if found is None else found | {"n": n}


def _interval(figure: Figure, now: Read, group: Group) -> list[float] | None:
    if figure.name not in _COUNTED_SHARES:
        return None
    found = now.sums.get(group, {})
    good, n = (found.get(name, 0) for name in figure.measures)
    return compare.share_bounds(good, n)


def _parts(figure: Figure, now: Read, group: Group) -> dict[str, float | None]:
    if figure.shape is not Shape.QUANTILE:
        return {}
    median, _ = now.quantile(figure, group, 0.5)
    high, _ = now.quantile(figure, group, 0.95)
    target = {"target_ms": kpis.ML_TARGET_MS} if figure.timed == "scored" else {}
    return {"p50_ms": median, "p95_ms": high, **target}
