"""uvicorn's WebSocket protocol, which a prepared frame can be written to directly (its internals: uvicorn is pinned).

Every frame of `send_text` is deflated again for each socket, and waits for the slowest; a prepared one is deflated once
and handed to the transport, which tells how much of it the other side has not taken yet.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Coroutine
from typing import Any

from uvicorn.config import Config
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from uvicorn.server import ServerState
from websockets.exceptions import InvalidState
from websockets.extensions.permessage_deflate import PerMessageDeflate, ServerPerMessageDeflateFactory
from websockets.server import ServerProtocol

from backend.realtime.frames import WINDOW_BITS

EXTENSION = "jorge.prepared"
"""Under this name of `scope["extensions"]` the application finds the protocol."""

KERNEL_BYTES = 64 * 1024
"""What the kernel keeps of a live socket's unsent bytes (it doubles the figure for its own needs)."""

# No state is kept between messages, in either direction: a socket costs no window, and a frame fits every socket.
_DEFLATE = ServerPerMessageDeflateFactory(server_no_context_takeover=True, client_no_context_takeover=True)


class PreparedProtocol(WebSocketsSansIOProtocol):
    """Negotiates deflate in the only form that prepared frames allow; inflating stops at `ws_max_size`."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self.conn = ServerProtocol(
            extensions=[_DEFLATE], max_size=config.ws_max_size, logger=logging.getLogger("uvicorn.error")
        )

        self._rest: Coroutine[Any, Any, None] | None = None

    async def run_asgi(self) -> None:
        extensions: dict[str, Any] = self.scope["extensions"]
        extensions[EXTENSION] = self
        asgi = self.app

        async def app(scope: Any, receive: Any, send: Any) -> None:
            await asgi(scope, receive, send)
            if (
                self.initial_response is not None
            ):  # refused by an answer of HTTP: uvicorn takes it for none at all
                self.handshake_complete = True
            rest, self._rest = self._rest, None
            if rest is not None:
                del scope, receive, send
                self.scope = {}  # type: ignore[typeddict-item]
                await rest

        self.app = app
        await super().run_asgi()

    def go_on_with(self, rest: Coroutine[Any, Any, None]) -> None:
        """Run this instead of the application, once that returns: its stack and what it holds cost 10 KiB a socket."""
        self._rest = rest

    def settle(self) -> bool:
        """After the handshake, whose papers are thrown away: may a prepared frame be deflated?"""
        del self.request, self.response
        line = self.transport.get_extra_info("socket")
        if line is not None:  # else the kernel takes 4 MB for who never reads, and nobody notices for as long
            line.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, KERNEL_BYTES)
        return any(
            isinstance(found, PerMessageDeflate) and found.local_max_window_bits >= WINDOW_BITS
            for found in self.conn.extensions
        )

    def unsent(self) -> int:
        """Bytes that wait here because the other side does not take them."""
        return 0 if self.transport.is_closing() else self.transport.get_write_buffer_size()

    def hang_up(self, code: int, reason: str, *, patience: float) -> None:
        """Close without waiting for the buffer to empty; after `patience` seconds the line is cut."""
        if self.close_sent or self.disconnected or self.transport.is_closing():
            return
        self.queue.put_nowait({"type": "websocket.disconnect", "code": code, "reason": reason})
        try:
            self.conn.send_close(code, reason)
        except InvalidState:
            self.transport.abort()
            return
        self.transport.write(b"".join(self.conn.data_to_send()))
        self.close_sent = True
        if self.read_paused:
            self.read_paused = False
            self.transport.resume_reading()
        self.close_timer = self.loop.call_later(patience, self.transport.abort)
