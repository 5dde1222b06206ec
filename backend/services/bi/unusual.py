"""Finding what is unusual in counts by week and slot of the week: pure arrays in, episodes and measured rates out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from backend.metrics import FIGURES
from backend.services.bi import baselines, compare, spans
from backend.services.bi.baselines import LEAST_WEEKS, Floats

WEEKS = 12
"""Each time is held against the same time of so many weeks before it."""
TRIED_WEEKS = 8
"""So many weeks before that are judged in the same way: how often they alarm is the measured rate."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """Counts by week (a row) and slot of the week (a column); the last slot is the last complete one. NaN: not known yet.

    `names` tells the hour or date key of a place, counted from the first slot.
    """

    counts: Floats
    names: Mapping[int, Any]

    @property
    def weeks(self) -> int:
        """Of which anything is known."""
        return int(np.count_nonzero(~np.isnan(self.counts).all(axis=1)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Scores:
    """Every slot held against its own past: a band and how many spreads it is off."""

    low: Floats
    middle: Floats
    high: Floats
    score: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Episode:
    """Neighbouring slots (places of a grid, `last` included) that are unusual in one direction."""

    metric: str
    first: int
    last: int
    observed: int
    expected: float
    low: float
    high: float
    score: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Episodes, the farthest off first; what can be said of each metric; those with too little history."""

    episodes: tuple[Episode, ...]
    metrics: tuple[Mapping[str, Any], ...]
    short: tuple[Mapping[str, Any], ...]


def judged(grids: Mapping[str, Grid], timeframe: str, sensitivity: float) -> Verdict:
    limit = baselines.threshold(sensitivity)
    episodes: list[Episode] = []
    metrics: list[Mapping[str, Any]] = []
    short: list[Mapping[str, Any]] = []
    for metric, grid in grids.items():
        scores = scored(grid.counts, limit)
        slots = checked(grid.counts, timeframe)
        if np.isnan(scores.score.ravel()[-slots:]).all():
            short.append({"metric": metric, "weeks": grid.weeks, "needed": LEAST_WEEKS + 1})
            continue
        episodes += found_in(metric, grid.counts, scores, limit, slots)
        metrics.append(_metric(metric, scores, limit, slots, grid.counts.shape[1]))
    return Verdict(
        episodes=tuple(sorted(episodes, key=lambda episode: -abs(episode.score))),
        metrics=tuple(metrics),
        short=tuple(short),
    )


def checked(counts: Floats, timeframe: str) -> int:
    """How many slots the timeframe is."""
    return spans.DAYS[timeframe] * (24 if counts.shape[1] > 7 else 1)


def scored(counts: Floats, limit: float) -> Scores:
    """Each row against the WEEKS rows above it."""
    rows = [
        baselines.bands(counts[max(0, row - WEEKS) : row], counts[row], limit)
        if row >= LEAST_WEEKS
        else _nothing(counts.shape[1])
        for row in range(len(counts))
    ]
    return Scores(
        low=np.vstack([row.low for row in rows]),
        middle=np.vstack([row.middle for row in rows]),
        high=np.vstack([row.high for row in rows]),
        score=np.vstack([row.score for row in rows]),
    )


def _nothing(slots: int) -> baselines.Bands:
    unknown = np.full(slots, np.nan)
    return baselines.Bands(middle=unknown, low=unknown, high=unknown, score=unknown)


def found_in(metric: str, counts: Floats, scores: Scores, limit: float, slots: int) -> list[Episode]:
    """The episodes among the last `slots` slots."""
    flat = scores.score.ravel()
    direction = np.where(np.abs(np.nan_to_num(flat)) >= limit, np.sign(np.nan_to_num(flat)), 0.0)
    found: list[Episode] = []
    first = len(flat) - slots
    for place in range(first, len(flat)):
        if direction[place] and not (place > first and direction[place - 1] == direction[place]):
            last = place
            while last + 1 < len(flat) and direction[last + 1] == direction[place]:
                last += 1
            found.append(_episode(metric, counts, scores, place, last))
    return found


def _episode(metric: str, counts: Floats, scores: Scores, first: int, last: int) -> Episode:
    part = slice(first, last + 1)
    off = scores.score.ravel()[part]
    return Episode(
        metric=metric,
        first=first,
        last=last,
        observed=round(float(counts.ravel()[part].sum())),
        expected=float(scores.middle.ravel()[part].sum()),
        low=float(scores.low.ravel()[part].sum()),
        high=float(scores.high.ravel()[part].sum()),
        score=float(off[np.argmax(np.abs(off))]),
    )


def _metric(metric: str, scores: Scores, limit: float, slots: int, a_week: int) -> dict[str, Any]:
    """How often it alarms on its own past, and the smallest drop it could see: small counts carry little information."""
    before, now = scores.score.ravel()[:-slots], scores.score.ravel()[-slots:]
    tried = before[~np.isnan(before)][-TRIED_WEEKS * a_week :]
    alarms = int(np.count_nonzero(np.abs(tried) >= limit))
    middle, low = scores.middle.ravel()[-slots:], scores.low.ravel()[-slots:]
    seen = (low > 0) & (middle > 0)
    drop = float(np.median(1 - low[seen] / middle[seen])) if seen.any() else None
    return {
        "metric": metric,
        "title": FIGURES[metric].title,
        "checked": int(np.count_nonzero(~np.isnan(now))),
        "false_alarms": {
            "rate": alarms / len(tried) if len(tried) else None,
            "interval": compare.share_bounds(alarms, len(tried)),
            "n": len(tried),
            "a_month": alarms / len(tried) * a_week * 30 / 7 if len(tried) else None,
            "note": "alarms among the slots before, real ones included"
            if len(tried)
            else "not enough data: no slot before could be judged",
        },
        "smallest_visible_drop": drop,
        "note": None if drop is not None else "a total stop of one slot could not be told from chance",
    }
