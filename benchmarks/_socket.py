"""A raw WebSocket client, so that the server is what is measured: handshake, whole frames, answers to pings."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

READ = 256 * 1024
TEXT = 1
_PING, _PONG = 9, 10


def hello(port: int, path: str, headers: Sequence[str]) -> bytes:
    """What a client begins with."""
    lines = [
        f"GET {path} HTTP/1.1",
        f"Host: 127.0.0.1:{port}",
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
        "Sec-WebSocket-Version: 13",
        *headers,
        "\r\n",
    ]
    return "\r\n".join(lines).encode()


@dataclass(slots=True)
class Socket:
    """`shaken`: the server took the handshake."""

    line: socket.socket
    shaken: bool = False
    _rest: bytes = b""

    def texts(self, data: bytes) -> Iterator[bytes]:
        """The text frames, header and all, that are whole with what just came."""
        data = self._rest + data
        if not self.shaken:
            head, found, after = data.partition(b"\r\n\r\n")
            if not found:
                self._rest = data
                return
            assert head.startswith(b"HTTP/1.1 101"), head[:200]
            self.shaken, data = True, after
        at = 0
        while (end := _end(data, at)) is not None and end <= len(data):
            kind = data[at] & 0x0F
            if kind == TEXT:
                yield data[at:end]
            elif kind == _PING:
                self.say(_PONG, body(data[at:end]))
            at = end
        self._rest = data[at:]

    def say(self, kind: int, said: bytes) -> None:
        """Masked with zeros; all that is said here is short."""
        self.line.send(bytes((0x80 | kind, 0x80 | len(said), 0, 0, 0, 0)) + said)


def body(frame: bytes) -> bytes:
    length = frame[1] & 0x7F
    return frame[2 if length < 126 else 4 if length == 126 else 10 :]


def _end(data: bytes, at: int) -> int | None:
    """Where the frame ends that begins there."""
    if len(data) < at + 2:
        return None
    length = data[at + 1] & 0x7F
    if length < 126:
        return at + 2 + length
    size = 2 if length == 126 else 8
    if len(data) < at + 2 + size:
        return None
    return at + 2 + size + int.from_bytes(data[at + 2 : at + 2 + size])
