"""Live channels: the four WebSockets, tickets for them, their health and their figures. docs/live.md is the protocol."""

from __future__ import annotations

from collections.abc import Sequence

from fastapi import APIRouter, Request
from starlette.requests import HTTPConnection
from starlette.websockets import WebSocket

from backend.api import problems
from backend.api.access import Operator, opens
from backend.api.body import Json
from backend.api.deps import CurrentUser, Parts, deps_of
from backend.policy import Permission
from backend.realtime import channels, messages, presence, session, sockets, tickets
from backend.realtime.audience import Question
from backend.realtime.gateway import Gateway
from backend.services.bi import spans

router = APIRouter(tags=["live"])


@router.websocket("/ws/dashboard/{location_id}")
@opens(Permission.SEE_KPIS)
async def dashboard(socket: WebSocket, location_id: str) -> None:
    """The tiles; `?timeframe=` 24h, 7d, 30d (unless said), 90d or 1y."""
    await _serve(socket, location_id, "dashboard")


@router.websocket("/ws/bot-performance/{location_id}")
@opens(Permission.SEE_BOTS)
async def bot_performance(socket: WebSocket, location_id: str) -> None:
    """The bots' figures; `?timeframe=` 24h, 7d (unless said), 30d or 90d."""
    await _serve(socket, location_id, "bot_performance")


@router.websocket("/ws/business-intelligence/{location_id}")
@opens(Permission.SEE_KPIS)
async def business_intelligence(socket: WebSocket, location_id: str) -> None:
    """All five channels."""
    await _serve(
        socket, location_id, "dashboard", "analytics", "alerts", "bot_performance", "revenue_intelligence"
    )


@router.websocket("/ws/bi/revenue-intelligence/{location_id}")
@opens(Permission.SEE_MONEY)
async def revenue_intelligence(socket: WebSocket, location_id: str) -> None:
    """Revenue and commission; `?timeframe=` 7d, 30d (unless said), 90d or 1y."""
    await _serve(socket, location_id, "revenue_intelligence")


@router.post("/ws/ticket", responses=problems.only(401, 429, 503))
async def ticket(deps: Parts, actor: CurrentUser, request: Request) -> Json:
    """A one-time ticket for the first message of a live socket, from a page that should not hold tokens there."""
    made = await tickets.issue(deps, sockets.bearer(request))
    return {"ticket": made, "expires_in": tickets.SECONDS}


@router.get("/ws/bi/health")
async def health(request: Request) -> Json:
    """Can this process take live connections, and does it hear the others?"""
    gateway = gateway_of(request)
    live = gateway.deps.live
    return {
        "status": "degraded" if gateway.deaf else "full" if live.connections >= gateway.most else "ok",
        "connections": live.connections,
        "most": gateway.most,
        "hears_others": not gateway.deaf,
    }


@router.get("/ws/bi/metrics", responses=problems.only(401, 403, 429))
async def metrics(request: Request, _: Operator) -> Json:
    """What the live channels of this process did, and how many look at each channel over all processes."""
    gateway = gateway_of(request)
    present = await presence.counts(gateway.deps, channels.KINDS)
    return gateway.deps.live.as_dict() | {
        "most": gateway.most,
        "quality": gateway.qualities(),
        "present": present,
        "hears_others": not gateway.deaf,
    }


@router.get("/ws/bi/schema")
async def schema() -> Json:
    """JSON Schema of every message, both ways."""
    return messages.schema()


def gateway_of(connection: HTTPConnection) -> Gateway:
    """One per application, made with its first user."""
    state = connection.app.state
    if not hasattr(state, "gateway"):
        state.gateway = Gateway(deps_of(connection))
    gateway: Gateway = state.gateway
    return gateway


async def _serve(socket: WebSocket, location_id: str, *names: messages.Channel) -> None:
    """A timeframe that one of several channels has not is its usual one there."""
    asked = socket.query_params.get("timeframe")
    questions = [
        Question(channel=name, timeframe=channels.fitting(channels.KINDS[name], asked)) for name in names
    ]
    wanted = session.Wanted(place=location_id, questions=questions, mistake=_mistake(socket, names))
    await session.serve(socket, gateway_of(socket), wanted)


def _mistake(socket: WebSocket, names: Sequence[messages.Channel]) -> str:
    """What is wrong with the address's parameters, in at most the 123 bytes that a closing frame holds; empty: nothing."""
    known = [frame for frame in spans.DAYS if any(frame in channels.KINDS[name].timeframes for name in names)]
    for name, value in socket.query_params.multi_items():
        if name != "timeframe":
            said = name.encode("ascii", "replace").decode()[:40]
            return f"there is no parameter {said!r}, only timeframe"
        if value not in known or len(socket.query_params.getlist(name)) > 1:
            return f"timeframe: {', '.join(known[:-1])} or {known[-1]}"
    return ""
