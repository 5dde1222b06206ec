"""Sums over a span, its closed part out of the cache: days and hours that are over change only by late news, whose versions tell.

So that an answer that was touched a moment ago is mostly read from memory, and only today is counted.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson

from backend.cache import spans as tagged
from backend.cache.answers import Ask, Made
from backend.services.bi.spans import ONE_DAY, Calendar, date_key, day_of
from backend.storage.warehouse import latencies, sums
from backend.storage.warehouse.latencies import CELLS, Histograms
from backend.storage.warehouse.ranges import FIRST_DAY, Days, Moments, Span, Sums, floor
from backend.storage.warehouse.scope import Scope

if TYPE_CHECKING:
    from backend.deps import Deps
    from backend.storage.pool import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """Reads for one question, in its snapshot of the warehouse."""

    deps: Deps
    connection: Connection
    scope: Scope
    calendar: Calendar

    async def sums(self, measures: Sequence[str], span: Span, *, by: Sequence[str] = ()) -> Sums:
        """As `warehouse.sums.of_span`."""
        over, running = split(span, self.calendar)
        found: Sums = {}
        if over.days or over.hours:

            async def make() -> Made:
                part = await sums.of_span(self.connection, measures, over, by=by)
                return Made(body=orjson.dumps([[group, values] for group, values in part.items()]))

            ask = self._ask("closed-sums", {"measures": list(measures), "by": list(by)}, over)
            kept = await self.deps.answers.get(ask, make)
            found = {tuple(group): values for group, values in orjson.loads(kept.body)}
        for group, values in (await sums.of_span(self.connection, measures, running, by=by)).items():
            held = found.setdefault(group, dict.fromkeys(values, 0))
            for name, value in values.items():
                held[name] += value
        return found

    async def latencies(self, kind: str, span: Span, *, by: Sequence[str] = ()) -> Histograms:
        """As `warehouse.latencies.of_span`."""
        over, running = split(span, self.calendar)
        found: Histograms = {}
        if over.days or over.hours:

            async def make() -> Made:
                return Made(body=_packed(await latencies.of_span(self.connection, kind, over, by=by)))

            ask = self._ask("closed-latencies", {"kind": kind, "by": list(by)}, over)
            found = _unpacked((await self.deps.answers.get(ask, make)).body)
        for group, counts in (await latencies.of_span(self.connection, kind, running, by=by)).items():
            found[group] = found[group] + counts if group in found else counts
        return found

    def _ask(self, what: str, params: Mapping[str, Any], span: Span) -> Ask:
        return Ask(
            what=what,
            params={
                **params,
                "days": [asdict(one) for one in span.days],
                "hours": [asdict(one) for one in span.hours],
            },
            fingerprint=self.scope.fingerprint,
            span=_tagged(span),
            closed=True,
        )


def split(span: Span, calendar: Calendar) -> tuple[Span, Span]:
    """What is over in every office, and what runs: today, this hour, and what is read from the facts."""
    if not calendar.offices:
        return Span(), span
    today = min(calendar.today(office) for office in calendar.offices)
    over_days, running_days = _halved(
        span.days,
        lambda day: day.last < date_key(today),
        lambda day: day.first >= date_key(today),
        lambda day: (replace(day, last=date_key(today - ONE_DAY)), replace(day, first=date_key(today))),
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
    over, running = [], []
    for one in ranges:
        if is_over(one):
            over.append(one)
        elif is_running(one):
            running.append(one)
        else:
            first, second = cut(one)
            over.append(first)
            running.append(second)
    return tuple(over), tuple(running)


def _tagged(span: Span) -> tagged.Span:
    """One span of tags around all ranges: a few days more than needed only ask for the truth more often."""
    days: Sequence[Days] = span.days
    hours: Sequence[Moments] = span.hours
    first_days = [day.first for day in days if day.first != FIRST_DAY]
    return tagged.Span(
        places=tuple(sorted({day.place for day in days} | {one.place for one in hours})),
        days=(day_of(min(first_days)), day_of(max(day.last for day in days))) if first_days else None,
        hours=(min(one.since for one in hours), max(one.until for one in hours)) if hours else None,
        stock=len(first_days) < len(days),
    )


def _packed(found: Histograms) -> bytes:
    """Only the cells that hold something."""
    return orjson.dumps(
        [
            [list(group), cells.tolist(), counts[cells].tolist()]
            for group, counts in found.items()
            for cells in [np.flatnonzero(counts)]
        ]
    )


def _unpacked(body: bytes) -> Histograms:
    found: Histograms = {}
    for group, cells, values in orjson.loads(body):
        counts = np.zeros(CELLS, np.int64)
        counts[cells] = values
        found[tuple(group)] = counts
    return found
