"""GET /api/bi/real-time-metrics and POST /api/bi/trigger-aggregation."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query

from backend.actor import Actor
from backend.api import problems
from backend.api.access import Allowed, Viewer
from backend.api.body import Body, Json
from backend.api.deps import Parts
from backend.limits import Cost
from backend.policy import Permission
from backend.services.bi import moment
from domain import errors

router = APIRouter(tags=["bi"])

Window = Literal["5min", "1hr", "24hr"]

_LOCATION = "0193f1c2-5c3e-7a10-8d7c-2f4b1a6c9e01"
_VALUES = {"interactions": 42, "inbound": 17, "conversations": 6, "qualified": 2, "bot_success": 0.3333}
_REAL_TIME: dict[str, Any] = {
    "windows": {
        "5m": {
            "values": _VALUES | {"ml_response": 41.2, "leads": 12},
            "bots": {"lead-bot": {"turns": 9, "bot_events": 11}},
        },
        "1h": {"values": _VALUES, "bots": {}},
        "24h": {"values": _VALUES, "bots": {}},
    },
    "locations": [_LOCATION],
    "complete": True,
    "as_of": "2026-11-23T02:15:04.120000+00:00",
    "watermark": "2026-11-23T02:14:59.120000+00:00",
    "source": "windows",
    "last_updated": "2026-11-23T02:15:04.120000+00:00",
    "note": None,
    "cache_hit": False,
}
_AGGREGATED: dict[str, Any] = {
    "window": "24hr",
    "refreshed_ms": {"mv_real_time_dashboard": 12.4, "mv_weekly_trends": 31.0},
    "busy": [],
    "told_again": True,
    "as_of": "2026-11-23T02:15:04.120000+00:00",
    "watermark": "2026-11-23T02:14:59.120000+00:00",
    "source": "views",
    "last_updated": "2026-11-23T02:15:04.120000+00:00",
    "cache_hit": False,
}


class Wanted(Body):
    """Which window."""

    window: Window | None = None


@router.get("/api/bi/real-time-metrics", responses=problems.answers(_REAL_TIME))
async def real_time_metrics(
    deps: Parts,
    actor: Annotated[Actor, Viewer(Permission.SEE_KPIS, cost=Cost.LOOK)],
    *,
    location_id: Annotated[
        str,
        Query(max_length=36, description="One location's id; empty or `all`: all that you may see, as one."),
    ] = "",
) -> Json:
    """The last 5 minutes, hour and 24 hours, as of now. Counts are whole; what has nothing to divide by is null."""
    return await moment.real_time(deps, actor, location_id)


@router.post("/api/bi/trigger-aggregation", responses=problems.answers(_AGGREGATED))
async def trigger_aggregation(
    deps: Parts,
    actor: Annotated[Actor, Allowed(Permission.AGGREGATE, cost=Cost.AGGREGATE)],
    *,
    body: Wanted | None = None,
    window: Annotated[Window | None, Query(description="The same, for who sends no body.")] = None,
) -> Json:
    """Refresh the views now, and have the window told to every live channel again. `busy`: somebody refreshes it already."""
    wanted = (body.window if body else None) or window
    if wanted is None:
        raise errors.InputError("Say which window.", where="window", hint="One of 5min, 1hr, 24hr.")
    return await moment.aggregate(deps, actor, wanted)
