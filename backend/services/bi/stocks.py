"""What stands: the pipeline, exact at any moment as the ledger's sum; leads now, and as hourly pictures kept them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from functools import cache
from typing import TYPE_CHECKING

from backend.services.bi import points, spans
from backend.services.bi.spans import ASKED, BEFORE, Calendar
from backend.storage.warehouse import stocks as store
from backend.storage.warehouse.ranges import FIRST_DAY, HOUR, LAST_DAY, Days, Moments, hour_number
from backend.storage.warehouse.scope import Scope
from backend.storage.warehouse.stocks import Standing
from domain import deals, leads
from domain.leads import Kind

if TYPE_CHECKING:
    from backend.storage.pool import Connection

PARTS = 1_000_000
"""Chances are counted in millionths."""
_AT_LEAST = 3 * 3600.0
"""Pictures are hourly; one missed, or two, make no gap."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pipeline:
    """Open deals: Σ P(close) · net company dollars, and their gross commission."""

    weight: int
    gross_cents: int
    company_cents: int
    deals: int

    @property
    def weighted_cents(self) -> int:
        return cents(self.weight)

    def __sub__(self, other: Pipeline) -> Pipeline:
        return Pipeline(
            weight=self.weight - other.weight,
            gross_cents=self.gross_cents - other.gross_cents,
            company_cents=self.company_cents - other.company_cents,
            deals=self.deals - other.deals,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """The pipeline at the comparison's moment (None: nothing was known of deals then), and at the end of each point."""

    then: Pipeline | None
    trend: tuple[float, ...]


def pipeline(standing: Iterable[Standing]) -> Pipeline:
    found = list(standing)
    return Pipeline(
        weight=sum(weight(row.stage, row.company_cents, sells=row.sells) for row in found),
        gross_cents=sum(row.gross_cents for row in found),
        company_cents=sum(row.company_cents for row in found),
        deals=sum(row.deals for row in found),
    )


def weight(stage: str, company_cents: int, *, sells: bool) -> int:
    """P(close) times company dollars in millionths of a cent: whole numbers, so that any division adds up to the same."""
    return round(PARTS * chance(stage, sells=sells)) * company_cents


def cents(weight: int) -> int:
    return round(Fraction(weight, PARTS))


@cache
def chance(stage: str, *, sells: bool) -> float:
    """P(close) by the market's default odds."""
    return deals.odds(stage, Kind.SELLER if sells else Kind.BUYER).value


ODDS = tuple(
    (stage.value, sells, round(PARTS * chance(stage.value, sells=sells)))
    for stage in leads.Stage
    if leads.is_open(stage)
    for sells in (False, True)
)
"""Stage, whether it sells, and P(close) in millionths, of all that is open."""


async def pipeline_now(connection: Connection, scope: Scope) -> Pipeline:
    return await pipeline_of(connection, scope.places)


async def pipeline_of(connection: Connection, places: Sequence[int]) -> Pipeline:
    everything = [Days(place=place, first=FIRST_DAY, last=LAST_DAY, tag=ASKED) for place in places]
    return pipeline(await store.standing(connection, everything))


async def pipeline_past(
    connection: Connection, scope: Scope, calendar: Calendar, timeframe: str, now: Pipeline
) -> Past:
    """Back from what stands now, by what came and went since."""
    count = spans.DAYS[timeframe]
    first = await store.first_deal_day(connection, scope.places)
    if first is None:
        return Past(then=None, trend=())
    ends = points.of_days(calendar, timeframe) if timeframe != "24h" else ()
    since = await store.standing(connection, points.gathered(calendar.since(count), ends))
    since_cut = await store.standing_of_moments(connection, _after_cut(calendar, count))
    began = min(spans.date_key(calendar.cut(o, count).astimezone(o.zone).date()) for o in calendar.offices)
    then = now - pipeline(since) - pipeline(since_cut) if first <= began else None
    if timeframe == "24h":
        return Past(then=then, trend=await _hourly(connection, calendar, now))
    trend = [
        now - pipeline(row for row in since if row.tag > point.last) for point in ends if point.last >= first
    ]
    return Past(then=then, trend=tuple(float(found.weighted_cents) for found in trend))


async def _hourly(connection: Connection, calendar: Calendar, now: Pipeline) -> tuple[float, ...]:
    """At the end of each of the last 24 hours."""
    begin = calendar.end - 24 * HOUR
    rows = await store.standing_of_moments(
        connection,
        [Moments(place=office.key, since=begin, until=calendar.end) for office in calendar.offices],
    )
    hours = range(hour_number(begin), hour_number(calendar.end))
    trend = [now - pipeline(row for row in rows if row.tag > hour) for hour in hours]
    return tuple(float(found.weighted_cents) for found in trend)


def _after_cut(calendar: Calendar, count: int) -> list[Moments]:
    """The rest of the day that the comparison ends in, office by office."""
    return [
        Moments(
            place=office.key,
            since=calendar.cut(office, count),
            until=spans.midnight(calendar.today(office) - (count - 1) * spans.ONE_DAY, office.zone),
            tag=BEFORE,
            day=spans.date_key(calendar.today(office) - count * spans.ONE_DAY),
        )
        for office in calendar.offices
    ]


async def leads_before(connection: Connection, calendar: Calendar, timeframe: str) -> dict[str, float]:
    """Active and hot leads at this time of day as many days ago; only those that were pictured."""
    count = spans.DAYS[timeframe]
    at = {office.id: calendar.cut(office, count) for office in calendar.offices}
    return dict(await store.pictures_at(connection, at, slack(timeframe)))


async def lead_trends(
    connection: Connection, calendar: Calendar, timeframe: str, now: Mapping[str, float]
) -> dict[str, list[float]]:
    """The pictures of the points before, and as the last point what is counted `now`: a trend ends at its tile's figure."""
    edges = picture_edges(calendar.now, timeframe)
    found = await store.pictures(connection, [office.id for office in calendar.offices], edges)
    return {name: [*found.get(name, ()), value] for name, value in now.items()}


def slack(timeframe: str) -> float:
    """How old the picture may be that a comparison uses, in seconds: a trend's point, and at least three hours."""
    length = spans.DAYS[timeframe] * spans.ONE_DAY
    return max(_AT_LEAST, length.total_seconds() / points.COUNT[timeframe])


def picture_edges(now: datetime, timeframe: str) -> Sequence[datetime]:
    count = points.COUNT[timeframe]
    step = spans.DAYS[timeframe] * spans.ONE_DAY / count
    return [now - step * (count - n) for n in range(count)]
