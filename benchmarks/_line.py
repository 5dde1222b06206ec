"""The line between device and server: a TCP proxy in a process of its own that counts every byte, and can be slow.

`with line_to(port) as line:` and let the client talk to `line.url`. What is counted is what TCP carries: request lines,
headers, bodies, WebSocket frames (not TCP's own headers). A slow line has one rate each way for all its connections, and a
new connection waits a round trip before its first byte passes, as the handshake would take; slow start is not imitated.
"""

from __future__ import annotations

import asyncio
import multiprocessing
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.sharedctypes import SynchronizedArray
from typing import Any

UP, DOWN, CONNECTIONS, PORT = range(4)
_PIECE = 1_460
_SPAWN = multiprocessing.get_context("spawn")


@dataclass(frozen=True, slots=True, kw_only=True)
class Speed:
    """Round trip in seconds, bits a second each way; 0 = as fast as it goes."""

    round_trip: float = 0.0
    down: float = 0.0
    up: float = 0.0


SLOW = Speed(round_trip=0.2, down=2e6, up=0.5e6)


@dataclass(frozen=True, slots=True)
class Line:
    """A proxy and its counters."""

    _counts: SynchronizedArray[Any]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._counts[PORT]}"

    @property
    def up(self) -> int:
        return int(self._counts[UP])

    @property
    def down(self) -> int:
        return int(self._counts[DOWN])

    @property
    def connections(self) -> int:
        return int(self._counts[CONNECTIONS])


@contextmanager
def line_to(port: int, speed: Speed | None = None) -> Iterator[Line]:
    """A line to a server on this machine."""
    counts: SynchronizedArray[Any] = _SPAWN.Array("q", 4)
    started = _SPAWN.Event()
    worker = _SPAWN.Process(target=_run, args=(port, speed or Speed(), counts, started), daemon=True)
    worker.start()
    try:
        if not started.wait(20):
            raise SystemExit("the counting proxy did not start")
        yield Line(counts)
    finally:
        worker.terminate()
        worker.join()


def _run(port: int, speed: Speed, counts: SynchronizedArray[Any], started: Any) -> None:
    asyncio.run(_serve(port, speed, counts, started))


async def _serve(port: int, speed: Speed, counts: SynchronizedArray[Any], started: Any) -> None:
    loop = asyncio.get_running_loop()
    up = _Way(counts, UP, speed.up / 8, speed.round_trip / 2)
    down = _Way(counts, DOWN, speed.down / 8, speed.round_trip / 2)

    def made() -> _Near:
        return _Near(port=port, up=up, down=down, handshake=speed.round_trip, counts=counts)

    server = await loop.create_server(made, "127.0.0.1", 0, backlog=2048)
    counts[PORT] = server.sockets[0].getsockname()[1]
    started.set()
    await server.serve_forever()


@dataclass(slots=True)
class _Way:
    """One direction of the line, shared by all connections."""

    counts: Any
    place: int
    rate: float
    delay: float
    free_at: float = 0.0

    def carry(self, data: bytes, sink: asyncio.WriteTransport) -> None:
        self.counts.get_obj()[self.place] += len(data)
        if not (self.rate or self.delay):
            sink.write(data)
            return
        for start in range(0, len(data), _PIECE):
            self._later(data[start : start + _PIECE], sink)

    def end(self, sink: asyncio.WriteTransport) -> None:
        if not (self.rate or self.delay):
            sink.close()
            return
        loop = asyncio.get_running_loop()
        loop.call_at(max(self.free_at, loop.time()) + self.delay + 0.001, sink.close)

    def _later(self, piece: bytes, sink: asyncio.WriteTransport) -> None:
        loop = asyncio.get_running_loop()
        begin = max(self.free_at, loop.time())
        self.free_at = begin + (len(piece) / self.rate if self.rate else 1e-6)
        loop.call_at(self.free_at + self.delay, sink.write, piece)


@dataclass(slots=True, kw_only=True)
class _Near(asyncio.Protocol):
    """The client's end of a connection."""

    port: int
    up: _Way
    down: _Way
    handshake: float
    counts: SynchronizedArray[Any]
    near: Any = None
    far: asyncio.WriteTransport | None = None
    early: list[bytes] = field(default_factory=list)
    ended: bool = False
    task: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.near = transport
        self.counts[CONNECTIONS] += 1
        loop = asyncio.get_running_loop()
        self.task = loop.create_task(self._reach())

    async def _reach(self) -> None:
        if self.handshake:
            await asyncio.sleep(self.handshake)
        loop = asyncio.get_running_loop()
        try:
            far, _ = await loop.create_connection(lambda: _Far(self), "127.0.0.1", self.port)
        except OSError:
            self.near.abort()
            return
        self.far = far
        for data in self.early:
            self.up.carry(data, far)
        if self.ended:
            self.up.end(far)

    def data_received(self, data: bytes) -> None:
        if self.far is None:
            self.early.append(data)
        else:
            self.up.carry(data, self.far)

    def connection_lost(self, exc: Exception | None) -> None:
        self.ended = True
        if self.far is not None:
            self.up.end(self.far)


@dataclass(slots=True)
class _Far(asyncio.Protocol):
    """The server's end of the same connection."""

    near: _Near

    def data_received(self, data: bytes) -> None:
        self.near.down.carry(data, self.near.near)

    def connection_lost(self, exc: Exception | None) -> None:
        self.near.down.end(self.near.near)
