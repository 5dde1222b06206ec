"""GET /api/admin/stream and /api/admin/jobs: what waits in the streams, which processes live, what ran when."""

from __future__ import annotations

from fastapi import APIRouter

from backend.api.access import Operator
from backend.api.body import Json
from backend.api.deps import Parts
from backend.jobs import scheduler
from backend.services import observing
from backend.storage import periodic
from backend.storage.warehouse import feed_aside

router = APIRouter(prefix="/api/admin")


@router.get("/stream")
async def stream(deps: Parts, _: Operator) -> Json:
    """Each stream's length and, by group of readers, what it has not read (`lag`) and not finished (`pending`); `set_aside`: synced
    rows that the warehouse could not take (`count`; the newest 100 of them)."""
    told = await observing.everybody(deps)
    async with deps.pool.acquire() as connection:
        aside = await feed_aside.told(connection)
    return {
        "streams": await observing.streams(deps),
        "processes": sorted(told),
        "sink": observing.numbers(told, "jorge_sink_"),
        "windows": observing.numbers(told, "jorge_windows_"),
        "audit": observing.numbers(told, "jorge_audit_"),
        "set_aside": aside,
    }


@router.get("/jobs")
async def jobs(deps: Parts, _: Operator) -> Json:
    """When each periodic job last ran and last failed, in whatever process."""
    async with deps.pool.acquire() as connection:
        found = {row["name"]: row for row in await periodic.runs(connection)}
    return {
        "jobs": [
            {"name": job.name, "every_seconds": job.every.total_seconds(), "last": found.get(job.name)}
            for job in scheduler.PERIODIC
        ]
    }
