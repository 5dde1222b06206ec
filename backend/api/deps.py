"""What routes ask for: the server's parts, who is asking, and whether they may."""

from __future__ import annotations

import ipaddress
from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import Depends, Request
from starlette.requests import HTTPConnection

from backend.actor import Actor, Role
from backend.deps import Deps
from backend.services import auth
from domain import errors, wire

_FORWARDED = (
    "forwarded",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-proto",
    "x-real-ip",
    "via",
)


def deps_of(connection: HTTPConnection) -> Deps:
    """The parts that `create_app` was given; works for HTTP and WebSocket."""
    deps: Deps = connection.app.state.deps
    return deps


def peer_of(connection: HTTPConnection) -> auth.Peer:
    """Who is at the other end. Behind a proxy nobody is "on this machine"."""
    deps = deps_of(connection)
    address = connection.client.host if connection.client else ""
    direct = not any(name in connection.headers for name in _FORWARDED)
    local = direct and is_loopback(address) and is_loopback(deps.settings.host)
    return auth.Peer(address=address, on_this_machine=local)


async def current_user(connection: HTTPConnection) -> Actor:
    """Raises: TokenExpiredError (401) without a valid access token."""
    scheme, _, token = connection.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise errors.AccessError(
            "Sign in first.", where="Authorization", hint="Send `Authorization: Bearer <access_token>`."
        )
    return await auth.actor_of(deps_of(connection), token.strip(), peer_of(connection))


async def same_protocol(request: Request) -> None:
    """Raises: VersionMismatchError (426) for an app that says it speaks another version; silence is let through."""
    said = request.headers.get(wire.PROTOCOL_HEADER, "")
    if said and said != str(wire.PROTOCOL):
        wire.check_protocol(said[:20])


def require(*roles: Role) -> Callable[[Actor], Awaitable[Actor]]:
    """A dependency that lets only these roles through: `Depends(require(Role.MANAGER, Role.ADMIN))`."""

    async def allowed(actor: CurrentUser) -> Actor:
        if actor.role not in roles:
            raise errors.ForbiddenError(
                "Your role may not do this.",
                where=f"role {actor.role}",
                hint=f"Ask somebody who is {' or '.join(roles)}.",
            )
        return actor

    return allowed


def is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


async def _parts(connection: HTTPConnection) -> Deps:
    """FastAPI sends a plain function to another thread and waits for it: a hop that costs more than all it does."""
    return deps_of(connection)


async def _peer(connection: HTTPConnection) -> auth.Peer:
    return peer_of(connection)


CurrentUser = Annotated[Actor, Depends(current_user)]
Parts = Annotated[Deps, Depends(_parts)]
FromPeer = Annotated[auth.Peer, Depends(_peer)]
