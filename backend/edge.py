"""The outermost layer of the server: protocol header, body limit, access log, and no error without an answer."""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import dataclass, field

from starlette.datastructures import MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from backend import errors, faults
from backend.api import packing, uploads
from domain import wire

logger = logging.getLogger("backend.access")

BODY_PAUSE_SECONDS = 30.0
_PACKED_PATHS = ("/api/sync/", "/api/events")
_METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"})


class _TooLargeError(Exception):
    """The body went beyond the limit while it was read."""


class _TooSlowError(Exception):
    """Nothing more of the body came for half a minute."""


@dataclass(slots=True, kw_only=True)
class _Exchange:
    """One request on its way: what was read and what was answered so far."""

    scope: Scope
    receive: Receive
    send: Send
    limit: int
    read: int = 0
    more: bool = True
    status: int = 0
    started: float = field(default_factory=time.perf_counter)

    async def limited_receive(self) -> Message:
        message = await (self._next_part() if self.more else self.receive())
        if message["type"] == "http.request":
            self.more = message.get("more_body", False)
            self.read += len(message.get("body", b""))
            if self.read > self.limit:
                raise _TooLargeError
        return message

    async def _next_part(self) -> Message:
        try:
            async with asyncio.timeout(BODY_PAUSE_SECONDS):
                return await self.receive()
        except TimeoutError as fault:
            raise _TooSlowError from fault

    async def marked_send(self, message: Message) -> None:
        if message["type"] in ("http.response.start", "websocket.accept"):
            headers = MutableHeaders(scope=message)
            if not self._named():
                headers[wire.PROTOCOL_HEADER] = str(wire.PROTOCOL)
            if self.scope["path"].startswith(uploads.PREFIX):
                headers.update(uploads.RESUMABLE)
            self.status = int(message.get("status", 101))
        await self.send(message)

    def _named(self) -> bool:
        """Did the request name our protocol itself? To say it again costs a phone bytes in every answer."""
        return (wire.PROTOCOL_HEADER.lower().encode(), b"%d" % wire.PROTOCOL) in self.scope["headers"]


class Edge:
    """ASGI middleware around everything."""

    def __init__(self, app: ASGIApp, *, max_body_bytes: int) -> None:
        self._app = app
        self._max_body_bytes = max_body_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        exchange = _Exchange(scope=scope, receive=receive, send=send, limit=self._max_body_bytes)
        if scope["type"] == "websocket":
            await self._app(scope, receive, exchange.marked_send)
            return
        try:
            await self._http(exchange)
        finally:
            _log(exchange)

    async def _http(self, exchange: _Exchange) -> None:
        refused = _refused(exchange)
        if refused is not None:
            await _reply(exchange, refused)
            return
        try:
            await self._app(exchange.scope, exchange.limited_receive, exchange.marked_send)
        except _TooLargeError:
            await _reply(exchange, errors.of_http(413, "body"))
        except _TooSlowError:
            await _reply(exchange, errors.of_http(408, "body"))
        except faults.UNAVAILABLE as fault:
            logger.warning("request.unavailable", extra={"fault": type(fault).__name__})
            await _reply(exchange, errors.of_unavailable())
        except Exception:
            logger.exception("request.fault")
            await _reply(exchange, errors.of_fault())


def _refused(exchange: _Exchange) -> Response | None:
    """What needs no reading to be turned away."""
    for name, value in exchange.scope["headers"]:
        if name == b"content-length" and (not value.isdigit() or int(value) > exchange.limit):
            return errors.of_http(413 if value.isdigit() else 400, "body")
        if name == b"content-encoding" and not _taken(exchange.scope["path"], value):
            return errors.of_http(415, "Content-Encoding")
    return None


def _taken(path: str, encoding: bytes) -> bool:
    """Only sync's messages and events may come packed: there is a limit on what they unpack to."""
    name = encoding.decode("latin-1").strip().lower()
    return name == "identity" or (path.startswith(_PACKED_PATHS) and name in packing.ENCODINGS)


async def _reply(exchange: _Exchange, response: Response) -> None:
    if exchange.status:
        return  # half an answer is out already: the connection is cut, the client sees that it is incomplete
    await response(exchange.scope, exchange.receive, exchange.marked_send)


def _log(exchange: _Exchange) -> None:
    """Which route, not which path: paths and queries may hold what a person typed."""
    route = getattr(exchange.scope.get("route"), "path", "-")
    method = exchange.scope["method"]
    seconds = time.perf_counter() - exchange.started
    known = method if method in _METHODS else "-"
    exchange.scope["app"].state.deps.watch.request(known, route, exchange.status, seconds)
    logger.info(
        "request",
        extra={"method": known, "route": route, "status": exchange.status, "ms": round(seconds * 1000, 1)},
    )
