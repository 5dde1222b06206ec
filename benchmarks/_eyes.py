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
from dataclasses import dataclass
from typing import Any

from benchmarks._socket import READ, Socket, hello


@dataclass(slots=True)
class Eye:
    """One socket; counts the frames that came."""

    socket: Socket
    reads: bool = True
    frames: int = 0

    def feed(self, data: bytes) -> None:
        self.frames += sum(1 for _ in self.socket.texts(data))


class Eyes:
    def __init__(self) -> None:
        self._poll = select.epoll()
        self._all: dict[int, Eye] = {}

    def open(self, port: int, path: str, headers: list[str], count: int, stalled: int) -> None:
        said = hello(port, path, headers)
        for number in range(count):
            line = socket.socket()
            if number < stalled:
                line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            line.connect(("127.0.0.1", port))
            line.sendall(said)
            line.setblocking(False)
            self._all[line.fileno()] = Eye(Socket(line), reads=number >= stalled)
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
            data = eye.socket.line.recv(READ)
        except BlockingIOError:
            return
        if data:
            eye.feed(data)
        else:
            self._poll.unregister(eye.socket.line.fileno())
            eye.reads = False

    def close(self) -> None:
        for eye in self._all.values():
            eye.socket.line.close()
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
