"""How good the bots' conversations are, whether that changes, and which of them nobody ended."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from backend.epoch import micros
from backend.services.bi import baselines, compare, spans
from backend.storage.pool import Connection
from backend.storage.warehouse import handoffs, series
from backend.storage.warehouse.ranges import HOUR, floor
from backend.storage.warehouse.scope import Scope

LEAST_POINTS = 5
LEAST_RATED = 30
_RATED = ("rated", "quality_bp")


async def quality(
    connection: Connection, scope: Scope, timeframe: str, *, now: datetime, until: int
) -> dict[str, Any]:
    """Mean quality by hour (24h) or complete day at the office (to the date key `until`), and its trend."""
    by_hour = timeframe == "24h"
    if by_hour:
        end = floor(now)
        found: Mapping[Any, series.Sums] = await series.hourly(
            connection, scope.places, _RATED, end - timedelta(hours=24), end
        )
        first: Any = end - timedelta(hours=24)
        steps = {at: (at - first) / HOUR for at in found}
    else:
        last = spans.day_of(until)
        begin = last - timedelta(days=spans.DAYS[timeframe] - 1)
        found = await series.daily(connection, scope.places, _RATED, spans.date_key(begin), until)
        steps = {at: float((spans.day_of(at) - begin).days) for at in found}
    rated = {at: sums for at, sums in sorted(found.items()) if sums["rated"]}
    n = sum(sums["rated"] for sums in rated.values())
    means = {at: sums["quality_bp"] / sums["rated"] / 10_000 for at, sums in rated.items()}
    return {
        "value": sum(sums["quality_bp"] for sums in rated.values()) / n / 10_000 if n else None,
        "n": n,
        "note": None if n else compare.NO_DATA,
        "series": [{"at": _said(at), "value": mean, "n": rated[at]["rated"]} for at, mean in means.items()],
        "trend": _trend([*means.values()], [steps[at] for at in means], n, "hour" if by_hour else "day"),
    }


def _said(at: datetime | int) -> str:
    """An hour's beginning, or a day."""
    return spans.day_of(at).isoformat() if isinstance(at, int) else at.isoformat()


def _trend(means: Sequence[float], steps: Sequence[float], n: int, step: str) -> dict[str, Any]:
    method = f"Theil-Sen slope a {step} with Sen's 95 % interval, complete {step}s only"
    slope = baselines.theil_sen(means, steps) if len(means) >= LEAST_POINTS and n >= LEAST_RATED else None
    if slope is None:
        return {
            "direction": None,
            "slope": None,
            "interval": None,
            "n": len(means),
            "method": method,
            "note": f"not enough data: {len(means)} of {LEAST_POINTS} {step}s with ratings, {n} of {LEAST_RATED} ratings",
        }
    direction = "rising" if slope.low > 0 else "falling" if slope.high < 0 else "steady"
    return {
        "direction": direction,
        "slope": slope.per_step,
        "interval": [slope.low, slope.high],
        "n": slope.n,
        "method": method,
        "note": "the interval holds zero: no change can be told" if direction == "steady" else None,
    }


async def unfinished(
    connection: Connection,
    scope: Scope,
    start: datetime,
    now: datetime,
    bots: Mapping[int, str],
) -> dict[str, Any]:
    """Conversations with a reply since `start` that neither qualified nor ended, and are silent for a day."""
    talks = await handoffs.talks(connection, scope.keys, start, now)
    silent_since = micros(now - handoffs.IDLE)
    left = talks.open & (talks.last < silent_since)
    n, count = len(left), int(left.sum())
    newest = np.flatnonzero(left)
    newest = newest[np.argsort(-talks.last[newest], kind="stable")][: handoffs.EXAMPLES]
    examples = await handoffs.conversations(connection, [talks.id_of(int(place)) for place in newest])
    return {
        "value": count if n else None,
        "share": count / n if n else None,
        "interval": compare.share_bounds(count, n),
        "n": n,
        "note": None if n else compare.NO_DATA,
        "definition": "Conversations with a reply that neither qualified nor ended, silent for 24 hours or more.",
        "by_bot": [
            {
                "bot_id": bots.get(int(key), "-"),
                "n": int(np.count_nonzero(talks.bot == key)),
                "value": int(np.count_nonzero(left & (talks.bot == key))),
            }
            for key in np.unique(talks.bot)
        ],
        "examples": [
            {
                "conversation_id": example["conversation_id"],
                "lead_id": example["lead_id"],
                "bot_id": bots.get(example["bot_key"], "-"),
                "replied_at": example["replied_at"].isoformat(),
                "last_at": example["last_at"].isoformat(),
            }
            for example in examples
        ],
    }
