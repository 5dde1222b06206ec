"""A WebSocket's life: where it may come from, who it is, what it gets to see, and when it must close.

The access token comes in the `Authorization` header or in the first message ({"token": …}), never in the
address, which ends up in logs. A later {"token": …} message replaces it, so that a socket outlives its token.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import orjson
from starlette.requests import HTTPConnection
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from backend import faults
from backend.actor import Actor
from backend.api.deps import deps_of, is_loopback, peer_of
from backend.deps import Deps
from backend.realtime.codes import NOT_ALLOWED, RESTARTING, SIGN_IN, TOO_MANY, TOO_SLOW
from backend.realtime.hub import Subscription
from backend.services import auth
from domain import errors

logger = logging.getLogger(__name__)

MOST_SOCKETS = 1000
FIRST_MESSAGE_SECONDS = 10.0
CHECK_SECONDS = 20.0
SLOWEST_SEND_SECONDS = 10.0

Scopes = Callable[[Actor], Collection[str]]
First = Callable[[Actor], Awaitable[Mapping[str, Any] | None]]


class _Over(Exception):
    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


@dataclass(slots=True, kw_only=True)
class _Session:
    """The socket, who is behind it, and its mailbox."""

    socket: WebSocket
    deps: Deps
    token: str
    actor: Actor
    scopes: Scopes
    mailbox: Subscription


async def serve(socket: WebSocket, channel: str, *, scopes: Scopes, first: First) -> None:
    """Accept, sign in, then send what `channel` says about `scopes(actor)` until either side ends it.

    `first(actor)` is sent once at the beginning, and again when the person's scopes change. `scopes` raises
    ForbiddenError (→ 4403) for somebody who may see nothing here.
    """
    deps = deps_of(socket)
    await socket.accept()
    try:
        _check_origin(socket)
        if deps.hub.count(channel) >= MOST_SOCKETS:
            raise _Over(TOO_MANY, "too many connections, try later")
        token, actor = await _signed_in(socket, deps)
        with deps.hub.subscribe(channel, _allowed(scopes, actor), of_person=True) as mailbox:
            session = _Session(
                socket=socket, deps=deps, token=token, actor=actor, scopes=scopes, mailbox=mailbox
            )
            await _send(socket, await first(actor))
            await _until_over(session, first)
    except _Over as over:
        await _close(socket, over)
    except faults.UNAVAILABLE as fault:
        logger.warning("socket.unavailable", extra={"fault": type(fault).__name__})
        await _close(socket, _Over(RESTARTING, "the server can't go on at this moment"))
    except (WebSocketDisconnect, ConnectionError, RuntimeError) as gone:
        logger.debug("socket.gone", extra={"fault": type(gone).__name__})


async def _until_over(session: _Session, first: First) -> None:
    tasks = [
        asyncio.create_task(_deliver(session)),
        asyncio.create_task(_listen(session)),
        asyncio.create_task(_watch(session, first)),
        asyncio.create_task(_stopping(session.deps)),
    ]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in done:
        task.result()


async def _deliver(session: _Session) -> None:
    while True:
        message = await session.mailbox.get()
        if session.mailbox.lagging:
            raise _Over(TOO_SLOW, "too slow")
        await _send(session.socket, message.payload)


async def _listen(session: _Session) -> None:
    """Only a new token matters; anything else the other side says is read and dropped."""
    while True:
        if token := _token_in(await received(session.socket.receive)):
            session.actor = await _actor(session.socket, session.deps, token)
            session.token = token


async def _watch(session: _Session, first: First) -> None:
    """Signed out, token run out, locations changed: noticed within CHECK_SECONDS."""
    while True:
        await asyncio.sleep(CHECK_SECONDS)
        actor = await _actor(session.socket, session.deps, session.token)
        session.actor = actor
        allowed = frozenset(_allowed(session.scopes, actor))
        if allowed != session.mailbox.scopes:
            session.mailbox.scopes = allowed
            await _send(session.socket, await first(actor))


async def _stopping(deps: Deps) -> None:
    await deps.stopping.wait()
    raise _Over(RESTARTING, "the server restarts")


async def _signed_in(socket: WebSocket, deps: Deps) -> tuple[str, Actor]:
    scheme, _, token = socket.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        try:
            async with asyncio.timeout(FIRST_MESSAGE_SECONDS):
                token = _token_in(await received(socket.receive))
        except TimeoutError as fault:
            raise _Over(SIGN_IN, "no token came") from fault
    return token.strip(), await _actor(socket, deps, token.strip())


def bearer(socket: HTTPConnection) -> bytes:
    """The hash of the access token in the headers; empty without one."""
    scheme, _, token = socket.headers.get("authorization", "").partition(" ")
    return auth.hash_of(token.strip()) if scheme.lower() == "bearer" and token.strip() else b""


async def _actor(socket: WebSocket, deps: Deps, token: str) -> Actor:
    try:
        return await auth.actor_of(deps, token, peer_of(socket))
    except errors.AccessError as fault:
        raise _Over(SIGN_IN, "sign in again") from fault


async def received(receive: Callable[[], Awaitable[Any]]) -> str:
    """The next message; bytes are no text, and nothing that is understood here."""
    message = await receive()
    if message["type"] == "websocket.disconnect":
        raise WebSocketDisconnect(message.get("code", 1005))
    return message.get("text") or ""


def _allowed(scopes: Scopes, actor: Actor) -> Collection[str]:
    try:
        return scopes(actor)
    except errors.ForbiddenError as fault:
        raise _Over(NOT_ALLOWED, "not for you") from fault


def _token_in(text: str) -> str:
    try:
        said = orjson.loads(text)
    except ValueError:
        return ""
    token = said.get("token") if isinstance(said, dict) else None
    return token if isinstance(token, str) else ""


def _check_origin(socket: WebSocket) -> None:
    if not origin_fits(socket):
        raise _Over(NOT_ALLOWED, "this page may not connect")


def origin_fits(socket: WebSocket) -> bool:
    """Browsers name the page they act for; a foreign page may not connect. Apps name none."""
    origin = socket.headers.get("origin")
    if origin is None:
        return True
    try:
        parts = urlsplit(origin)
        return parts.netloc.lower() == socket.headers.get("host", "").lower() or is_loopback(
            parts.hostname or ""
        )
    except ValueError:
        return False


async def _send(socket: WebSocket, payload: Mapping[str, Any] | None) -> None:
    if payload is None:
        return
    try:
        async with asyncio.timeout(SLOWEST_SEND_SECONDS):
            await socket.send_text(orjson.dumps(payload).decode())
    except TimeoutError as fault:
        raise _Over(TOO_SLOW, "too slow") from fault


async def _close(socket: WebSocket, over: _Over) -> None:
    if socket.application_state is not WebSocketState.DISCONNECTED:
        try:
            await socket.close(over.code, over.reason)
        except (WebSocketDisconnect, ConnectionError, RuntimeError):
            logger.debug("socket.gone")
