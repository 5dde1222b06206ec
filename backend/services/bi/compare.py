"""What answers say of a figure beside its value: what it was before, with the words for what is compared; how sure a share is."""

from __future__ import annotations

from typing import Any

from backend.services.bi import spans
from backend.services.bi.spans import Calendar
from domain import kpis
from domain.kpis import Unit

NO_DATA = "no data yet"
_TIMES = {"24h": "24 hours", "7d": "7 days", "30d": "30 days", "90d": "90 days", "1y": "365 days"}


def label(calendar: Calendar, timeframe: str, *, money: bool = False) -> str:
    """Of what came within a timeframe, against the equal part before it."""
    times = _TIMES[timeframe]
    if spans.rolls(timeframe, money=money):
        return f"last {times} against the {times} before"
    until = f"each to {_clock(calendar)} of its last day"
    if spans.DAYS[timeframe] == 1:
        return f"today against yesterday, {until.removesuffix(' of its last day')}"
    return f"last {times} against the {times} before, {until}"


def stock_label(timeframe: str) -> str:
    """Of what stands at a moment."""
    return f"now against {_TIMES[timeframe]} ago"


def in_unit(value: float | None, unit: Unit) -> float | None:
    """As answers say it: cents and counts are whole numbers, rounded half-even once, here at the end."""
    return round(value) if value is not None and unit in {Unit.CENTS, Unit.COUNT} else value


def as_json(found: kpis.Comparison | None, unit: Unit) -> dict[str, Any] | None:
    if found is None:
        return None
    return {"previous": in_unit(found.previous, unit), "change": found.change, "label": found.label}


def bounds(interval: kpis.Interval | None) -> list[float] | None:
    return None if interval is None else [interval.low, interval.high]


def share_bounds(good: int, n: int) -> list[float] | None:
    """The 95 % Wilson interval of good ÷ n; None without cases."""
    return bounds(kpis.wilson(good, n))


def _clock(calendar: Calendar) -> str:
    if calendar.offices and calendar.in_one_zone:
        return calendar.now.astimezone(calendar.offices[0].zone).strftime("%H:%M")
    return "this time of day"
