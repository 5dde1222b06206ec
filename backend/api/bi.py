"""GET /api/bi/dashboard-kpis."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response

from backend.actor import Actor
from backend.api import examples, problems
from backend.api.access import Viewer
from backend.api.deps import Parts
from backend.policy import Permission
from backend.services.bi import catalogue

router = APIRouter(tags=["bi"])

Timeframe = Literal["24h", "7d", "30d", "90d", "1y"]
Location = Annotated[
    str, Query(max_length=36, description="One location's id; empty or `all`: all that you may see.")
]


@router.get("/api/bi/dashboard-kpis", responses=problems.answers(examples.DASHBOARD))
async def dashboard_kpis(
    deps: Parts,
    viewer: Annotated[Actor, Viewer(Permission.SEE_KPIS)],
    *,
    timeframe: Annotated[
        Timeframe, Query(description="24h and 7d end this moment; longer ones are days at the office.")
    ] = "30d",
    location_id: Location = "",
    include_comparisons: Annotated[bool, Query(description="The equal part of the time before.")] = True,
    include_trends: Annotated[
        bool, Query(description="The points of the sparklines, and when each begins.")
    ] = True,
    force_refresh: Annotated[bool, Query(description="Count anew, whatever is cached.")] = False,
) -> Response:
    """The five tiles of one location, or of all that you may see."""
    params = {
        "location_id": location_id,
        "timeframe": timeframe,
        "comparisons": include_comparisons,
        "trends": include_trends,
    }
    _, body = await catalogue.answered(deps, viewer, "dashboard-kpis", params, fresh=force_refresh)
    return Response(body, media_type="application/json")
