"""How the bots work together: who hands over to whom, and where the rules of `domain.md` (Qualification) are broken.

The rules are a lead's: he is what is handed about, and several conversations of his with several bots are one experience to
him. A hand-off that names no lead counts for its conversation. Hours and days are those that end with the hand-off.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from backend.services.bi import quality
from backend.storage.pool import Connection
from backend.storage.warehouse import handoffs
from backend.storage.warehouse.bots import OURS
from backend.storage.warehouse.scope import Scope
from domain import kpis, periods

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
    found = await handoffs.judged(connection, scope.keys, start, now)
    n = found.counts["n"]
    return {
        "handoffs": n if n else None,
        "n": n,
        "units": found.counts["units"],
        "without_lead_or_conversation": found.counts["without_unit"],
        "note": None if n else "no data yet",
        "period": {"start": start.isoformat(), "end": now.isoformat()},
        "unit": "lead, or the conversation where no lead is named",
        **_flow(found.flow, n, bots),
        "rules": {NAMES[flag]: _broken(flag, found, bots) for flag in RULES},
        "limits": {
            "confidence": handoffs.LEAST_CONFIDENCE_BP / 10_000,
            "back_within_minutes": handoffs.BACK_WITHIN.total_seconds() / 60,
            "an_hour": handoffs.MOST_AN_HOUR,
            "a_day": handoffs.MOST_A_DAY,
        },
        "conversation_quality": await quality.quality(connection, scope, timeframe, now=now, until=until),
        "unfinished_conversations": await quality.unfinished(connection, scope, start, now, bots),
    }


def _flow(lines: Sequence[Mapping[str, Any]], n: int, bots: Mapping[int, str]) -> dict[str, Any]:
    seen = {line[end] for line in lines for end in ("bot_key", "to_bot_key")}
    axis = [bot_id for key, bot_id in bots.items() if key in seen or bot_id in OURS]
    cells = {(bots.get(line["bot_key"], "-"), bots.get(line["to_bot_key"], "-")): line for line in lines}
    return {
        "bots": axis,
        "flow": [
            {
                "from": giver,
                "to": taker,
                "n": line["n"],
                "share": line["n"] / n,
                "mean_confidence": line["confidence_bp"] / line["rated"] / 10_000 if line["rated"] else None,
                "below_confidence": line["unsure"],
            }
            for (giver, taker), line in cells.items()
        ],
        "matrix": [[cells[a, b]["n"] if (a, b) in cells else 0 for b in axis] for a in axis],
    }


def _broken(flag: str, found: handoffs.Passes, bots: Mapping[int, str]) -> dict[str, Any]:
    """One rule: how often it was broken, as a share with its interval, and the newest cases."""
    n = found.counts["rated"] if flag == "unsure" else found.counts["n"]
    broken = found.counts[flag]
    interval = kpis.wilson(broken, n)
    return {
        "definition": RULES[flag],
        "value": broken if n else None,
        "share": broken / n if n else None,
        "interval": [interval.low, interval.high] if interval else None,
        "n": n,
        "units": found.counts[f"{flag}_units"],
        "examples": [_example(line, bots) for line in found.examples[flag]],
        "note": None if n else "no data yet",
    }


def _example(line: Mapping[str, Any], bots: Mapping[int, str]) -> dict[str, Any]:
    confidence = line["confidence_bp"]
    return {
        "event_id": line["event_id"],
        "occurred_at": line["occurred_at"],
        "from": bots.get(line["bot_key"], "-"),
        "to": bots.get(line["to_bot_key"], "-"),
        "confidence": None if confidence is None else confidence / 10_000,
        "lead_id": line["lead_id"],
        "conversation_id": line["conversation_id"],
        "within_hour": line["in_hour"],
        "within_day": line["in_day"],
        "reason": line["reason"],
    }
