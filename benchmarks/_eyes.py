"""Many live sockets in a process of their own: raw epoll, so that the server is what is measured.

Commands come on stdin, one JSON a line; each is answered on stdout: open → {"open": n}, frames → {"frames": n} once so many
came or the time is over, close.
"""

from __future__ import annotations

import json
import select
import socket
import sys
import time
from dataclasses import dataclass, field
from typing import Any

_READ = 256 * 1024
_TEXT, _PING = 1, 9


@dataclass(slots=True)
class Eye:
    """One socket; counts the frames that came."""

    line: socket.socket
    reads: bool = True
    frames: int = 0
    _rest: bytes = b""
    _shaken: bool = field(default=False)

    def feed(self, data: bytes) -> None:
        data = self._rest + data
        if not self._shaken:
            head, found, data = data.partition(b"\r\n\r\n")
            if not found:
                self._rest = head
                return
            assert head.startswith(b"HTTP/1.1 101"), head[:80]
            self._shaken = True
        at = 0
        while (end := _end(data, at)) is not None and end <= len(data):
            kind = data[at] & 0x0F
            self.frames += kind == _TEXT
            if kind == _PING:
                said = data[at + 2 : end]
                self.line.send(bytes((0x8A, 0x80 | len(said), 0, 0, 0, 0)) + said)
            at = end
        self._rest = data[at:]


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


class Eyes:
    def __init__(self) -> None:
        self._poll = select.epoll()
        self._all: dict[int, Eye] = {}

    def open(self, port: int, path: str, headers: list[str], count: int, stalled: int) -> None:
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
        hello = "\r\n".join(lines).encode()
        for number in range(count):
            line = socket.socket()
            if number < stalled:
                line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            line.connect(("127.0.0.1", port))
            line.sendall(hello)
            line.setblocking(False)
            self._all[line.fileno()] = Eye(line, reads=number >= stalled)
            if number >= stalled:
                self._poll.register(line.fileno(), select.EPOLLIN)
            if number % 50 == 49:
                self.wait(0, 0.02)

    def wait(self, frames: int, seconds: float) -> dict[str, Any]:
        """Read until all that read have so many, or the time is over."""
        until = time.monotonic() + seconds
        short = [eye for eye in self._all.values() if eye.reads and eye.frames < frames]
        while time.monotonic() < until and (short or not frames):
            for number, _ in self._poll.poll(0.05):
                self._read(self._all[number])
            short = [eye for eye in short if eye.frames < frames]
        reading = [eye.frames for eye in self._all.values() if eye.reads]
        return {"least": min(reading, default=0), "sum": sum(reading), "at": time.monotonic()}

    def _read(self, eye: Eye) -> None:
        try:
            data = eye.line.recv(_READ)
        except BlockingIOError:
            return
        if data:
            eye.feed(data)
        else:
            self._poll.unregister(eye.line.fileno())
            eye.reads = False

    def close(self) -> None:
        for eye in self._all.values():
            eye.line.close()
        self._all.clear()


def main() -> None:
    eyes = Eyes()
    for said in sys.stdin:
        order = json.loads(said)
        match order.pop("do"):
            case "open":
                eyes.open(**order)
                answer: dict[str, Any] = {}
            case "wait":
                answer = eyes.wait(**order)
            case _:
                eyes.close()
                answer = {}
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
