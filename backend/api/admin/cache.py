"""/api/admin/cache: what each process counts of its cache of answers, and the kill switch of warming."""

from __future__ import annotations

from fastapi import APIRouter

from backend.api.access import Operator
from backend.api.body import Body, Json
from backend.api.deps import Parts
from backend.services import caching, observing

router = APIRouter(prefix="/api/admin")


class Warming(Body):
    """Whether answers are worked out before they are asked for."""

    on: bool


@router.get("/cache")
async def cache(deps: Parts, _: Operator) -> Json:
    """Hits, misses, what was warmed and then hit, by process."""
    return {"processes": observing.numbers(await observing.everybody(deps), "jorge_cache_")}


@router.put("/cache/warming")
async def warming(deps: Parts, _: Operator, body: Warming) -> Json:
    """Switch predictive warming off or on again, for all processes at once."""
    await caching.switch(deps, on=body.on)
    return {"on": body.on}
