"""What of a span is over and will only change by late news, and what still runs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from backend.services.bi.spans import ONE_DAY, Calendar, date_key
from backend.storage.warehouse.ranges import FIRST_DAY, Span, floor


def split(span: Span, calendar: Calendar) -> tuple[Span, Span]:
    """What is over in every office, and what runs: today, this hour, what is read from the facts, and what has no beginning."""
    if not calendar.offices:
        return Span(), span
    today = min(calendar.today(office) for office in calendar.offices)
    first_open = date_key(today)
    over_days, running_days = _halved(
        span.days,
        lambda day: day.last < first_open and day.first != FIRST_DAY,
        lambda day: day.first >= first_open or day.first == FIRST_DAY,
        lambda day: (replace(day, last=date_key(today - ONE_DAY)), replace(day, first=first_open)),
    )
    hour = floor(calendar.now)
    over_hours, running_hours = _halved(
        span.hours,
        lambda moments: moments.until <= hour,
        lambda moments: moments.since >= hour,
        lambda moments: (replace(moments, until=hour), replace(moments, since=hour)),
    )
    return (
        Span(days=over_days, hours=over_hours),
        Span(days=running_days, hours=running_hours, edges=span.edges),
    )


def _halved(
    ranges: Sequence[Any],
    is_over: Callable[[Any], bool],
    is_running: Callable[[Any], bool],
    cut: Callable[[Any], tuple[Any, Any]],
) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    over = [one for one in ranges if is_over(one)]
    running = [one for one in ranges if not is_over(one) and is_running(one)]
    for one in ranges:
        if not is_over(one) and not is_running(one):
            first, second = cut(one)
            over.append(first)
            running.append(second)
    return tuple(over), tuple(running)
