"""GET /api/admin/ws: the live connections of every gateway process, by channel."""

from __future__ import annotations

from fastapi import APIRouter

from backend.api.access import Operator
from backend.api.body import Json
from backend.api.deps import Parts
from backend.services import observing

router = APIRouter(prefix="/api/admin")


@router.get("/ws")
async def ws(deps: Parts, _: Operator) -> Json:
    """What each process counts of its live connections."""
    return {"processes": observing.numbers(await observing.everybody(deps), "jorge_ws_")}
