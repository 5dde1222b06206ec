"""May who is in stay, and see what they see? Of all sockets of this process together: one query asks for every token."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from backend import faults
from backend.realtime.audience import audience_of
from backend.realtime.codes import NOT_ALLOWED, RESTARTING, SIGN_IN
from backend.services import auth
from domain import errors

if TYPE_CHECKING:
    from collections.abc import Collection

    from backend.actor import Actor, Role
    from backend.realtime.audience import Audience
    from backend.realtime.connection import Connection
    from backend.realtime.gateway import Gateway

logger = logging.getLogger(__name__)

CHECK_SECONDS = 5.0
UNCHECKED_SECONDS = 120.0
"""So long a socket stays open while nobody can be asked whether it may."""


async def keep_on(gateway: Gateway) -> None:
    """Until cancelled. A task of its own: a database that hangs keeps nothing else waiting."""
    while True:
        await asyncio.sleep(CHECK_SECONDS)
        try:
            await check(gateway, tuple(gateway.connections))
        except (
            Exception
        ):  # one broken round must not leave sockets open for good to who may not look any more
            logger.exception("live.check_broke")


async def check(gateway: Gateway, connections: Collection[Connection]) -> None:
    """Signed out, token run out, role or locations changed: close, or show what may be seen now."""
    now = asyncio.get_running_loop().time()
    try:
        held = await auth.held(gateway.deps, {connection.proof for connection in connections})
        audiences = _Audiences(gateway)
        for connection in connections:
            actor = _admitted(gateway, connection, held)
            if actor is not None and await _follows(gateway, connection, actor, audiences):
                connection.checked = now
    except (*faults.UNAVAILABLE, OSError) as fault:
        logger.warning("live.unchecked", extra={"fault": type(fault).__name__})
        for connection in connections:
            if now - connection.checked > UNCHECKED_SECONDS:
                connection.close(RESTARTING, "nobody can be asked whether you may go on")


class _Audiences:
    """Made once for all who may see the same."""

    def __init__(self, gateway: Gateway) -> None:
        self._deps = gateway.deps
        self._made: dict[tuple[Role, frozenset[str], str], Audience] = {}

    async def of(self, actor: Actor, place: str) -> Audience:
        """Raises: as `audience_of`."""
        key = (actor.role, actor.locations, place)
        if key not in self._made:
            self._made[key] = await audience_of(self._deps, actor, place)
        return self._made[key]


def _admitted(gateway: Gateway, connection: Connection, held: auth.Held) -> Actor | None:
    """Who is behind it still; None: it is closed."""
    if connection.closed:
        return None
    try:
        return auth.admitted(gateway.deps, held.get(connection.proof), connection.peer)
    except errors.ForbiddenError:
        connection.close(NOT_ALLOWED, "not for you")
    except errors.AccessError:
        connection.close(SIGN_IN, "sign in again")
    return None


async def _follows(gateway: Gateway, connection: Connection, actor: Actor, audiences: _Audiences) -> bool:
    try:
        await gateway.follow(connection, actor, await audiences.of(actor, connection.place))
    except errors.ForbiddenError:
        connection.close(NOT_ALLOWED, "not for you")
        return False
    return True
