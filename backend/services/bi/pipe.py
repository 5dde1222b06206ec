"""What the deals in the pipe will bring, week by week: the chance that each closes, spread over when such deals close."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise

import numpy as np

from backend.services.bi.baselines import Floats
from backend.services.bi.stocks import chance
from backend.storage.warehouse.forecasts import State

WEEK = 7
LEAST_CLOSED = 10
"""Fewer closed deals tell nothing of how long deals take, nor of how many come from outside the pipe."""
DEFAULT_DAYS: Mapping[str, float] = {
    "new": 180.0,
    "contacted": 150.0,
    "qualified": 120.0,
    "agreement": 75.0,
    "offer": 45.0,
    "contract": 30.0,
}
"""How long deals take from a stage to their close, where there is no own history: market defaults."""
_NEVER = np.iinfo(np.int64).max


@dataclass(frozen=True, slots=True, kw_only=True)
class Stay:
    """A deal in a stage, from a day until before another; days are counted from year one."""

    stage: str
    sells: bool
    entered: int
    left: int
    gross_cents: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Closing:
    """A deal that closed: when it was first heard of, when it closed, and since when it stood in each stage."""

    first: int
    closed: int
    gross_cents: int
    entered: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pipe:
    """All that was ever known of the deals; asked as of a day, it answers from what was known by then."""

    stays: tuple[Stay, ...]
    closings: tuple[Closing, ...]

    def expected(self, as_of: date, weeks: int) -> tuple[Floats, Floats] | None:
        """Cents from the deals that are open then, for each week after it; and the share of each week's revenue that
        usually comes from deals nobody knew of yet. None with fewer than LEAST_CLOSED deals closed by then."""
        day = as_of.toordinal()
        known = [closing for closing in self.closings if closing.closed <= day]
        if len(known) < LEAST_CLOSED:
            return None
        took = _durations(known)
        total = np.zeros(weeks)
        for (stage, sells, age), cents in self._standing(day).items():
            total += cents * chance(stage, sells=sells) * _when(took.get(stage), stage, age, weeks)
        return total, _unknown(known, weeks)

    def _standing(self, day: int) -> dict[tuple[str, bool, int], int]:
        """Gross commission of the open deals by stage, side and whole weeks in the stage."""
        found: dict[tuple[str, bool, int], int] = {}
        for stay in self.stays:
            if stay.entered <= day < stay.left:
                key = stay.stage, stay.sells, (day - stay.entered) // WEEK
                found[key] = found.get(key, 0) + stay.gross_cents
        return found


def pipe(states: Sequence[State]) -> Pipe:
    """From the states of deals, in order of deal and time."""
    by_deal: dict[str, list[State]] = {}
    for state in states:
        by_deal.setdefault(state.deal_id, []).append(state)
    stays: list[Stay] = []
    closings: list[Closing] = []
    for course in by_deal.values():
        stays += _stays(course)
        closings += _closing(course)
    return Pipe(stays=tuple(stays), closings=tuple(closings))


def _stays(course: Sequence[State]) -> list[Stay]:
    ends = [after.day.toordinal() for _, after in pairwise(course)] + [_NEVER]
    return [
        Stay(
            stage=state.stage,
            sells=state.sells,
            entered=state.day.toordinal(),
            left=end,
            gross_cents=state.gross_cents,
        )
        for state, end in zip(course, ends, strict=True)
        if state.stage in DEFAULT_DAYS
    ]


def _closing(course: Sequence[State]) -> list[Closing]:
    """One, if the deal closed and stayed so."""
    last = course[-1]
    if last.stage != "closed":
        return []
    entered: dict[str, int] = {}
    for state in course:
        entered.setdefault(state.stage, state.day.toordinal())
    first_closed = entered["closed"]
    return [
        Closing(
            first=min(course[0].day.toordinal(), first_closed),
            closed=first_closed,
            gross_cents=last.gross_cents,
            entered={stage: day for stage, day in entered.items() if stage in DEFAULT_DAYS},
        )
    ]


def _durations(known: Sequence[Closing]) -> dict[str, Floats]:
    """Days from each stage to the close, where enough deals went that way."""
    found: dict[str, list[int]] = {}
    for closing in known:
        for stage, day in closing.entered.items():
            found.setdefault(stage, []).append(max(closing.closed - day, 0))
    return {stage: np.asarray(days, float) for stage, days in found.items() if len(days) >= LEAST_CLOSED}


def _when(took: Floats | None, stage: str, age_weeks: int, weeks: int) -> Floats:
    """The chance that a deal which closes, and has been in its stage for so long, closes in each week to come."""
    if took is not None:
        left = took[took > age_weeks * WEEK] - age_weeks * WEEK
        if len(left) >= 3:
            counts, _ = np.histogram(left, bins=np.arange(weeks + 1) * WEEK + 0.5)
            return np.asarray(counts / len(left), float)
    edges = np.exp(-np.arange(weeks + 1) * WEEK / DEFAULT_DAYS[stage])
    return np.asarray(edges[:-1] - edges[1:], float)


def _unknown(known: Sequence[Closing], weeks: int) -> Floats:
    """By revenue: the share of deals that took less time, from first heard of to close, than each week lies ahead."""
    ages = np.asarray([closing.closed - closing.first for closing in known], float)
    cents = np.asarray([max(closing.gross_cents, 0) for closing in known], float)
    if not cents.sum():
        cents = np.ones_like(ages)
    ahead = (np.arange(weeks) + 0.5) * WEEK
    return np.asarray((cents[:, None] * (ages[:, None] < ahead)).sum(axis=0) / cents.sum(), float)
