"""GET /api/admin/cache: what each process counts of its cache of answers."""

from __future__ import annotations

from fastapi import APIRouter

from backend.api.access import Operator
from backend.api.body import Json
from backend.api.deps import Parts
from backend.services import observing

router = APIRouter(prefix="/api/admin")


@router.get("/cache")
async def cache(deps: Parts, _: Operator) -> Json:
    """Hits, misses, what was warmed and then hit, by process."""
    return {"processes": observing.numbers(await observing.everybody(deps), "jorge_cache_")}
