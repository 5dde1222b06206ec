"""The command centre's five tiles for some locations and a timeframe, counted from what is stored."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import orjson
from redis import exceptions as redis_errors

from backend.actor import Actor, Role
from backend.storage import feed, pool
from backend.storage import kpis as store
from domain import deals, errors, kpis, periods
from domain.leads import COLDEST_FIRST, Kind

if TYPE_CHECKING:
    from backend.deps import Deps

logger = logging.getLogger(__name__)

ALL = "all"
BUCKETS: Mapping[str, int] = {"24h": 24, "7d": 7, "30d": 30, "90d": 18, "1y": 12}
CACHE_SECONDS = 30
DEFAULT_RATE_BP = 600


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """Whose figures, and for which time."""

    locations: tuple[str, ...]
    timeframe: str = "30d"

    @property
    def key(self) -> str:
        """The same for the same question, and for no other."""
        return hashlib.sha256(orjson.dumps([self.locations, self.timeframe])).hexdigest()[:32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stocks:
    """What stands at this moment."""

    weighted_cents: int
    gross_cents: int
    deals: int
    leads: store.Leads

    @property
    def active(self) -> int | None:
        """None where there never was a lead."""
        return sum(self.leads.by_temperature.values()) if self.leads.known else None

    @property
    def hot(self) -> int | None:
        return self.leads.by_temperature.get("hot", 0) if self.leads.known else None

    def named(self) -> dict[str, float]:
        """What a snapshot keeps."""
        if self.active is None or self.hot is None:
            return {}
        return {"revenue_pipeline": self.weighted_cents, "active_leads": self.active, "hot_leads": self.hot}


def ask(actor: Actor, location_id: str | None, timeframe: str = "30d") -> Ask:
    """What this person may ask. Raises: ForbiddenError, InputError."""
    if actor.role is Role.AGENT:
        raise errors.ForbiddenError(
            "The command centre is for managers.", where=f"role {actor.role}", hint="Ask your manager."
        )
    if timeframe not in periods.TIMEFRAMES:
        raise errors.InputError(
            f"{timeframe!r:.20} is no timeframe.",
            where="timeframe",
            hint=f"One of {', '.join(periods.TIMEFRAMES)}.",
        )
    if not location_id or location_id == ALL:
        return Ask(locations=tuple(sorted(actor.locations)), timeframe=timeframe)
    if location_id not in actor.locations:
        raise errors.ForbiddenError(
            "You may not see this location.", where="location_id", hint="Ask an administrator to grant it."
        )
    return Ask(locations=(location_id,), timeframe=timeframe)


async def dashboard(deps: Deps, question: Ask, *, fresh: bool = False) -> dict[str, Any]:
    """The whole answer of /api/bi/dashboard-kpis; from the cache while nothing changed (at most 30 s)."""
    async with deps.pool.acquire() as connection:
        head = (await feed.head(connection)).seq
    key = f"{deps.channel_prefix}kpi:{question.key}:{head}"
    if not fresh and (held := await _cached(deps, key)):
        return held | {"cache_hit": True}
    now = deps.clock.now()
    tiles, earned = await counted(deps, question, now)
    answer = _answer(tiles, earned, now) | {
        "timeframe": question.timeframe,
        "locations": list(question.locations),
    }
    await _keep(deps, key, answer)
    return answer | {"cache_hit": False}


async def counted(deps: Deps, question: Ask, now: datetime) -> tuple[list[kpis.Tile], store.Earned]:
    """The five tiles, all read in one snapshot of the database."""
    period = periods.rolling(question.timeframe, now)
    edges = _edges(period, BUCKETS[question.timeframe])
    slack = max(3 * 3600.0, (edges[1] - edges[0]).total_seconds())
    where = question.locations
    async with (
        deps.pool.acquire() as connection,
        connection.transaction(isolation="repeatable_read", readonly=True),
    ):
        now_stocks = await stocks(connection, where, now)
        before = await store.snapshots_at(connection, where, period.previous_end, slack)
        trends = _by_name(await store.snapshot_trend(connection, where, edges))
        tiles = [
            _pipeline(now_stocks, before, trends, period),
            _active(now_stocks, before, trends, period),
            _hot(now_stocks, before, trends, period),
            await _ml(connection, where, period, edges),
            await _bots(connection, where, period, edges),
        ]
        return tiles, await store.earned(connection, where, period.start, period.end)


async def stocks(connection: pool.Connection, locations: Sequence[str], now: datetime) -> Stocks:
    groups = await store.open_deals(connection, locations)
    weighted = sum(
        deals.odds(group.stage, Kind.SELLER if group.sells else Kind.BUYER).value * group.company_cents
        for group in groups
    )
    return Stocks(
        weighted_cents=round(weighted),
        gross_cents=sum(group.gross_cents for group in groups),
        deals=sum(group.n for group in groups),
        leads=await store.active_leads(connection, locations, now),
    )


def _pipeline(
    now: Stocks, before: Mapping[str, float], trends: Mapping[str, list[float]], period: periods.Period
) -> kpis.Tile:
    previous = before.get("revenue_pipeline")
    return kpis.revenue_pipeline(
        weighted_cents=now.weighted_cents,
        gross_cents=now.gross_cents,
        n=now.deals,
        as_of=period.end,
        previous_weighted_cents=None if previous is None else round(previous),
        period=period.label,
        trend=trends.get("revenue_pipeline", ()),
    )


def _active(
    now: Stocks, before: Mapping[str, float], trends: Mapping[str, list[float]], period: periods.Period
) -> kpis.Tile:
    counts = now.leads.by_temperature
    hottest_first = [word.value for word in reversed(COLDEST_FIRST)]
    named = {word: counts.get(word, 0) for word in hottest_first}
    if unscored := sum(counts.values()) - sum(named.values()):
        named["unscored"] = unscored
    previous = before.get("active_leads")
    return kpis.active_leads(
        by_temperature=named if now.leads.known else None,
        as_of=period.end,
        previous=None if previous is None else round(previous),
        period=period.label,
        trend=trends.get("active_leads", ()),
    )


def _hot(
    now: Stocks, before: Mapping[str, float], trends: Mapping[str, list[float]], period: periods.Period
) -> kpis.Tile:
    previous = before.get("hot_leads")
    return kpis.hot_leads(
        hot=now.hot,
        past_due=now.leads.hot_past_due,
        as_of=period.end,
        previous=None if previous is None else round(previous),
        period=period.label,
        trend=trends.get("hot_leads", ()),
    )


async def _ml(
    connection: pool.Connection, where: Sequence[str], period: periods.Period, edges: Sequence[datetime]
) -> kpis.Tile:
    now = await store.scoring_latency(connection, where, period.start, period.end)
    before = await store.scoring_latency(connection, where, period.previous_start, period.previous_end)
    return kpis.ml_response(
        p50_ms=now.p50_ms,
        p95_ms=now.p95_ms,
        n=now.n,
        as_of=period.end,
        previous_p95_ms=before.p95_ms,
        period=period.label,
        trend=[value for _, value in await store.latency_trend(connection, where, edges)],
    )


async def _bots(
    connection: pool.Connection, where: Sequence[str], period: periods.Period, edges: Sequence[datetime]
) -> kpis.Tile:
    now = await store.talks(connection, where, period.start, period.end)
    before = await store.talks(connection, where, period.previous_start, period.previous_end)
    return kpis.bot_success(
        qualified=now.qualified,
        conversations=now.conversations,
        as_of=period.end,
        previous_qualified=before.qualified,
        previous_conversations=before.conversations,
        period=period.label,
        trend=[value for _, value in await store.talks_trend(connection, where, edges)],
    )


def _edges(period: periods.Period, count: int) -> list[datetime]:
    step = (period.end - period.start) / count
    return [period.start + n * step for n in range(count)] + [period.end + timedelta(microseconds=1)]


def _by_name(rows: Sequence[tuple[str, int, float]]) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {}
    for name, _, value in rows:
        found.setdefault(name, []).append(value)
    return found


def _answer(tiles: Sequence[kpis.Tile], earned: store.Earned, now: datetime) -> dict[str, Any]:
    pipeline = next(tile for tile in tiles if tile.name == "revenue_pipeline")
    return {
        "metrics": {tile.name: _metric(tile) for tile in tiles},
        "comparisons": {
            tile.name: {"previous": c.previous, "change": c.change, "label": c.label} if c else None
            for tile in tiles
            for c in [tile.comparison]
        },
        "trends": {tile.name: list(tile.trend) for tile in tiles},
        "performance_tiers": {tile.name: tile.tier.value if tile.tier else None for tile in tiles},
        "jorge_commission": {
            "default_rate_bp": DEFAULT_RATE_BP,
            "closed_deals": earned.n,
            "closed_gross_cents": earned.gross_cents if earned.n else None,
            "closed_company_cents": earned.company_cents if earned.n else None,
            "pipeline_gross_cents": dict(pipeline.parts).get("gross_cents"),
            "pipeline_weighted_cents": pipeline.value,
        },
        "last_updated": now.isoformat(),
    }


def _metric(tile: kpis.Tile) -> dict[str, Any]:
    return {
        "name": tile.name,
        "title": tile.title,
        "value": tile.value,
        "unit": tile.unit.value,
        "n": tile.n,
        "as_of": tile.as_of.isoformat(),
        "definition": tile.definition,
        "interval": [tile.interval.low, tile.interval.high] if tile.interval else None,
        "parts": dict(tile.parts),
        "is_default": tile.name == "revenue_pipeline",  # its odds are the market's until own history is kept
        "note": None if tile.value is not None else "no data yet",
    }


async def _cached(deps: Deps, key: str) -> dict[str, Any] | None:
    try:
        async with asyncio.timeout(0.5):
            held = await deps.valkey.get(key)
    except (redis_errors.RedisError, OSError, TimeoutError):
        return None
    found: dict[str, Any] | None = orjson.loads(held) if held else None
    return found


async def _keep(deps: Deps, key: str, answer: Mapping[str, Any]) -> None:
    try:
        async with asyncio.timeout(0.5):
            await deps.valkey.set(key, orjson.dumps(answer), ex=CACHE_SECONDS)
    except (redis_errors.RedisError, OSError, TimeoutError) as fault:
        logger.debug("kpis.no_cache", extra={"fault": type(fault).__name__})
