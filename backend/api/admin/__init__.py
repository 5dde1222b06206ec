"""Routes under /api/admin, for those who operate (`Permission.OPERATE`): a file a part, each with a router of its own."""

from __future__ import annotations

from fastapi import APIRouter

from backend.api.admin import audit, cache, dead, queries, sources, stream, ws

# Each part says its whole path: logs, metrics and the audit log name routes by it.
router = APIRouter(tags=["admin"])
for part in (sources, dead, cache, stream, ws, queries, audit):
    router.include_router(part.router)
