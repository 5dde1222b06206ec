"""Which closed buckets the boards of a scope read, whatever the timeframe: read before somebody asks, they are there for all."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from backend.policy import Permission
from backend.services.bi import bots, dashboard, performance, revenue, spans
from backend.services.bi.closed import EARNED, LATENCIES, SUMS, Reader, by_place, span_of
from backend.services.bi.over import split
from backend.services.bi.question import opened
from backend.storage.warehouse.ranges import Span
from backend.storage.warehouse.sums import BOT

if TYPE_CHECKING:
    from backend.deps import Deps
    from backend.services.bi.question import Question
    from backend.services.bi.spans import Calendar

KINDS = (
    dashboard.DashboardQuestion.name,
    revenue.RevenueQuestion.name,
    performance.BotPerformance.name,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What an answer may read of a span: measures, or latencies of events of the kind `timed`; `by` as in `Reader`."""

    span: Span
    measures: tuple[str, ...] = ()
    timed: str = ""
    by: tuple[str, ...] = ()

    @property
    def kind(self) -> Any:
        return (LATENCIES, self.timed, self.by) if self.timed else (SUMS, self.measures, self.by)


async def prepare(deps: Deps, asked: Question) -> bool:
    """Read what is lacking in this process's memory. False: nothing was, and nobody was asked. Raises: TooMuchError."""
    calendar = asked.calendar(deps.clock.now())
    view = deps.answers.buckets.view()
    lacking = [part for part in _lacking(deps, calendar, _parts(asked, calendar)) if part.span != Span()]
    if not lacking or not deps.answers.versions.known:
        return False
    async with opened(deps, asked.scope) as connection:
        reads = Reader(deps=deps, connection=connection, calendar=calendar, view=view, ahead=True)
        for part in lacking:
            if part.timed:
                await reads.latencies(part.timed, part.span, by=part.by)
            else:
                await reads.sums(part.measures, part.span, by=part.by)
    return True


def _lacking(deps: Deps, calendar: Calendar, parts: Iterable[Part]) -> Iterator[Part]:
    """No more than what is lacking of each part."""
    for part in parts:
        over, _ = split(part.span, calendar)
        missing = {}
        for (grain, place), ranges in by_place(over).items():
            wanted = [(one.first, one.end) for one in ranges]
            _, numbers = deps.answers.buckets.look(part.kind, grain, place, wanted, None)
            if len(numbers):
                missing[grain, place] = numbers
        yield replace(part, span=span_of(missing))


def _parts(asked: Question, calendar: Calendar) -> list[Part]:
    found: list[Part] = []
    if asked.name == performance.BotPerformance.name:
        span, by = _span(calendar, performance.TIMEFRAMES), (BOT,)
        found += [Part(span=span, measures=bots.MEASURES, by=by)]
        found += [Part(span=span, timed=kind, by=by) for kind in bots.TIMED]
        return found
    if asked.sees(Permission.SEE_MONEY):
        found.append(Part(span=_span(calendar, tuple(spans.DAYS), money=True), measures=EARNED))
    if asked.name == dashboard.DashboardQuestion.name and asked.sees(Permission.SEE_BOTS):
        span = _span(calendar, tuple(spans.DAYS))
        found += [Part(span=span, timed="scored"), Part(span=span, measures=dashboard.TALKS)]
    return found


def _span(calendar: Calendar, timeframes: Sequence[str], *, money: bool = False) -> Span:
    """All that these timeframes add up: themselves, the time before them, and their course."""
    span = Span() if money else calendar.last_hours(24)
    for timeframe in timeframes:
        span += calendar.asked(timeframe, money=money) + calendar.before(timeframe, money=money)
        span += calendar.last_days(spans.DAYS[timeframe])
    return span
