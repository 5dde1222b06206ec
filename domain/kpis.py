"""The five figures of the command centre as values: plain numbers in, tiles out; no data stays no data."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

ML_TARGET_MS = 50.0
Z_95 = 1.959963984540054


class Tier(StrEnum):
    ON_TRACK = "on_track"
    WATCH = "watch"
    OFF_TRACK = "off_track"


class Unit(StrEnum):
    CENTS = "cents"
    COUNT = "count"
    MS = "ms"
    RATIO = "ratio"


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """The same figure over an equal part of the period before; `change` is relative, None from zero."""

    previous: float
    change: float | None
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Tile:
    """One figure with all that makes it honest. `value` None = no data yet."""

    name: str
    title: str
    value: float | None
    unit: Unit
    n: int
    as_of: datetime
    definition: str
    comparison: Comparison | None = None
    trend: tuple[float | None, ...] = ()
    """One entry for each point of the timeframe, None where there is no data; empty where there is none at all."""
    tier: Tier | None = None
    interval: Interval | None = None
    parts: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TierRule:
    """Limits of "on track" and "watch"; beyond is off track. A brokerage may change them."""

    on_track: float
    watch: float
    higher_is_better: bool = True
    version: str = "2026-11"

    def of(self, value: float | None) -> Tier | None:
        """None = no data, no tier."""
        if value is None:
            return None
        sign = 1 if self.higher_is_better else -1
        if sign * value >= sign * self.on_track:
            return Tier.ON_TRACK
        return Tier.WATCH if sign * value >= sign * self.watch else Tier.OFF_TRACK


CHANGE_TIERS = TierRule(on_track=-0.05, watch=-0.20)
LATE_TIERS = TierRule(on_track=0.0, watch=0.10, higher_is_better=False)
ML_TIERS = TierRule(on_track=ML_TARGET_MS, watch=2 * ML_TARGET_MS, higher_is_better=False)
BOT_TIERS = TierRule(on_track=0.30, watch=0.15)


def compare(value: float | None, previous: float | None, label: str) -> Comparison | None:
    """None where either is missing."""
    if value is None or previous is None:
        return None
    change = (value - previous) / abs(previous) if previous else None
    return Comparison(previous=previous, change=change, label=label)


def wilson(successes: int, n: int, z: float = Z_95) -> Interval | None:
    """The Wilson score interval of a share; None without cases. Raises: ValueError unless 0 ≤ successes ≤ n."""
    if not 0 <= successes <= n:
        raise ValueError("successes must lie between 0 and n")
    if n == 0:
        return None
    share, spread = successes / n, z * z / n
    middle = (share + spread / 2) / (1 + spread)
    half = z * math.sqrt(share * (1 - share) / n + spread / (4 * n)) / (1 + spread)
    low = 0.0 if successes == 0 else middle - half
    high = 1.0 if successes == n else middle + half
    return Interval(low=max(0.0, low), high=min(1.0, high))


def quantile(values: Sequence[float], q: float) -> float | None:
    """Linear between neighbours, as PostgreSQL's percentile_cont; None of nothing."""
    if not values:
        return None
    ordered = sorted(values)
    place = (len(ordered) - 1) * q
    below = math.floor(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)


def revenue_pipeline(
    *,
    weighted_cents: int | None,
    gross_cents: int | None,
    n: int,
    known: bool = False,
    as_of: datetime,
    previous_weighted_cents: int | None = None,
    period: str = "",
    trend: Sequence[float | None] = (),
    tiers: TierRule = CHANGE_TIERS,
) -> Tile:
    """Total revenue pipeline: weighted is the figure, gross stands beside it. `known`: deals were heard of, though none may be open."""
    value = weighted_cents if n or known else None
    comparison = compare(value, previous_weighted_cents, period)
    return Tile(
        name="revenue_pipeline",
        title="Revenue pipeline",
        value=value,
        unit=Unit.CENTS,
        n=n,
        as_of=as_of,
        definition="Net company dollars of all open deals, each times its chance to close; "
        "gross is their commission before deductions.",
        comparison=comparison,
        trend=tuple(trend),
        tier=tiers.of(comparison.change) if comparison else None,
        parts=(("gross_cents", gross_cents),) if (n or known) and gross_cents is not None else (),
    )


def active_leads(
    *,
    by_temperature: Mapping[str, int] | None,
    as_of: datetime,
    previous: int | None = None,
    period: str = "",
    trend: Sequence[float | None] = (),
    tiers: TierRule = CHANGE_TIERS,
) -> Tile:
    """Active leads by temperature; None = never counted, an empty mapping = counted, and there are none."""
    value = None if by_temperature is None else sum(by_temperature.values())
    comparison = compare(value, previous, period)
    return Tile(
        name="active_leads",
        title="Active leads",
        value=value,
        unit=Unit.COUNT,
        n=value or 0,
        as_of=as_of,
        definition="Leads with a contact or a planned touch within 30 days, not closed, not opted out.",
        comparison=comparison,
        trend=tuple(trend),
        tier=tiers.of(comparison.change) if comparison else None,
        parts=tuple((by_temperature or {}).items()),
    )


def hot_leads(
    *,
    hot: int | None,
    past_due: int = 0,
    as_of: datetime,
    previous: int | None = None,
    period: str = "",
    trend: Sequence[float | None] = (),
    tiers: TierRule = LATE_TIERS,
) -> Tile:
    """Hot leads, and how many of them wait longer than the 5 minutes they should."""
    return Tile(
        name="hot_leads",
        title="Hot leads",
        value=hot,
        unit=Unit.COUNT,
        n=hot or 0,
        as_of=as_of,
        definition="Active leads with a score of 75 or more; late ones wait for their first answer past 5 minutes.",
        comparison=compare(hot, previous, period),
        trend=tuple(trend),
        tier=tiers.of(past_due / hot) if hot else None,
        parts=() if hot is None else (("past_due", past_due),),
    )


def ml_response(
    *,
    p50_ms: float | None,
    p95_ms: float | None,
    n: int,
    as_of: datetime,
    previous_p95_ms: float | None = None,
    period: str = "",
    trend: Sequence[float | None] = (),
    tiers: TierRule = ML_TIERS,
) -> Tile:
    """How long scoring takes: p95 against 50 ms, p50 beside it."""
    value = p95_ms if n else None
    return Tile(
        name="ml_response",
        title="ML response time",
        value=value,
        unit=Unit.MS,
        n=n,
        as_of=as_of,
        definition="95 of 100 scorings were answered within this time; the target is 50 ms.",
        comparison=compare(value, previous_p95_ms, period),
        trend=tuple(trend),
        tier=tiers.of(value),
        parts=(("p50_ms", p50_ms), ("target_ms", ML_TARGET_MS)) if n and p50_ms is not None else (),
    )


def bot_success(
    *,
    qualified: int,
    conversations: int,
    as_of: datetime,
    previous_qualified: int = 0,
    previous_conversations: int = 0,
    period: str = "",
    trend: Sequence[float | None] = (),
    tiers: TierRule = BOT_TIERS,
) -> Tile:
    """Bot success with its Wilson interval. Raises: ValueError when more qualified than talked."""
    interval = wilson(qualified, conversations)
    value = qualified / conversations if conversations else None
    before = previous_qualified / previous_conversations if previous_conversations else None
    return Tile(
        name="bot_success",
        title="Bot success",
        value=value,
        unit=Unit.RATIO,
        n=conversations,
        as_of=as_of,
        definition="Qualified leads ÷ bot conversations with at least one reply, with the 95 % Wilson interval.",
        comparison=compare(value, before, period),
        trend=tuple(trend),
        tier=tiers.of(value),
        interval=interval,
        parts=(("qualified", qualified),) if conversations else (),
    )
