"""Plain forecasts of weekly totals, each tried at every past week with only what was known then; the best one is chosen.

| model | the weeks to come are |
|---|---|
| naive | the last as many weeks again |
| seasonal_naive | the same weeks a year ago |
| recent_mean | the mean of the last 13 weeks |
| year_mean | the mean of the last 52 weeks, or of as many as there are |
| half_season | half way between seasonal_naive and year_mean: one year's season is half luck |
| pipe | what the deals in the pipe will bring, and the recent mean for what nobody knows of yet |
| corrected_pipe | the same, times what it should have been times before: default odds are nobody's own |
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from backend.services.bi import baselines
from backend.services.bi.baselines import Floats
from backend.services.bi.pipe import Pipe

LEAST_TRAINING = 8
LEAST_ORIGINS = 5
MOST_ORIGINS = 78
YEAR = 52
RECENT = 13
LEAST_OF_YEAR = 20
"""Weeks that a mean of the year needs: fewer are one season."""
LEVEL = 26
LEAST_OF_MEAN = 0.5
"""The size of a time is the mean of the LEVEL weeks before it; after a long lull, so much of the mean of all weeks before."""
LEAST_OF_NOW = 0.75
"""Errors grow as the root of the size, as luck does. One of a time that was smaller than this part of now counts as one of so
much: what a young business missed by doubling is no error that it could make today."""
PIPE, CORRECTED_PIPE = "pipe", "corrected_pipe"
MODELS = ("naive", "seasonal_naive", "recent_mean", "year_mean", "half_season", PIPE)
"""Those that are made of the history at once."""
PRIOR_DEALS = 10
MOST_CORRECTION = 2.0
LEVELS = (0.80, 0.95)


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """Revenue by whole weeks, the last of which ends with the day `until`."""

    weeks: Floats
    until: date
    pipe: Pipe

    def model(self, name: str, known: int, ahead: int) -> Floats | None:
        """What `name` would have said of the `ahead` weeks after the first `known`; None where it could not speak."""
        past = self.weeks[:known]
        mean, year = (np.full(ahead, past[-weeks:].mean()) for weeks in (RECENT, YEAR))
        season = past[known - YEAR + np.arange(ahead) % YEAR] if known >= YEAR else None
        models: Mapping[str, Callable[[], Floats | None]] = {
            "naive": lambda: past[known - ahead :] if known >= ahead else None,
            "seasonal_naive": lambda: season,
            "recent_mean": lambda: mean,
            "year_mean": lambda: year if known >= LEAST_OF_YEAR else None,
            "half_season": lambda: None if season is None else (season + year) / 2,
            PIPE: lambda: self._piped(known, ahead, mean),
        }
        return models[name]()

    def _piped(self, known: int, ahead: int, mean: Floats) -> Floats | None:
        as_of = self.until - timedelta(weeks=len(self.weeks) - known)
        found = self.pipe.expected(as_of, ahead)
        return None if found is None else found[0] + found[1] * mean

    def level(self, known: int) -> float:
        """The size of the business then: cents a week; 0 before the first revenue."""
        past = self.weeks[:known]
        return float(max(past[-LEVEL:].mean(), LEAST_OF_MEAN * past.mean(), 0.0))


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One past forecast, made with `known` weeks, when the business had the size `level`."""

    known: int
    level: float
    said: Floats
    came: Floats

    @property
    def error(self) -> float:
        """Of the total, in cents."""
        return float(self.came.sum() - self.said.sum())

    def error_now(self, now: float, error: float) -> float:
        """What such an error is in a business of the size `now`."""
        return error * math.sqrt(now / max(self.level, LEAST_OF_NOW * now))


@dataclass(frozen=True, slots=True, kw_only=True)
class Track:
    """A model's past: its trials, in the order they were made. `deal`: cents, see `baselines.luck`; `correction`: of today."""

    model: str
    trials: tuple[Trial, ...]
    deal: float = 0.0
    correction: float = 1.0

    def now(self, history: History, ahead: int) -> Floats:
        """What it says of the weeks to come."""
        name = PIPE if self.model == CORRECTED_PIPE else self.model
        said = history.model(name, len(history.weeks), ahead)
        assert said is not None  # it spoke at past weeks with less to go by
        return said * self.correction

    def wape(self) -> float | None:
        came = [float(trial.came.sum()) for trial in self.trials]
        return baselines.wape(came, [float(trial.said.sum()) for trial in self.trials])

    def errors(self, now: float) -> list[float]:
        """Of the totals, in cents of a business of the size `now`."""
        return [trial.error_now(now, trial.error) for trial in self.trials]

    def half_width(self, level: float, *, now: float, said: float) -> float | None:
        """Around the total that is `said`, in cents."""
        return self._half_width(self.trials, level, now=now, said=said)

    def week_half_width(self, week: int, level: float, *, now: float, said: float) -> float | None:
        errors = [trial.error_now(now, float(trial.came[week] - trial.said[week])) for trial in self.trials]
        return self._at_least_luck(baselines.conformal(errors, level), level, said)

    def covered(self, level: float) -> tuple[int, int]:
        """How many totals fell into the band as it could have been drawn then, of how many for which it could."""
        hits, n = 0, 0
        for trial in self.trials:
            over = [t for t in self.trials if t.known + len(t.came) <= trial.known]
            half = self._half_width(over, level, now=trial.level, said=float(trial.said.sum()))
            if half is not None:
                hits, n = hits + (abs(trial.error) <= half), n + 1
        return hits, n

    def _half_width(self, trials: Sequence[Trial], level: float, *, now: float, said: float) -> float | None:
        """A few errors that overlap hardly know a 95 % band: it is at least as much wider than that of 80 % as a normal one."""
        errors = [trial.error_now(now, trial.error) for trial in trials]
        overlap = len(trials[0].came) if trials else 1
        half = baselines.conformal(errors, level, overlap=overlap)
        least = baselines.conformal(errors, LEVELS[0], overlap=overlap)
        if half is not None and least is not None:
            half = max(half, least * baselines.spreads(level) / baselines.spreads(LEVELS[0]))
        return self._at_least_luck(half, level, said)

    def _at_least_luck(self, half: float | None, level: float, said: float) -> float | None:
        return None if half is None else max(half, baselines.luck(said, self.deal, level))


def least_weeks(ahead: int) -> int:
    """So many weeks of history a forecast of `ahead` weeks needs: to learn from, and to be tried on."""
    return LEAST_TRAINING + LEAST_ORIGINS - 1 + ahead


def tried(history: History, ahead: int, deal: float = 0.0) -> list[Track]:
    """The models that could speak at half of the past weeks or more, all of them on the same weeks; the best first."""
    last = len(history.weeks) - ahead
    first = max(LEAST_TRAINING, last - MOST_ORIGINS + 1)
    origins = [known for known in range(first, last + 1) if history.level(known) > 0]
    said = {name: {known: history.model(name, known, ahead) for known in origins} for name in MODELS}
    corrections = _corrections(history, said[PIPE], ahead, deal)
    said[CORRECTED_PIPE] = {
        known: None if weeks is None else weeks * corrections[known] for known, weeks in said[PIPE].items()
    }
    able = {
        name: {known for known, weeks in found.items() if weeks is not None}
        for name, found in said.items()
        if sum(weeks is not None for weeks in found.values()) >= max(LEAST_ORIGINS, len(origins) / 2)
    }
    common = sorted(set.intersection(*able.values())) if able else []
    tracks = [
        Track(
            model=name,
            deal=deal,
            correction=corrections[len(history.weeks)] if name == CORRECTED_PIPE else 1.0,
            trials=tuple(
                Trial(
                    known=known,
                    level=history.level(known),
                    said=weeks,
                    came=history.weeks[known : known + ahead],
                )
                for known in common
                if (weeks := said[name][known]) is not None
            ),
        )
        for name in able
    ]
    return sorted(tracks, key=lambda track: (_or_worst(track.wape()), [*said].index(track.model)))


def _corrections(
    history: History, said: Mapping[int, Floats | None], ahead: int, deal: float
) -> Mapping[int, float]:
    """What came ÷ what was said, of the trials that were over by each week of `said`, and by today.

    PRIOR_DEALS as it said them are added to both, so that a few deals turn nothing.
    """
    tried = {
        known: (float(weeks.sum()), float(history.weeks[known : known + ahead].sum()))
        for known, weeks in said.items()
        if weeks is not None
    }
    found = {}
    for known in (*said, len(history.weeks)):
        over = [sums for then, sums in tried.items() if then + ahead <= known]
        prior = PRIOR_DEALS * deal * ahead  # each week is in so many trials
        told, came = (sum(sums[part] for sums in over) + prior for part in (0, 1))
        ratio = came / told if told > 0 else 1.0
        found[known] = min(max(ratio, 1 / MOST_CORRECTION), MOST_CORRECTION)
    return found


def _or_worst(wape: float | None) -> float:
    return float("inf") if wape is None else wape
