"""What to look at, with the evidence: each kind of insight has a measured confidence, or says how much history it lacks."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, ClassVar

from backend.actor import Actor
from backend.policy import Permission
from backend.services.bi import bots, insight_deals, insight_kinds, question, spans
from backend.services.bi.insight_kinds import Found, Insight
from backend.services.bi.material import Material, gather
from backend.services.bi.question import Question
from backend.storage.pool import Connection
from backend.storage.warehouse import bots as bot_store
from backend.storage.warehouse import newest, prospects, stocks
from domain import errors

if TYPE_CHECKING:
    from backend.deps import Deps

TIMEFRAME = "30d"


@dataclass(frozen=True, slots=True, kw_only=True)
class InsightQuestion(Question):
    name: ClassVar[str] = "predictive-insights"

    types: tuple[str, ...]
    confidence_threshold: float = 0.7
    limit: int = 20

    def options(self) -> Mapping[str, Any]:
        return {
            "types": list(self.types),
            "confidence_threshold": self.confidence_threshold,
            "limit": self.limit,
        }


async def ask(
    deps: Deps,
    actor: Actor,
    *,
    location_id: str = "",
    insight_types: str = "",
    confidence_threshold: float = 0.7,
    limit: int = 20,
) -> InsightQuestion:
    """Raises: ForbiddenError; InputError for a type that is none."""
    types = chosen(insight_types)
    scope, offices = await question.whose(deps, actor, location_id, Permission.SEE_KPIS)
    return InsightQuestion(
        scope=scope,
        offices=offices,
        timeframe=TIMEFRAME,
        types=types,
        confidence_threshold=confidence_threshold,
        limit=limit,
    )


def chosen(said: str) -> tuple[str, ...]:
    """The types named, each once, in our order; all where none is. Raises: InputError."""
    wanted = {name.strip() for name in said.split(",") if name.strip()}
    if unknown := sorted(wanted - set(TYPES)):
        raise errors.InputError(
            f"{unknown[0][:40]!r} is no type of insight.",
            where="insight_types",
            hint=f"Of these, separated by commas: {', '.join(TYPES)}.",
        )
    return tuple(name for name in TYPES if not wanted or name in wanted)


async def answer(deps: Deps, asked: InsightQuestion) -> dict[str, Any]:
    """`insights`, the most relevant first, and `not_enough_data`. Raises: TooMuchError."""
    now = deps.clock.now()
    insights: list[Insight] = []
    short: list[dict[str, Any]] = []
    async with question.opened(deps, asked.scope) as connection:
        look = Look(connection=connection, asked=asked, now=now)
        for name in asked.types:
            permission, kind = _KINDS[name]
            if asked.sees(permission):
                found = await kind(look)
                insights += found.insights
                if found.lacks:
                    short.append({"insight_type": name, "note": f"not enough data: {found.lacks}"})
        watermark = await newest.event(connection, asked.scope, now)
    sure = [insight for insight in insights if insight.confidence >= asked.confidence_threshold]
    sure.sort(key=lambda insight: (-insight.relevance, insight.insight_type, insight.title))
    return {
        "insights": [insight.as_json() for insight in sure[: asked.limit]],
        "not_enough_data": short,
        **question.stamps(now, watermark, "facts"),
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """One reading of the warehouse for a question."""

    connection: Connection
    asked: InsightQuestion
    now: datetime
    _material: list[Material] = field(default_factory=list)

    @property
    def keys(self) -> Sequence[int]:
        return self.asked.scope.keys

    @property
    def calendar(self) -> spans.Calendar:
        return self.asked.calendar(self.now)

    @property
    def until(self) -> date:
        return spans.last_complete(self.asked.offices, self.now)

    async def material(self) -> Material:
        """Read once for all kinds that need it."""
        if not self._material:
            scope = self.asked.scope
            self._material.append(await gather(self.connection, scope.places, scope.keys, self.until))
        return self._material[0]


async def _cooling(look: Look) -> Found:
    return insight_kinds.leads_cooling(await prospects.cooling(look.connection, look.keys, look.now))


async def _past_due(look: Look) -> Found:
    leads = await stocks.leads(look.connection, look.keys, look.now)
    spells = await prospects.hot_spells(look.connection, look.keys, look.now)
    return insight_kinds.hot_leads_past_due(leads.by_temperature.get("hot", 0), leads.late, spells)


async def _bots(look: Look) -> Found:
    known = await bot_store.known(look.connection)
    keys = [bot.bot_key for bot in known]
    now = await bots.counts(look.connection, look.calendar.asked(TIMEFRAME), keys)
    before = await bots.counts(look.connection, look.calendar.before(TIMEFRAME), keys)
    return insight_kinds.bots_degrading(
        {
            bot.bot_id: (
                now.get((spans.ASKED, bot.bot_key), {}),
                before.get((spans.BEFORE, bot.bot_key), {}),
            )
            for bot in known
        }
    )


async def _pace(look: Look) -> Found:
    return await asyncio.to_thread(insight_deals.revenue_pace, await look.material())


async def _stages(look: Look) -> Found:
    return insight_deals.stage_bottlenecks((await look.material()).history.pipe, look.until)


async def _sources(look: Look) -> Found:
    return insight_kinds.sources_performing(await prospects.sources(look.connection, look.keys, look.now))


_Kind = Callable[[Look], Awaitable[Found]]
_KINDS: Mapping[str, tuple[Permission, _Kind]] = {
    "leads_cooling": (Permission.SEE_KPIS, _cooling),
    "hot_leads_past_due": (Permission.SEE_KPIS, _past_due),
    "bot_degrading": (Permission.SEE_BOTS, _bots),
    "revenue_pace": (Permission.SEE_MONEY, _pace),
    "stage_bottleneck": (Permission.SEE_MONEY, _stages),
    "source_performing": (Permission.SEE_KPIS, _sources),
}
TYPES = tuple(_KINDS)
"""The closed list of `insight_types`."""
