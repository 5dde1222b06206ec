"""GET /api/bi/dashboard-kpis: the five tiles with comparison, trend and tier, and what the commission comes to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from backend.actor import Actor
from backend.policy import Permission
from backend.services.bi import compare, latency, points, question, spans, stocks
from backend.services.bi.closed import EARNED, Reader
from backend.services.bi.question import Question
from backend.services.bi.spans import ASKED, BEFORE, Calendar
from backend.storage.warehouse import latencies, newest
from backend.storage.warehouse import stocks as store
from backend.storage.warehouse.ranges import Span
from domain import kpis
from domain.leads import COLDEST_FIRST

if TYPE_CHECKING:
    from backend.deps import Deps
    from backend.storage.pool import Connection

DEFAULT_RATE_BP = 600
TALKS = ("conversations", "qualified")


@dataclass(frozen=True, slots=True, kw_only=True)
class DashboardQuestion(Question):
    name: ClassVar[str] = "dashboard-kpis"

    comparisons: bool = True
    trends: bool = True

    def options(self) -> Mapping[str, Any]:
        return {"comparisons": self.comparisons, "trends": self.trends}


async def ask(
    deps: Deps,
    actor: Actor,
    *,
    location_id: str = "",
    timeframe: str = "30d",
    comparisons: bool = True,
    trends: bool = True,
) -> DashboardQuestion:
    """Raises: ForbiddenError."""
    scope, offices = await question.whose(deps, actor, location_id, Permission.SEE_KPIS)
    return DashboardQuestion(
        scope=scope, offices=offices, timeframe=timeframe, comparisons=comparisons, trends=trends
    )


async def answer(deps: Deps, asked: DashboardQuestion) -> dict[str, Any]:
    """All of it read in one snapshot of the warehouse. Raises: TooMuchError."""
    calendar = asked.calendar(deps.clock.now())
    view = deps.answers.buckets.view()
    async with question.opened(deps, asked.scope) as connection:
        reads = Reader(deps=deps, connection=connection, calendar=calendar, view=view)
        drawn = points.of(calendar, asked.timeframe)
        board = _Board(reads=reads, connection=connection, asked=asked, calendar=calendar, drawn=drawn)
        tiles = await board.tiles()
        commission = await board.commission(tiles) if asked.sees(Permission.SEE_MONEY) else {}
        watermark = await newest.event(connection, asked.scope, calendar.now)
    return {
        "metrics": {tile.name: _metric(tile) for tile in tiles},
        "comparisons": {tile.name: compare.as_json(tile.comparison, tile.unit) for tile in tiles}
        if asked.comparisons
        else {},
        "trends": {tile.name: _trend(tile) for tile in tiles} if asked.trends else {},
        "trend_points": [point.begins for point in board.drawn] if asked.trends else [],
        "performance_tiers": {tile.name: tile.tier.value if tile.tier else None for tile in tiles},
        "jorge_commission": commission,
        "timeframe": asked.timeframe,
        "locations": [office.id for office in asked.offices],
        **question.stamps(calendar.now, watermark, "aggregates"),
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class _Board:
    """One reading of the tiles."""

    reads: Reader
    connection: Connection
    asked: DashboardQuestion
    calendar: Calendar
    drawn: Sequence[points.Point]
    """The points of every trend."""

    async def tiles(self) -> list[kpis.Tile]:
        """Those that who asks may see."""
        found = []
        if self.asked.sees(Permission.SEE_MONEY):
            found.append(await self._pipeline())
        found += await self._leads()
        if self.asked.sees(Permission.SEE_BOTS):
            found += [await self._response(), await self._bots()]
        return found

    async def _pipeline(self) -> kpis.Tile:
        scope, timeframe = self.asked.scope, self.asked.timeframe
        now = await stocks.pipeline_now(self.connection, scope)
        past = stocks.Past(then=None, trend=())
        if self.asked.comparisons or self.asked.trends:
            past = await stocks.pipeline_past(
                self.connection, scope, self.calendar, timeframe, now, drawn=self.drawn
            )
        return kpis.revenue_pipeline(
            weighted_cents=now.weighted_cents,
            gross_cents=now.gross_cents,
            n=now.deals,
            known=await store.first_deal_day(self.connection, scope.places) is not None,
            as_of=self.calendar.now,
            previous_weighted_cents=past.then.weighted_cents if past.then else None,
            period=compare.stock_label(timeframe),
            trend=past.trend,
        )

    async def _leads(self) -> list[kpis.Tile]:
        now = await store.leads(self.connection, self.asked.scope.keys, self.calendar.now)
        counts = now.by_temperature
        counted = {"active_leads": float(sum(counts.values())), "hot_leads": float(counts.get("hot", 0))}
        before, trends = await self._leads_past(counted if now.known else {})
        named = {word.value: counts.get(word.value, 0) for word in reversed(COLDEST_FIRST)}
        if unscored := sum(counts.values()) - sum(named.values()):
            named["unscored"] = unscored
        active, hot = before.get("active_leads"), before.get("hot_leads")
        period = compare.stock_label(self.asked.timeframe)
        return [
            kpis.active_leads(
                by_temperature=named if now.known else None,
                as_of=self.calendar.now,
                previous=None if active is None else round(active),
                period=period,
                trend=trends.get("active_leads", ()),
            ),
            kpis.hot_leads(
                hot=counts.get("hot", 0) if now.known else None,
                past_due=now.late,
                as_of=self.calendar.now,
                previous=None if hot is None else round(hot),
                period=period,
                trend=trends.get("hot_leads", ()),
            ),
        ]

    async def _leads_past(
        self, now: Mapping[str, float]
    ) -> tuple[Mapping[str, float], Mapping[str, Sequence[float | None]]]:
        before: Mapping[str, float] = {}
        trends: Mapping[str, Sequence[float | None]] = {}
        if self.asked.comparisons:
            before = await stocks.leads_before(self.connection, self.calendar, self.asked.timeframe)
        if self.asked.trends:
            trends = await stocks.lead_trends(self.connection, self.calendar, self.drawn, now)
        return before, trends

    async def _response(self) -> kpis.Tile:
        found = await self.reads.latencies("scored", self._span())
        before = found.pop((BEFORE,), None)
        asked = found.pop((ASKED,), None)
        series = {group[0]: counts for group, counts in found.items()}
        now = latency.total(series.values()) if self._by_days else asked
        return kpis.ml_response(
            p50_ms=_ms(now, 0.5),
            p95_ms=_ms(now, 0.95),
            n=0 if now is None else int(now.sum()),
            as_of=self.calendar.now,
            previous_p95_ms=_ms(before, 0.95),
            period=compare.label(self.calendar, self.asked.timeframe),
            trend=[_ms(latency.total(series[tag] for tag in point.of(series)), 0.95) for point in self.drawn],
        )

    async def _bots(self) -> kpis.Tile:
        found = await self.reads.sums(TALKS, self._span())
        before = found.pop((BEFORE,), {})
        asked = found.pop((ASKED,), {})
        series = {group[0]: counted for group, counted in found.items()}
        now = _added(series.values()) if self._by_days else asked
        talks = [_added(series[tag] for tag in point.of(series)) for point in self.drawn]
        return kpis.bot_success(
            qualified=now.get("qualified", 0),
            conversations=now.get("conversations", 0),
            as_of=self.calendar.now,
            previous_qualified=before.get("qualified", 0),
            previous_conversations=before.get("conversations", 0),
            period=compare.label(self.calendar, self.asked.timeframe),
            trend=[_share(counted) for counted in talks],
        )

    @property
    def _by_days(self) -> bool:
        """The series' days are then just the time asked for."""
        return not spans.rolls(self.asked.timeframe)

    def _span(self) -> Span:
        """The time asked for, the one before, and the series, in one reading."""
        timeframe = self.asked.timeframe
        series = points.series(self.calendar, timeframe)
        span = series if self._by_days else self.calendar.asked(timeframe)
        if self.asked.trends and not self._by_days:
            span += series
        return span + self.calendar.before(timeframe) if self.asked.comparisons else span

    async def commission(self, tiles: Sequence[kpis.Tile]) -> dict[str, Any]:
        """Closed deals by the day they closed, and the pipeline: 0 is none, None that no deal was ever heard of."""
        names = ("closed_deals", "closed_gross_cents", "closed_company_cents", "closed_rate_bp")
        found = dict.fromkeys((*names, "pipeline_gross_cents", "pipeline_weighted_cents"))
        pipeline = next(tile for tile in tiles if tile.name == "revenue_pipeline")
        if pipeline.value is None:
            return {"default_rate_bp": DEFAULT_RATE_BP, **found}
        span = self.calendar.asked(self.asked.timeframe, money=True)
        earned = (await self.reads.sums(EARNED, span)).get((ASKED,), {})
        won, price = earned.get("deals_won", 0), earned.get("won_price_cents", 0)
        return {
            "default_rate_bp": DEFAULT_RATE_BP,
            "closed_deals": won,
            "closed_gross_cents": earned.get("won_gross_cents", 0),
            "closed_company_cents": earned.get("won_company_cents", 0),
            "closed_rate_bp": round(10_000 * earned["won_gross_cents"] / price) if won and price else None,
            "pipeline_gross_cents": dict(pipeline.parts)["gross_cents"],
            "pipeline_weighted_cents": pipeline.value,
        }


def _added(rows: Iterable[Mapping[str, int]]) -> Mapping[str, int]:
    found: dict[str, int] = {}
    for row in rows:
        for name, value in row.items():
            found[name] = found.get(name, 0) + value
    return found


def _ms(counts: latencies.Counts | None, q: float) -> float | None:
    found = None if counts is None else latency.quantile_us(counts, q)
    return None if found is None else round(found / 1000, 3)


def _share(counted: Mapping[str, int]) -> float | None:
    return counted["qualified"] / counted["conversations"] if counted.get("conversations") else None


def _trend(tile: kpis.Tile) -> list[float | None]:
    """One entry for each point; nothing at all where none of them has data."""
    found = [compare.in_unit(point, tile.unit) for point in tile.trend]
    return found if any(point is not None for point in found) else []


def _metric(tile: kpis.Tile) -> dict[str, Any]:
    return {
        "name": tile.name,
        "title": tile.title,
        "value": compare.in_unit(tile.value, tile.unit),
        "unit": tile.unit.value,
        "n": tile.n,
        "as_of": tile.as_of.isoformat(),
        "definition": tile.definition,
        "interval": compare.bounds(tile.interval),
        "parts": dict(tile.parts),
        "is_default": tile.name == "revenue_pipeline",  # its odds are the market's until own history is kept
        "note": None if tile.value is not None else compare.NO_DATA,
    }
