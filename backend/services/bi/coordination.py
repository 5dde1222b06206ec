"""How the bots work together: who hands over to whom, and where the rules of `domain.md` (Qualification) are broken.

The rules are a lead's: he is what is handed about, and several conversations of his with several bots are one experience to
him. A hand-off that names no lead counts for its conversation. Hours and days are those that end with the hand-off.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import numpy as np

from backend.services.bi import compare, handing, quality
from backend.services.bi.handing import Judged
from backend.storage.pool import Connection
from backend.storage.warehouse import handoffs as store
from backend.storage.warehouse.bots import OURS
from backend.storage.warehouse.scope import Scope
from domain import periods

RULES: Mapping[str, str] = {
    "unsure": "Hand-offs with a confidence below .7",
    "back": "Hand-offs back to a bot that gave the same lead away within 30 minutes (ping-pong)",
    "over_hour": "Hand-offs beyond three of a lead within an hour",
    "over_day": "Hand-offs beyond ten of a lead within a day",
}
NAMES = {
    "unsure": "below_confidence",
    "back": "ping_pong",
    "over_hour": "over_hourly_limit",
    "over_day": "over_daily_limit",
}


async def coordination(
    connection: Connection,
    scope: Scope,
    timeframe: str,
    bots: Mapping[int, str],
    *,
    now: datetime,
    until: int,
) -> dict[str, Any]:
    """The last 24h, 7d … to this moment; `until`: the last day that is complete at every office; `bots`: key → id."""
    start = now - periods.TIMEFRAMES[timeframe]
    passes = await store.passes(connection, scope.keys, start - handing.DAY, now)
    found = await asyncio.to_thread(handing.judged, passes, start)
    examples = await _examples(connection, scope, found, bots)
    n = found.n
    return {
        "handoffs": n if n else None,
        "n": n,
        "units": len(np.unique(found.passes.unit)),
        "note": None if n else compare.NO_DATA,
        "period": {"start": start.isoformat(), "end": now.isoformat()},
        "unit": "lead, or the conversation where no lead is named",
        **_flow(found, bots),
        "rules": {NAMES[flag]: _broken(flag, found, examples[flag]) for flag in RULES},
        "limits": {
            "confidence": handing.LEAST_CONFIDENCE_BP / 10_000,
            "back_within_minutes": handing.BACK_WITHIN.total_seconds() / 60,
            "an_hour": handing.MOST_AN_HOUR,
            "a_day": handing.MOST_A_DAY,
        },
        "conversation_quality": await quality.quality(connection, scope, timeframe, now=now, until=until),
        "unfinished_conversations": await quality.unfinished(connection, scope, start, now, bots),
    }


def _flow(found: Judged, bots: Mapping[int, str]) -> dict[str, Any]:
    """Who gave how many to whom: the pairs there are, and the whole matrix."""
    passes, unsure = found.passes, found.flags["unsure"]
    known = passes.confidence_bp != store.UNKNOWN
    size = int(max(passes.giver.max(initial=0), passes.taker.max(initial=0))) + 1
    code = passes.giver * size + passes.taker
    there = np.flatnonzero(np.bincount(code))
    pairs = np.stack([there // size, there % size], axis=1)
    place = np.searchsorted(there, code)
    counts = np.bincount(place, minlength=len(pairs))
    rated = np.bincount(place[known], minlength=len(pairs))
    sure = np.bincount(place[known], weights=passes.confidence_bp[known], minlength=len(pairs))
    cells = {
        (bots.get(int(giver), "-"), bots.get(int(taker), "-")): {
            "n": int(counts[n]),
            "share": float(counts[n] / found.n),
            "mean_confidence": float(sure[n] / rated[n] / 10_000) if rated[n] else None,
            "below_confidence": int(np.count_nonzero(unsure & (place == n))),
        }
        for n, (giver, taker) in enumerate(pairs)
    }
    seen = {bot for pair in cells for bot in pair}
    axis = [bot_id for bot_id in bots.values() if bot_id in seen or bot_id in OURS]
    return {
        "bots": axis,
        "flow": [
            {"from": giver, "to": taker, **cell}
            for (giver, taker), cell in sorted(cells.items(), key=lambda item: -int(item[1]["n"] or 0))
        ],
        "matrix": [[cells[a, b]["n"] if (a, b) in cells else 0 for b in axis] for a in axis],
    }


def _broken(flag: str, found: Judged, examples: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """One rule: how often it was broken, as a share with its interval, and the newest cases."""
    broken = int(found.flags[flag].sum())
    told = found.passes.confidence_bp != store.UNKNOWN
    n = int(told.sum()) if flag == "unsure" else found.n
    return {
        "definition": RULES[flag],
        "value": broken if n else None,
        "share": broken / n if n else None,
        "interval": compare.share_bounds(broken, n),
        "n": n,
        "units": len(np.unique(found.passes.unit[found.flags[flag]])),
        "examples": list(examples),
        "note": None if n else compare.NO_DATA,
    }


async def _examples(
    connection: Connection, scope: Scope, found: Judged, bots: Mapping[int, str]
) -> dict[str, list[dict[str, Any]]]:
    """The newest hand-offs that break each rule, with the ids to drill down by."""
    places = {flag: found.newest(flag, store.EXAMPLES) for flag in RULES}
    moments = [int(found.passes.at[place]) for chosen in places.values() for place in chosen]
    events = await store.events(connection, scope.keys, moments) if moments else {}
    return {
        flag: [
            _example(events[key], int(found.in_hour[place]), int(found.in_day[place]), bots)
            for place in chosen
            if (key := _key(found, place)) in events
        ]
        for flag, chosen in places.items()
    }


def _key(found: Judged, place: int) -> store.Key:
    passes = found.passes
    columns = (passes.at, passes.unit, passes.giver, passes.taker)
    at, unit, giver, taker = (int(column[place]) for column in columns)
    return at, unit, giver, taker


def _example(event: Mapping[str, Any], in_hour: int, in_day: int, bots: Mapping[int, str]) -> dict[str, Any]:
    confidence = event["confidence_bp"]
    return {
        "event_id": event["event_id"],
        "occurred_at": event["occurred_at"].isoformat(),
        "from": bots.get(event["bot_key"], "-"),
        "to": bots.get(event["to_bot_key"], "-"),
        "confidence": None if confidence is None else confidence / 10_000,
        "lead_id": event["lead_id"],
        "conversation_id": event["conversation_id"],
        "within_hour": in_hour,
        "within_day": in_day,
        "reason": event["reason"],
    }
