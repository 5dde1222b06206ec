"""Hand-offs held against the rules of `domain.md` (Qualification and follow-up), as columns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from backend.epoch import micros
from backend.storage.warehouse.handoffs import UNKNOWN, Numbers, Passes

BACK_WITHIN = timedelta(minutes=30)
MOST_AN_HOUR = 3
MOST_A_DAY = 10
LEAST_CONFIDENCE_BP = 7_000
DAY = timedelta(days=1)
_HOUR = timedelta(hours=1)
_MS = timedelta(milliseconds=1)
_US = timedelta(microseconds=1)
_US_PER_MS = 1_000

Flags: TypeAlias = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """The hand-offs of a time, at the same places in all columns. `flags`: which break a rule, by its name.

    `in_hour` and `in_day`: the how-manieth of its unit it is within the hour, or day, that ends with it.
    """

    passes: Passes
    in_hour: Numbers
    in_day: Numbers
    flags: Mapping[str, Flags]

    @property
    def n(self) -> int:
        return len(self.passes.at)

    def newest(self, flag: str, most: int) -> list[int]:
        """Places of the last ones that break a rule, the newest first."""
        places = np.flatnonzero(self.flags[flag])
        return [int(place) for place in places[np.argsort(-self.passes.at[places], kind="stable")][:most]]


def judged(passes: Passes, start: datetime) -> Judged:
    """Those from `start` on. `passes` must hold those of the day before too: they count towards the limits."""
    in_hour, in_day, back = np.ones_like(passes.at), np.ones_like(passes.at), np.zeros(len(passes.at), bool)
    near = _with_company(passes)
    if len(near):
        few = _only(passes, near)
        line = _ranked(few.unit, few.at // _US_PER_MS)
        in_hour[near] = _within(line, line, _HOUR // _MS)
        in_day[near] = _within(line, line, DAY // _MS)
        back[near] = _came_back(few)
    keep = passes.at >= micros(start)
    shown = _only(passes, keep)
    known = shown.confidence_bp != UNKNOWN
    return Judged(
        passes=shown,
        in_hour=in_hour[keep],
        in_day=in_day[keep],
        flags={
            "unsure": known & (shown.confidence_bp < LEAST_CONFIDENCE_BP),
            "back": back[keep],
            "over_hour": in_hour[keep] > MOST_AN_HOUR,
            "over_day": in_day[keep] > MOST_A_DAY,
        },
    )


def _only(passes: Passes, places: Numbers | Flags) -> Passes:
    return Passes(**{column: getattr(passes, column)[places] for column in Passes.__slots__})


def _with_company(passes: Passes) -> Numbers:
    """Places of those with another of the same unit within a day: no other can break a rule of time."""
    order = np.lexsort((passes.at, passes.unit))
    unit, at = passes.unit[order], passes.at[order]
    close = (unit[1:] == unit[:-1]) & (at[1:] - at[:-1] <= DAY // _US)
    near = np.zeros(len(order), bool)
    near[1:] |= close
    near[:-1] |= close
    return np.asarray(order[near], np.int64)


def _ranked(group: Numbers, at: Numbers) -> Numbers:
    """Moments (ms) on a line of its own for each group, so far apart that no hour or day reaches from one to the next."""
    if not len(at):
        return at
    _, rank = np.unique(group, return_inverse=True)
    length = int(at.max() - at.min()) + 2 * (DAY // _MS)
    return np.asarray(rank * length + (at - at.min()), np.int64)


def _within(line: Numbers, moments: Numbers, length: int) -> Numbers:
    """How many of `line` lie in the `length` that ends with each moment, both ends included."""
    ordered = np.sort(line)
    last = np.searchsorted(ordered, moments, side="right")
    return np.asarray(last - np.searchsorted(ordered, moments - length, side="left"), np.int64)


def _came_back(passes: Passes) -> Flags:
    """Whether the taker gave the same unit away within half an hour before, whoever had it in between."""
    n = len(passes.at)
    bots = np.concatenate([passes.giver, passes.taker])
    units = np.concatenate([passes.unit, passes.unit])
    _, unit = np.unique(units, return_inverse=True)
    pairs = unit * (int(bots.max(initial=0)) + 1) + bots
    line = _ranked(pairs, np.concatenate([passes.at, passes.at]) // _US_PER_MS)
    gave, took = np.sort(line[:n]), line[n:]
    before = np.searchsorted(gave, took, side="left")
    return np.asarray(before > np.searchsorted(gave, took - BACK_WITHIN // _MS, side="left"))
