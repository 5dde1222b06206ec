"""GET /api/bi/predictive-insights and /api/bi/anomaly-detection."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import orjson
from fastapi import APIRouter, Query, Response

from backend.actor import Actor
from backend.api import bot_examples, problems
from backend.api.access import Viewer
from backend.api.deps import Parts
from backend.limits import Cost
from backend.policy import Permission
from backend.services.bi import catalogue, insights

router = APIRouter(tags=["bi"])

Timeframe = Literal["24h", "7d", "30d", "90d"]
Location = Annotated[
    str, Query(max_length=36, description="One location's id; empty or `all`: all that you may see.")
]
_ANSWERS: dict[int | str, dict[str, Any]] = problems.answers({}) | {
    200: {"content": {"application/json": {"example": bot_examples.INSIGHTS}}}
}
_ABOUT = ("as_of", "watermark", "source", "cache_hit")


@router.get("/api/bi/anomaly-detection", responses=problems.answers(bot_examples.ANOMALIES))
async def anomaly_detection(
    deps: Parts,
    actor: Annotated[Actor, Viewer(Permission.SEE_KPIS, cost=Cost.INSIGHTS)],
    *,
    timeframe: Annotated[Timeframe, Query(description="Complete hours (24h, 7d) or days.")] = "7d",
    sensitivity: Annotated[
        float,
        Query(ge=0.1, le=1, allow_inf_nan=False, description="The higher, the sooner something counts."),
    ] = 0.5,
    location_id: Location = "",
) -> Response:
    """What is unlike the same hour of the week (24h, 7d) or weekday (30d, 90d) of the weeks before."""
    params = {"location_id": location_id, "timeframe": timeframe, "sensitivity": sensitivity}
    _, body = await catalogue.answered(deps, actor, "anomaly-detection", params)
    return Response(body, media_type="application/json")


@router.get("/api/bi/predictive-insights", responses=_ANSWERS)
async def predictive_insights(
    deps: Parts,
    actor: Annotated[Actor, Viewer(Permission.SEE_KPIS, cost=Cost.INSIGHTS)],
    response: Response,
    *,
    insight_types: Annotated[
        str,
        Query(max_length=200, description=f"Comma-separated, of {', '.join(insights.TYPES)}; empty: all."),
    ] = "",
    confidence_threshold: Annotated[
        float, Query(ge=0, le=1, allow_inf_nan=False, description="Leave out what is less sure.")
    ] = 0.7,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    location_id: Location = "",
) -> list[dict[str, Any]]:
    """A list, the most relevant first. Headers say of it what other answers say in fields.

    `X-BI-Not-Enough-Data` names, as JSON, the types that have too little history, and what they lack.
    """
    params = {
        "location_id": location_id,
        "insight_types": insight_types,
        "confidence_threshold": confidence_threshold,
        "limit": limit,
    }
    _, body = await catalogue.answered(deps, actor, "predictive-insights", params)
    found = orjson.loads(body)
    about = {name: found[name] for name in _ABOUT}
    for name, value in about.items():
        response.headers[f"X-BI-{name.replace('_', '-').title()}"] = orjson.dumps(value).decode().strip('"')
    response.headers["X-BI-Not-Enough-Data"] = orjson.dumps(found["not_enough_data"]).decode()
    return [insight | about for insight in found["insights"]]
