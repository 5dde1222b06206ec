"""GET /api/bi/bot-performance, and POST /api/bi/alerts/{alert_id}/ack."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Response

from backend.actor import Actor
from backend.api import bot_examples, problems
from backend.api.access import Allowed, Viewer
from backend.api.body import Json
from backend.api.deps import Parts
from backend.limits import Cost
from backend.policy import Permission
from backend.services.bi import alerts, catalogue, question

router = APIRouter(tags=["bi"])

Timeframe = Literal["24h", "7d", "30d", "90d"]
Location = Annotated[
    str, Query(max_length=36, description="One location's id; empty or `all`: all that you may see.")
]


@router.get("/api/bi/bot-performance", responses=problems.answers(bot_examples.BOT_PERFORMANCE))
async def bot_performance(
    deps: Parts,
    actor: Annotated[Actor, Viewer(Permission.SEE_BOTS, cost=Cost.BOTS)],
    *,
    timeframe: Annotated[
        Timeframe, Query(description="24h and 7d end this moment; longer ones are days at the office.")
    ] = "7d",
    location_id: Location = "",
    include_coordination: Annotated[
        bool, Query(description="Hand-offs, quality, unfinished conversations.")
    ] = True,
    include_alerts: Annotated[
        bool, Query(description="Open ones, and those closed in the timeframe.")
    ] = True,
) -> Response:
    """The bots one by one, how they work together, how the system is, and what alarms."""
    params = {
        "location_id": location_id,
        "timeframe": timeframe,
        "include_coordination": include_coordination,
        "include_alerts": include_alerts,
    }
    _, body = await catalogue.answered(deps, actor, "bot-performance", params)
    return Response(body, media_type="application/json")


@router.post(
    "/api/bi/alerts/{alert_id}/ack",
    responses=problems.answers(bot_examples.ALERT)
    | {404: {"model": problems.Problem, "description": "There is no such alert among those you may see."}},
)
async def acknowledge(
    deps: Parts, actor: Annotated[Actor, Allowed(Permission.SEE_BOTS, audited=False)], alert_id: UUID
) -> Json:
    """Say that you take an alert on; the first to say so stays its owner."""
    scope, offices = await question.whose(deps, actor, None, Permission.SEE_BOTS)
    places = {office.key: office.id for office in offices}
    return await alerts.acknowledge(deps, actor, scope, places, str(alert_id))
