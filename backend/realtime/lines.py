"""The line of one socket: prepared frames where the server's protocol takes them, else one text after the other."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Coroutine
from typing import Any, Protocol

from starlette.websockets import WebSocket, WebSocketDisconnect

from backend.realtime.frames import Frame
from backend.realtime.protocol import EXTENSION, PreparedProtocol

GONE = -1
PATIENCE = 2.0
"""Seconds a closing line may take to send what it holds."""


class Line(Protocol):
    """Nothing here waits for the other side."""

    def push(self, frame: Frame, most: int) -> int: ...

    def unsent(self) -> int: ...

    def rtt(self) -> float: ...

    def hang_up(self, code: int, reason: str) -> None: ...

    async def receive(self) -> Any: ...

    async def end(self) -> None: ...

    async def carry(self, talk: Coroutine[Any, Any, None]) -> None: ...


class PreparedLine:
    """Straight to the transport."""

    __slots__ = ("_deflated", "_protocol", "_transport")

    def __init__(self, protocol: PreparedProtocol) -> None:
        self._protocol = protocol
        self._transport = protocol.transport
        self._deflated = protocol.settle()

    def push(self, frame: Frame, most: int) -> int:
        """Hand it to the transport, which never waits, unless more than `most` bytes wait there already.

        The bytes that waited: at most `most` if it was written. GONE: the socket is closing.
        """
        protocol, transport = self._protocol, self._transport
        if protocol.close_sent or protocol.disconnected or transport.is_closing():
            return GONE
        unsent: int = transport.get_write_buffer_size()
        if unsent <= most:
            transport.write(frame.deflated if self._deflated else frame.plain)
        return unsent

    def unsent(self) -> int:
        """Bytes that the other side has not taken."""
        return self._protocol.unsent()

    def rtt(self) -> float:
        """Seconds of the last ping; 0: none yet."""
        return self._protocol.last_ping_rtt

    def hang_up(self, code: int, reason: str) -> None:
        self._protocol.hang_up(code, reason, patience=PATIENCE)

    async def receive(self) -> Any:
        """The next message of ASGI."""
        return await self._protocol.receive()

    async def end(self) -> None:
        """Nothing to tidy up."""

    async def carry(self, talk: Coroutine[Any, Any, None]) -> None:
        """The protocol runs it, when the application has returned."""
        self._protocol.go_on_with(talk)


class TextLine:
    """For a server without our protocol: a task sends what waits, and what it has not sent counts as unsent."""

    def __init__(self, socket: WebSocket) -> None:
        self._socket = socket
        self._waiting: deque[Frame] = deque()
        self._bytes = 0
        self._news = asyncio.Event()
        self._closing: tuple[int, str] | None = None
        self._task = asyncio.create_task(self._send())

    def push(self, frame: Frame, most: int) -> int:
        unsent = self._bytes
        if self._closing is not None or self._task.done():
            return GONE
        if unsent <= most:
            self._waiting.append(frame)
            self._bytes += len(frame.body)
            self._news.set()
        return unsent

    def unsent(self) -> int:
        return self._bytes

    def rtt(self) -> float:
        return 0.0

    def hang_up(self, code: int, reason: str) -> None:
        self._closing = (code, reason)
        self._news.set()

    async def end(self) -> None:
        """The socket is over; a close that was asked for gets a moment."""
        if self._closing is not None:
            await asyncio.wait({self._task}, timeout=PATIENCE)
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def receive(self) -> Any:
        return await self._socket.receive()

    async def carry(self, talk: Coroutine[Any, Any, None]) -> None:
        """Here and now: the socket ends when the application returns."""
        await talk

    async def _send(self) -> None:
        with contextlib.suppress(WebSocketDisconnect, ConnectionError, RuntimeError):
            while self._closing is None or self._waiting:
                if not self._waiting:
                    self._news.clear()
                    await self._news.wait()
                    continue
                frame = self._waiting.popleft()
                await self._socket.send_text(frame.body.decode())
                self._bytes -= len(frame.body)
            await self._socket.close(*self._closing)


def line_of(socket: WebSocket) -> Line:
    """Of an accepted socket."""
    protocol = socket.scope.get("extensions", {}).get(EXTENSION)
    if isinstance(protocol, PreparedProtocol):
        return PreparedLine(protocol)
    return TextLine(socket)
