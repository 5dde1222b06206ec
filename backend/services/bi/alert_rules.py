"""The rules themselves: numbers in, findings out. Each opens at one limit, closes at a milder one, and needs so many cases.

| rule | opens | closes | severity |
|---|---|---|---|
| error_rate | the lower Wilson bound of 1-2 hours' errors > 5 % (20 events or more) | share < 2.5 % | high; > 20 %: critical |
| slow_scoring | p95 of 1-2 hours > 50 ms (30 scorings or more) | ≤ 45 ms | normal; > 100 ms: high |
| low_success | the upper Wilson bound of 24 hours < 30 % (30 conversations or more) | share ≥ 30 % | normal; < 15 %: high |
| fewer_conversations | 30 % under the same 24 hours a week ago, more than three deviations of chance | less than 20 % under | normal |
| bot_silent | ten events or more were usual since the last one, in three of four weeks | an event | high |
| ping_pong | three within an hour | none | normal |
| handoff_limit | one beyond the limits within an hour | none | normal |
| component | down, degraded, or silent for ten minutes | ok | critical, normal, high |
| stream_stuck | the oldest entry waits for a minute | less than 10 s | critical |
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from backend.services.bi.alerts import Finding, State
from backend.services.bi.health import SLOW_SECONDS, STUCK_SECONDS, Stream
from backend.storage.warehouse.watch import Counts, Silence
from domain import kpis

RULES = (
    "error_rate",
    "slow_scoring",
    "low_success",
    "fewer_conversations",
    "bot_silent",
    "ping_pong",
    "handoff_limit",
    "component",
    "stream_stuck",
)
ERROR_OPENS, ERROR_CLOSES, ERROR_CRITICAL, LEAST_EVENTS = 0.05, 0.025, 0.20, 20
P95_CLOSES_MS, LEAST_SCORED = 0.9 * kpis.ML_TARGET_MS, 30
LEAST_TALKS = 30
DROP_OPENS, DROP_CLOSES, DROP_DEVIATIONS = -0.30, -0.20, 3.0
USUAL_OPENS, WEEKS_OPEN = 10.0, 3
BACK_OPENS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """A bot at an office."""

    bot_id: str
    location_key: int
    location_id: str

    def drill(self, metric: str, timeframe: str = "24h") -> dict[str, Any]:
        """The body of a drill-down to what is behind it."""
        return {
            "component": "bots",
            "metric": metric,
            "timeframe": timeframe,
            "location_id": self.location_id,
            "filters": {"bot": self.bot_id},
        }

    def finding(self, rule: str, state: State, *, metric: str, **told: Any) -> Finding:
        return Finding(
            rule=rule,
            subject=self.bot_id,
            location_key=self.location_key,
            state=state,
            context=self.drill(metric),
            **told,
        )


def error_rate(subject: Subject, counts: Counts) -> Finding:
    n, errors = counts.events, counts.errors
    interval = kpis.wilson(errors, n)
    share = errors / n if n else 0.0
    sure = interval is not None and n >= LEAST_EVENTS and interval.low > ERROR_OPENS
    return subject.finding(
        "error_rate",
        _state(fires=sure, clears=share < ERROR_CLOSES),
        metric="bot_error_rate",
        severity="critical" if share > ERROR_CRITICAL else "high",
        title="Many errors",
        message=f"{subject.bot_id}: {errors} of {n} events within two hours were errors ({share:.0%}).",
        value=share,
        bound=ERROR_OPENS,
        n=n,
        evidence={"interval": [interval.low, interval.high]} if interval else {},
    )


def slow_scoring(subject: Subject, p95_ms: float | None, n: int) -> Finding:
    fires = p95_ms is not None and n >= LEAST_SCORED and p95_ms > kpis.ML_TARGET_MS
    return subject.finding(
        "slow_scoring",
        _state(fires=fires, clears=p95_ms is None or p95_ms <= P95_CLOSES_MS),
        metric="ml_response",
        severity="high" if kpis.ML_TIERS.of(p95_ms) is kpis.Tier.OFF_TRACK else "normal",
        title="Scoring is slow",
        message=f"{subject.bot_id}: 95 of 100 scorings took up to {p95_ms or 0:.0f} ms; the target is {kpis.ML_TARGET_MS:.0f} ms.",
        value=p95_ms,
        bound=kpis.ML_TARGET_MS,
        n=n,
    )


def low_success(subject: Subject, counts: Counts) -> Finding:
    n, good = counts.conversations, counts.qualified
    interval = kpis.wilson(good, n)
    share = good / n if n else 0.0
    limit = kpis.BOT_TIERS.on_track
    fires = interval is not None and n >= LEAST_TALKS and interval.high < limit
    return subject.finding(
        "low_success",
        _state(fires=fires, clears=n > 0 and share >= limit),
        metric="bot_success",
        severity="high" if kpis.BOT_TIERS.of(share) is kpis.Tier.OFF_TRACK else "normal",
        title="Few conversations qualify",
        message=f"{subject.bot_id}: {good} of {n} conversations of the last 24 hours qualified ({share:.0%}).",
        value=share,
        bound=limit,
        n=n,
        evidence={"interval": [interval.low, interval.high]} if interval else {},
    )


def fewer_conversations(subject: Subject, counts: Counts) -> Finding:
    now, before = counts.conversations, counts.conversations_before
    change = (now - before) / before if before else 0.0
    beyond_chance = (before - now) / math.sqrt(max(before + now, 1)) > DROP_DEVIATIONS
    return subject.finding(
        "fewer_conversations",
        _state(fires=change <= DROP_OPENS and beyond_chance, clears=change > DROP_CLOSES),
        metric="conversations",
        title="Fewer conversations",
        message=f"{subject.bot_id}: {now} conversations in 24 hours, {before} in the same hours a week ago ({change:+.0%}).",
        value=change,
        bound=DROP_OPENS,
        n=now + before,
    )


def bot_silent(subject: Subject, silence: Silence) -> Finding:
    fires = silence.usual >= USUAL_OPENS and silence.weeks >= WEEKS_OPEN
    return subject.finding(
        "bot_silent",
        _state(fires=fires, clears=False),
        metric="bot_events",
        severity="high",
        title="A bot is silent",
        message=f"{subject.bot_id}: nothing since {silence.last_hour:%Y-%m-%d %H}:59 UTC, "
        f"where {silence.usual:.0f} events are usual.",
        value=0.0,
        bound=silence.usual,
        n=silence.weeks,
        evidence={"last_hour": silence.last_hour.isoformat(), "usual": silence.usual, "weeks": silence.weeks},
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken:
    """Hand-offs of one hour: all, those that went back, those beyond a limit."""

    n: int = 0
    back: int = 0
    over: int = 0

    def and_one(self, *, back: bool, over: bool) -> Broken:
        return Broken(n=self.n + 1, back=self.back + back, over=self.over + over)


def broken_rules(subject: Subject, broken: Broken) -> list[Finding]:
    """Ping-pong and limits, of the hand-offs of one hour."""
    back, over, n = broken.back, broken.over, broken.n
    return [
        subject.finding(
            "ping_pong",
            _state(fires=back >= BACK_OPENS, clears=back == 0),
            metric="handoffs",
            title="Bots play ping-pong",
            message=f"{subject.bot_id}: {back} of {n} hand-offs within an hour went back to a bot that had just given the lead away.",
            value=float(back),
            bound=float(BACK_OPENS),
            n=n,
        ),
        subject.finding(
            "handoff_limit",
            _state(fires=over > 0, clears=over == 0),
            metric="handoffs",
            title="A lead is handed about",
            message=f"{subject.bot_id}: {over} of {n} hand-offs within an hour were beyond three an hour or ten a day of one lead.",
            value=float(over),
            bound=0.0,
            n=n,
        ),
    ]


_GRAVITY = {"down": "critical", "unknown": "high", "degraded": "normal", "ok": "low"}


def component(said: Mapping[str, Any], location_key: int | None) -> Finding:
    """`said` as `health.component_of` tells it."""
    fine = said["status"] == "ok"
    told = "has not reported for ten minutes" if said["status"] == "unknown" else f"is {said['status']}"
    return Finding(
        rule="component",
        subject=said["component"],
        location_key=location_key,
        state=State.CLEAR if fine else State.FIRING,
        severity=_GRAVITY[said["status"]],
        title="A part of the system is not well",
        message=f"{said['component']} {told}.",
        value=said["age_seconds"],
        evidence={"status": said["status"], "said": said["said"], "seen_at": said["seen_at"]},
    )


def stream_stuck(stream: Stream) -> Finding:
    """While Valkey does not answer nothing is known, and nothing changes."""
    waits = stream.waiting_seconds or 0.0
    known = stream.status != "unknown"
    return Finding(
        rule="stream_stuck",
        subject=stream.name,
        location_key=None,
        state=_state(fires=known and waits >= STUCK_SECONDS, clears=known and waits < SLOW_SECONDS),
        severity="critical",
        title="Events wait",
        message=f"{stream.name}: the oldest entry waits for {waits:.0f} s; {stream.undelivered or 0} are not delivered.",
        value=waits,
        bound=STUCK_SECONDS,
        n=stream.undelivered,
        evidence={"pending": stream.pending},
    )


def _state(*, fires: bool, clears: bool) -> State:
    if fires:
        return State.FIRING
    return State.CLEAR if clears else State.HOLD
