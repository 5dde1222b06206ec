"""Routes about the cache of answers: what each process counts of it, making it forget, and the kill switch of warming."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter
from pydantic import Field

from backend.api.access import Operator
from backend.api.body import Body, Json
from backend.api.deps import Parts
from backend.cache import versions
from backend.services import caching, observing
from backend.stream import entries

router = APIRouter(prefix="/api/admin")

Tag = Annotated[str, Field(max_length=40, pattern=r"^loc:-?\d{1,9}:(h:\d{10}|d:\d{8}|stock)$")]


class Forget(Body):
    """Tags of buckets, as `backend/stream/entries.py` writes them: `loc:-1:d:20261122`."""

    tags: Annotated[list[Tag], Field(min_length=1, max_length=1_000)]


class Warming(Body):
    """Whether answers are worked out before they are asked for."""

    on: bool


@router.get("/cache")
async def cache(deps: Parts, _: Operator) -> Json:
    """Hits, misses, what was warmed and then hit, by process."""
    return {"processes": observing.numbers(await observing.everybody(deps), "jorge_cache_")}


@router.post("/cache/forget")
async def forget(deps: Parts, _: Operator, body: Forget) -> Json:
    """Every answer that builds on one of these buckets is made anew, in all processes."""
    await versions.tell(deps.valkey, deps.channel(entries.TOUCHED), body.tags)
    return {"forgotten": len(body.tags)}


@router.put("/cache/warming")
async def warming(deps: Parts, _: Operator, body: Warming) -> Json:
    """Switch predictive warming off or on again, for all processes at once."""
    await caching.switch(deps, on=body.on)
    return {"on": body.on}
