"""Rows of several locations as one: counts add up, ratios and quantiles are made anew from what adds up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from backend.stream.windows import rows
from backend.stream.windows.contributions import BOT_MEASURES, KINDS, PLACE_MEASURES
from backend.stream.windows.histogram import CELLS
from backend.stream.windows.panes import Ints

ADDITIVE = (*PLACE_MEASURES, *BOT_MEASURES, "leads")
"""`leads`: one that two locations know counts in both."""

Kept = Mapping[str, Any]
"""A row as `bi:windows:latest` holds it: values, bots, latencies."""


def together(parts: Sequence[Kept]) -> rows.Values:
    """The values of these locations as if they were one; zeros of none."""
    found: rows.Values = {name: sum(part["values"].get(name) or 0 for part in parts) for name in ADDITIVE}
    counts = sum((_counts(part["latencies"]) for part in parts), start=_counts({}))
    return rows.with_figures(found, counts)


def bots(parts: Sequence[Kept]) -> dict[str, rows.Values]:
    """By bot, what adds up, and the ratios of it."""
    names = sorted({bot for part in parts for bot in part["bots"]})
    found = {}
    for name in names:
        mine = [part["bots"].get(name, {}) for part in parts]
        sums: rows.Values = {m: sum(one.get(m) or 0 for one in mine) for m in BOT_MEASURES}
        found[name] = rows.with_ratios(sums)
    return found


def _counts(latencies: Mapping[str, Sequence[int]]) -> Ints:
    counts = np.zeros((len(KINDS), CELLS), np.int64)
    for kind, (low, *held) in latencies.items():
        counts[KINDS.index(kind), low : low + len(held)] = held
    return counts
