"""What is unlike the same hour of the week (or weekday) of the weeks before, how sure that is, and what it consists of."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar
from zoneinfo import ZoneInfo

import numpy as np

from backend.actor import Actor
from backend.metrics import FIGURES, Figure, Shape
from backend.policy import Permission
from backend.services.bi import baselines, context, question, spans, unusual
from backend.services.bi.baselines import Floats
from backend.services.bi.question import Question
from backend.services.bi.unusual import TRIED_WEEKS, WEEKS, Episode, Grid
from backend.storage.pool import Connection
from backend.storage.warehouse import newest, series
from backend.storage.warehouse.ranges import HOUR, floor
from domain.kpis import Unit

if TYPE_CHECKING:
    from backend.deps import Deps

MOST_CONTEXT = 10
HOURLY = ("24h", "7d")
"""Timeframes that are judged hour by hour; longer ones day by day."""
WATCHED = tuple(
    figure
    for figure in FIGURES.values()
    if figure.shape is Shape.SUM
    and figure.unit is Unit.COUNT
    and figure.permission is not Permission.SEE_MONEY
)
"""Counts of what happens. Money comes too rarely to have a usual hour or day: the forecast's bands judge it."""
METHOD = (
    "median and MAD of the same {slot} in up to 12 weeks before, on a scale where chance has a spread of one; "
    "unusual beyond {limit:.1f} spreads"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class AnomalyQuestion(Question):
    name: ClassVar[str] = "anomaly-detection"

    sensitivity: float = 0.5

    def options(self) -> Mapping[str, Any]:
        return {"sensitivity": self.sensitivity}


async def ask(
    deps: Deps, actor: Actor, *, location_id: str = "", timeframe: str = "7d", sensitivity: float = 0.5
) -> AnomalyQuestion:
    """Raises: ForbiddenError."""
    scope, offices = await question.whose(deps, actor, location_id, Permission.SEE_KPIS)
    return AnomalyQuestion(scope=scope, offices=offices, timeframe=timeframe, sensitivity=sensitivity)


async def answer(deps: Deps, asked: AnomalyQuestion) -> dict[str, Any]:
    """All from one snapshot of the warehouse. Raises: TooMuchError."""
    now = deps.clock.now()
    async with question.opened(deps, asked.scope) as connection:
        grids = await read(connection, asked, now)
        found = await asyncio.to_thread(unusual.judged, grids, asked.timeframe, asked.sensitivity)
        watermark = await newest.event(connection, asked.scope, now)
        told = [
            await _told(connection, asked, grids[episode.metric], episode)
            for episode in found.episodes[:MOST_CONTEXT]
        ]
    limit = baselines.threshold(asked.sensitivity)
    slot = "hour of the week" if asked.timeframe in HOURLY else "weekday"
    return {
        "timeframe": asked.timeframe,
        "sensitivity": asked.sensitivity,
        "threshold": limit,
        "grain": "hour" if asked.timeframe in HOURLY else "day",
        "method": METHOD.format(slot=slot, limit=limit),
        "anomalies": told,
        "found": len(found.episodes),
        "metrics": found.metrics,
        "not_enough_data": found.short,
        **question.stamps(now, watermark, "aggregates"),
    }


async def read(connection: Connection, asked: AnomalyQuestion, now: datetime) -> dict[str, Grid]:
    """Each watched figure's counts, week by week on the office's clock."""
    names = [figure.name for figure in WATCHED if asked.sees(figure.permission)]
    if asked.timeframe in HOURLY:
        return await _by_hour(connection, asked, names, now)
    return await _by_day(connection, asked, names, now)


async def _by_hour(
    connection: Connection, asked: AnomalyQuestion, names: Sequence[str], now: datetime
) -> dict[str, Grid]:
    """Hours of the wall clock, up to the one that runs; where clocks are put back the second of two hours counts."""
    zone = asked.offices[0].zone if asked.offices else ZoneInfo("UTC")
    end, slots, rows = floor(now), 7 * 24, WEEKS + TRIED_WEEKS + 1
    last = end.astimezone(zone).replace(tzinfo=None)

    def place(hour: datetime) -> int:
        return rows * slots - (last - hour.astimezone(zone).replace(tzinfo=None)) // HOUR

    found = await series.hourly(connection, asked.scope.places, names, end - rows * slots * HOUR, end)
    at = {place(hour): sums for hour, sums in found.items()}
    labels = {place(hour): hour for hour in (end - n * HOUR for n in range(1, slots + 1))}
    return {name: Grid(counts=_filled(at, name, rows, slots), names=labels) for name in names}


async def _by_day(
    connection: Connection, asked: AnomalyQuestion, names: Sequence[str], now: datetime
) -> dict[str, Grid]:
    """Days that are over at every office."""
    until = spans.last_complete(asked.offices, now)
    rows = WEEKS + TRIED_WEEKS + -(-spans.DAYS[asked.timeframe] // 7)
    days = [until - n * spans.ONE_DAY for n in range(rows * 7 - 1, -1, -1)]
    found = await series.daily(
        connection, asked.scope.places, names, spans.date_key(days[0]), spans.date_key(until)
    )
    at = {(spans.day_of(key) - days[0]).days: sums for key, sums in found.items()}
    labels = {place: spans.date_key(day) for place, day in enumerate(days)}
    return {name: Grid(counts=_filled(at, name, rows, 7), names=labels) for name in names}


def _filled(at: Mapping[int, series.Sums], name: str, rows: int, slots: int) -> Floats:
    """From the first slot with anything of it on, silence is a zero."""
    counts = np.full(rows * slots, np.nan)
    busy = [place for place, sums in at.items() if sums[name] > 0 and 0 <= place < rows * slots]
    if busy:
        counts[min(busy) :] = 0.0
        for place in busy:
            counts[place] = at[place][name]
    return counts.reshape(rows, slots)


async def _told(
    connection: Connection, asked: AnomalyQuestion, grid: Grid, episode: Episode
) -> dict[str, Any]:
    figure: Figure = FIGURES[episode.metric]
    first, last = grid.names[episode.first], grid.names[episode.last]
    weeks = episode.first // grid.counts.shape[1]
    return {
        "metric": episode.metric,
        "title": figure.title,
        "from": _iso(first),
        "to": _iso(last),
        "slots": episode.last - episode.first + 1,
        "direction": "up" if episode.score > 0 else "down",
        "observed": episode.observed,
        "expected": episode.expected,
        "band": [episode.low, episode.high],
        "score": episode.score,
        "n": min(WEEKS, weeks),
        "context": await context.of_episode(
            connection,
            asked.offices,
            episode.metric,
            [grid.names[n] for n in range(episode.first, episode.last + 1)],
        ),
        "drill_down": {
            "component": figure.component.value,
            "metric": episode.metric,
            "timeframe": asked.timeframe,
            "location_id": asked.offices[0].id if len(asked.offices) == 1 else question.ALL,
        },
    }


def _iso(name: datetime | int) -> str:
    return spans.day_of(name).isoformat() if isinstance(name, int) else name.isoformat()
