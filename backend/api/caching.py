"""GET /api/bi/cache-analytics and POST /api/bi/warm-cache."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter
from pydantic import Field

from backend.actor import Actor
from backend.api import problems
from backend.api.access import Allowed, Viewer
from backend.api.body import Body, Json, Text
from backend.api.deps import Parts
from backend.limits import Cost
from backend.policy import Permission
from backend.services import caching

router = APIRouter(tags=["bi"])

_COUNTED = {
    "hits": 41, "misses": 9, "joined": 0, "bypassed": 0, "warmed": 12, "warmed_then_hit": 9, "seconds": 0.31,
    "asked": 50, "hit_ratio": 0.82,
}  # fmt: skip
_STAMPS = {
    "as_of": "2026-11-23T10:00:00+00:00",
    "watermark": None,
    "last_updated": "2026-11-23T10:00:00+00:00",
    "cache_hit": False,
}
_ANALYTICS = {
    "hit_ratio": 0.82,
    "total": _COUNTED,
    "by_question": {"dashboard-kpis": _COUNTED},
    "buckets": {"closed_sums": {"hits": 1470, "misses": 30, "hit_ratio": 0.98}},
    "hears_news": True,
    "warming": {
        "on": True,
        "interval_seconds": 300,
        "threshold": 0.7,
        "last_round": {
            "likely": 12,
            "prepared": 40,
            "made": 3,
            "failed": 0,
            "seconds": 0.4,
            "switched_off": False,
        },
        "waiting": 12,
        "warmed_then_hit_ratio": 0.75,
    },
    **_STAMPS,
    "source": "process",
}
_WARMED = {
    "warmed": [{"question": "dashboard-kpis", "timeframe": "30d", "was_cold": True}],
    "seconds": 0.02,
    **_STAMPS,
    "source": "cache",
}


class Warm(Body):
    """What to warm for the asker's scope."""

    questions: Annotated[
        list[Text],
        Field(
            max_length=10,
            description=f"Of {', '.join(caching.WARMABLE)}; empty: all.",
            default_factory=list,
        ),
    ]
    location_id: Annotated[
        Text, Field(max_length=36, description="Empty or `all`: all that you may see.")
    ] = ""


@router.get("/api/bi/cache-analytics", responses=problems.answers(_ANALYTICS))
async def cache_analytics(deps: Parts, _: Annotated[Actor, Allowed(Permission.WARM_CACHE)]) -> Json:
    """How often answers were there already, by kind of question, and what warming does about the rest."""
    return await caching.analytics(deps)


@router.post("/api/bi/warm-cache", responses=problems.answers(_WARMED))
async def warm_cache(
    deps: Parts,
    viewer: Annotated[Actor, Viewer(Permission.WARM_CACHE, cost=Cost.WARM)],
    body: Warm | None = None,
) -> Json:
    """Work out what your command centre asks first, so that it is there when it asks. Without a body: all of it."""
    body = body or Warm(questions=[])
    return await caching.warm_now(deps, viewer, questions=body.questions, location_id=body.location_id)
