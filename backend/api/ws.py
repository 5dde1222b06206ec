"""WebSocket /ws/sync: "there is news" to every device that may see it. The news itself comes by pull."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, WebSocket

from backend.actor import Actor
from backend.api.deps import deps_of
from backend.realtime import sockets
from backend.storage import feed
from backend.stream import sequencer

router = APIRouter()


@router.websocket("/ws/sync")
async def pokes(socket: WebSocket) -> None:
    """Sends {"seq": n} once after sign-in, then whenever something changed that this person may see."""
    deps = deps_of(socket)

    async def position(actor: Actor) -> Mapping[str, Any]:
        async with deps.pool.acquire() as connection:
            return {"seq": (await feed.head(connection)).seq}

    await sockets.serve(socket, sequencer.CHANNEL, scopes=lambda actor: actor.locations, first=position)
