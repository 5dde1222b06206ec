"""GET /api/bi/revenue-intelligence."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response

from backend.actor import Actor
from backend.api import examples, problems
from backend.api.access import Viewer
from backend.api.bi import Location
from backend.api.deps import Parts
from backend.limits import Cost
from backend.policy import Permission
from backend.services.bi import catalogue, revenue

router = APIRouter(tags=["bi"])


@router.get("/api/bi/revenue-intelligence", responses=problems.answers(examples.REVENUE))
async def revenue_intelligence(
    deps: Parts,
    viewer: Annotated[Actor, Viewer(Permission.SEE_MONEY, cost=Cost.REVENUE)],
    *,
    timeframe: Annotated[
        Literal["7d", "30d", "90d", "1y"], Query(description="Days at the office; the last is today so far.")
    ] = "30d",
    location_id: Location = "",
    include_forecast: Annotated[bool, Query(description="Without it `predictive_trends` is null.")] = True,
    forecast_days: Annotated[
        int,
        Query(ge=revenue.FEWEST_DAYS, le=revenue.MOST_DAYS, description="How far ahead to look."),
    ] = 90,
) -> Response:
    """Revenue over time, what the commission is made of, the figures beside those before, and what is to come."""
    params = {
        "location_id": location_id,
        "timeframe": timeframe,
        "forecast_days": forecast_days if include_forecast else None,
    }
    _, body = await catalogue.answered(deps, viewer, "revenue-intelligence", params)
    return Response(body, media_type="application/json")
