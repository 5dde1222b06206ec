"""The whole answer of /api/bi/bot-performance: the bots one by one, how they work together, the system, and its alerts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from backend.actor import Actor
from backend.policy import Permission
from backend.services.bi import alerts, bots, coordination, health, points, question, spans
from backend.services.bi.closed import Reader
from backend.services.bi.question import Question
from backend.storage.warehouse import bots as store
from backend.storage.warehouse import newest
from domain import periods

if TYPE_CHECKING:
    from backend.deps import Deps

TIMEFRAMES = ("24h", "7d", "30d", "90d")


@dataclass(frozen=True, slots=True, kw_only=True)
class BotPerformance(Question):
    name: ClassVar[str] = "bot-performance"

    include_coordination: bool = True
    include_alerts: bool = True

    def options(self) -> Mapping[str, Any]:
        return {"coordination": self.include_coordination, "alerts": self.include_alerts}


async def ask(
    deps: Deps,
    actor: Actor,
    *,
    location_id: str = "",
    timeframe: str = "7d",
    include_coordination: bool = True,
    include_alerts: bool = True,
) -> BotPerformance:
    """Raises: ForbiddenError."""
    scope, offices = await question.whose(deps, actor, location_id, Permission.SEE_BOTS)
    return BotPerformance(
        scope=scope,
        offices=offices,
        timeframe=timeframe,
        include_coordination=include_coordination,
        include_alerts=include_alerts,
    )


async def answer(deps: Deps, asked: BotPerformance) -> dict[str, Any]:
    """All of it from one snapshot of the warehouse. Raises: TooMuchError."""
    now = deps.clock.now()
    calendar = asked.calendar(now)
    places = {office.key: office.id for office in asked.offices}
    view = deps.answers.buckets.view()
    async with question.opened(deps, asked.scope) as connection:
        reads = Reader(deps=deps, connection=connection, calendar=calendar, view=view)
        known = await store.known(connection)
        names = {bot.bot_key: bot.bot_id for bot in known}
        watermark = await newest.event(connection, asked.scope, now)
        told: dict[str, Any] = {
            "bot_metrics": await bots.bots(reads, asked.timeframe, known),
            "trend_points": [point.begins for point in points.of(calendar, asked.timeframe)],
            "coordination_metrics": {},
            "system_health": await health.health(deps, connection, places, now=now),
            "performance_alerts": [],
        }
        if asked.include_coordination:
            until = spans.date_key(spans.last_complete(asked.offices, now))
            told["coordination_metrics"] = await coordination.coordination(
                connection, asked.scope, asked.timeframe, names, now=now, until=until
            )
        if asked.include_alerts:
            since = now - periods.TIMEFRAMES[asked.timeframe]
            told["performance_alerts"] = await alerts.listed(connection, since, places)
    return told | {"timeframe": asked.timeframe, **question.stamps(now, watermark, "aggregates")}
