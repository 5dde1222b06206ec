"""Routes about statements in PostgreSQL: what runs now, what cost most, and stopping one."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query

from backend.api.access import Operator
from backend.api.body import Json
from backend.api.deps import Parts
from backend.storage import monitoring
from domain import errors

router = APIRouter(prefix="/api/admin")


@router.get("/queries")
async def queries(deps: Parts, _: Operator, limit: Annotated[int, Query(ge=1, le=100)] = 20) -> Json:
    """Our own statements; `slowest` is null where PostgreSQL does not load pg_stat_statements."""
    async with deps.pool.acquire() as connection:
        return {
            "running": await monitoring.running(connection),
            "slowest": await monitoring.slowest(connection, limit),
            "timeout_ms": deps.settings.bi_statement_timeout_ms,
        }


@router.post("/queries/{pid}/cancel")
async def cancel(deps: Parts, _: Operator, pid: Annotated[int, Path(ge=1, le=2**31 - 1)]) -> Json:
    """Ask that statement to stop; its connection stays."""
    async with deps.pool.acquire() as connection:
        if not await monitoring.cancel(connection, pid):
            raise errors.NotFoundError(
                "No statement of ours runs there.", where="pid", hint="GET /api/admin/queries lists them."
            )
    return {"cancelled": pid}
