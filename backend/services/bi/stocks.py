"""What stands: the pipeline, exact at any moment as the ledger's sum; leads now, and as hourly pictures kept them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from functools import cache
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from backend.services.bi import points, spans
from backend.services.bi.points import Point
from backend.services.bi.spans import ASKED, BEFORE, Calendar
from backend.storage.warehouse import stocks as store
from backend.storage.warehouse.ranges import FIRST_DAY, LAST_DAY, Days, Moments, hour_number, hour_of
from backend.storage.warehouse.scope import Scope
from backend.storage.warehouse.stocks import Standing
from domain import deals, leads
from domain.leads import Kind

if TYPE_CHECKING:
    from backend.storage.pool import Connection

PARTS = 1_000_000
"""Chances are counted in millionths."""
_AT_LEAST = timedelta(hours=3)
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
    trend: Sequence[float | None]
    """None: nothing was known of deals yet."""


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
    connection: Connection,
    scope: Scope,
    calendar: Calendar,
    timeframe: str,
    now: Pipeline,
    *,
    drawn: Sequence[Point],
) -> Past:
    """Back from what stands now, by what came and went since; `drawn` are the timeframe's points."""
    count = spans.DAYS[timeframe]
    first = await store.first_deal_day(connection, scope.places)
    if first is None:
        return Past(then=None, trend=())
    days = [point for point in drawn if not point.hour]
    since = await store.standing(connection, points.gathered(calendar.since(count), days))
    since_cut = await store.standing_of_moments(connection, _after_cut(calendar, count))
    began = min(spans.date_key(calendar.cut(o, count).astimezone(o.zone).date()) for o in calendar.offices)
    then = now - pipeline(since) - pipeline(since_cut) if first <= began else None
    known = first
    if timeframe == "24h":
        since = await _by_hour(connection, calendar, drawn)
        known = min(hour_number(spans.midnight(spans.day_of(first), o.zone)) for o in calendar.offices)
    trend = [_weighted(now, since, point) if point.last >= known else None for point in drawn]
    return Past(then=then, trend=trend)


def _weighted(now: Pipeline, since: Iterable[Standing], point: Point) -> float:
    """At the point's end."""
    return float((now - pipeline(row for row in since if row.tag > point.last)).weighted_cents)


async def _by_hour(connection: Connection, calendar: Calendar, drawn: Sequence[Point]) -> list[Standing]:
    """What came and went in the hours of these points."""
    since, until = hour_of(drawn[0].first), calendar.end
    return await store.standing_of_moments(
        connection, [Moments(place=office.key, since=since, until=until) for office in calendar.offices]
    )


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
    connection: Connection, calendar: Calendar, drawn: Sequence[Point], now: Mapping[str, float]
) -> Mapping[str, Sequence[float | None]]:
    """The last picture within each point before, and as the last point what is counted `now`: a trend ends at its tile's figure."""
    if not now:
        return {}
    past = range(len(drawn) - 1)
    zones = list({office.zone for office in calendar.offices})
    wanted = [
        _wanted(drawn[n], zone, calendar.now, group=group, tag=n)
        for group, zone in enumerate(zones)
        for n in past
    ]
    group_of = {office.id: zones.index(office.zone) for office in calendar.offices}
    found = await store.pictures(connection, group_of, wanted)
    return {name: [*(found.get((name, n)) for n in past), value] for name, value in now.items()}


def _wanted(point: Point, zone: ZoneInfo, now: datetime, *, group: int, tag: int) -> store.Wanted:
    """The last picture within the point, on the clock there; where that is short, one from a little before will do."""
    since, until = point.times(zone)
    until = min(until, now)
    return store.Wanted(group=group, tag=tag, since=min(since, until - _AT_LEAST), until=until)


def slack(timeframe: str) -> float:
    """How old the picture may be that a comparison uses, in seconds: a trend's point, and at least three hours."""
    length = spans.DAYS[timeframe] * spans.ONE_DAY
    return max(_AT_LEAST, length / points.COUNT[timeframe]).total_seconds()
