"""Routes of business intelligence: GET /api/bi/dashboard-kpis and WebSocket /ws/dashboard/{location_id}."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, WebSocket

from backend.actor import Actor
from backend.api.body import Json
from backend.api.deps import CurrentUser, Parts, deps_of
from backend.realtime import dashboard, sockets
from backend.services import kpis
from domain import errors

router = APIRouter(tags=["bi"])

Timeframe = Literal["24h", "7d", "30d", "90d", "1y"]


@router.get("/api/bi/dashboard-kpis")
async def dashboard_kpis(
    deps: Parts,
    actor: CurrentUser,
    *,
    timeframe: Timeframe = "30d",
    location_id: Annotated[str, Query(max_length=36)] = "",
    include_comparisons: bool = True,
    include_trends: bool = True,
    force_refresh: bool = False,
) -> Json:
    """The five tiles of one location, or of all that you may see."""
    answer = await kpis.dashboard(deps, kpis.ask(actor, location_id, timeframe), fresh=force_refresh)
    left_out = {"comparisons": not include_comparisons, "trends": not include_trends}
    return answer | {name: {} for name, out in left_out.items() if out}


@router.websocket("/ws/dashboard/{location_id}")
async def dashboard_live(socket: WebSocket, location_id: str, timeframe: Timeframe = "30d") -> None:
    """The tiles at once, then again whenever something of the location changed (`all`: of any you may see)."""
    board = _board(socket)
    opened: list[kpis.Ask] = []

    def scopes(actor: Actor) -> list[str]:
        try:
            return [kpis.ask(actor, location_id, timeframe).key]
        except errors.InputError as fault:
            raise errors.ForbiddenError(fault.message, where=fault.where) from fault

    async def first(actor: Actor) -> Mapping[str, Any]:
        question = kpis.ask(actor, location_id, timeframe)
        board.open(question)
        opened.append(question)
        return await board.snapshot(question)

    try:
        await sockets.serve(socket, board.channel, scopes=scopes, first=first)
    finally:
        for question in opened:
            await board.close(question)


def _board(socket: WebSocket) -> dashboard.Board:
    """One per process, made with the first viewer."""
    state = socket.app.state
    if not hasattr(state, "board"):
        state.board = dashboard.Board(deps_of(socket))
    board: dashboard.Board = state.board
    return board
