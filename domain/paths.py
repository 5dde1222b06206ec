"""Credit by what all paths together show: Markov removal effect and Shapley value, over channels."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from domain import linear, shares

_START, _WON, _LOST = "(start)", "(won)", "(lost)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Path:
    """Channels in the order touched, and how often such a path ended in a deal or in nothing."""

    channels: tuple[str, ...]
    won: int = 0
    lost: int = 0


Moves = Mapping[str, Mapping[str, float]]


def shapley(paths: Iterable[Path]) -> dict[str, float]:
    """Each channel's share of the deals; exact for any number of channels.

    The worth of a set of channels is what the paths within it won, so each path's deals fall to its
    distinct channels in equal parts.
    """
    totals: dict[str, float] = defaultdict(float)
    for path in paths:
        for channel in set(path.channels):
            totals[channel] += path.won / len(set(path.channels))
    return _normal(totals)


def markov(paths: Sequence[Path]) -> dict[str, float]:
    """Each channel's share of the removal effects: how much less is won where it is taken away."""
    moves = _moves(paths)
    channels = sorted({channel for path in paths for channel in path.channels})
    whole = _chance(moves, channels, removed=None)
    if whole <= 0:
        return {}
    effects = {c: max(0.0, 1 - _chance(moves, channels, removed=c) / whole) for c in channels}
    return _normal(effects)


def credits_cents(share: Mapping[str, float], value_cents: int) -> dict[str, int]:
    """Whole cents by channel, summing to the value; nothing where there is no share."""
    if not share:
        return {}
    return dict(zip(share, shares.split(value_cents, list(share.values())), strict=True))


def _normal(totals: Mapping[str, float]) -> dict[str, float]:
    whole = sum(totals.values())
    return {name: totals[name] / whole for name in sorted(totals)} if whole else {}


def _moves(paths: Iterable[Path]) -> Moves:
    """The chance of each next step, from counts."""
    counts: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    for path in paths:
        if not path.channels:
            continue
        steps = [_START, *path.channels]
        for here, there in itertools.pairwise(steps):
            counts[here][there] += path.won + path.lost
        counts[steps[-1]][_WON] += path.won
        counts[steps[-1]][_LOST] += path.lost
    return {
        here: {there: n / sum(ways.values()) for there, n in ways.items()}
        for here, ways in counts.items()
        if sum(ways.values())
    }


def _chance(moves: Moves, channels: Sequence[str], removed: str | None) -> float:
    """The chance to win from the start, with every way into the removed channel leading nowhere."""
    states = [_START, *(channel for channel in channels if channel != removed)]
    matrix = [
        [float(i == j) - moves.get(here, {}).get(there, 0.0) for j, there in enumerate(states)]
        for i, here in enumerate(states)
    ]
    return linear.solve(matrix, [moves.get(here, {}).get(_WON, 0.0) for here in states])[0]
