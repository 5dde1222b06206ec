"""Many people who look at live figures, in a process of their own: raw sockets, each subscribed to the channel `analytics`.

Every frame is held against the clock: how long ago was it made (`as_of`), and how long ago did the newest event in it happen (the
watermark, which stays `LATENESS` behind that). The first line on stdin says where to go
(JSON); then `report` asks for what came since the last one, `end` ends.
"""

from __future__ import annotations

import json
import os
import re
import select
import socket
import sys
import time
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from backend.stream.windows.spans import LATENESS, SECOND
from benchmarks._machine import p
from benchmarks._socket import READ, TEXT, Socket, body, hello

_HEAD = 600
_TIMES = re.compile(rb'"as_of":"([^"]+)","watermark":"([^"]+)"')
_SAID = (
    b'{"type":"unsubscribe_channel","channel":"dashboard"}',
    b'{"type":"subscribe_channel","channel":"analytics"}',
)


@dataclass(slots=True)
class Ages:
    """Seconds, of each update that came."""

    made: list[float] = field(default_factory=list)
    newest: list[float] = field(default_factory=list)
    frames: int = 0
    size: int = 0

    def take(self, head: bytes) -> None:
        found = _TIMES.search(head)
        if found is None:
            return
        now = time.time()
        self.made.append(now - _seconds(found[1]))
        self.newest.append(now - _seconds(found[2]) - LATENESS / SECOND)

    def report(self) -> dict[str, Any]:
        return {
            "frames": self.frames,
            "updates": len(self.made),
            "kib": self.size / 1024,
            "made": _quantiles(self.made),
            "newest": _quantiles(self.newest),
        }


def _seconds(said: bytes) -> float:
    return datetime.fromisoformat(said.decode()).timestamp()


def _quantiles(values: Sequence[float]) -> list[float]:
    """p50, p99 and the most, in ms."""
    return [1000 * found for found in (p(values, 50), p(values, 99), max(values))] if len(values) > 1 else []


class Person:
    """One socket."""

    def __init__(self, port: int, path: str, token: str) -> None:
        self.socket = Socket(socket.create_connection(("127.0.0.1", port)))
        self.greeted = False
        """The first picture of `analytics` came."""
        headers = ["Sec-WebSocket-Extensions: permessage-deflate", f"Authorization: Bearer {token}"]
        self.socket.line.sendall(hello(port, path, headers))
        self.socket.line.setblocking(False)

    def feed(self, data: bytes, ages: Ages) -> None:
        greeting = not self.socket.shaken
        for frame in self.socket.texts(data):
            self._hear(frame, ages)
        if greeting and self.socket.shaken:
            for said in _SAID:
                self.socket.say(TEXT, said)

    def _hear(self, frame: bytes, ages: Ages) -> None:
        ages.frames += 1
        ages.size += len(frame)
        said = body(frame)
        head = zlib.decompressobj(-15).decompress(said, _HEAD) if frame[0] & 0x40 else said[:_HEAD]
        if b'"channel":"analytics"' in head:
            self.greeted = True
            if b'"type":"update"' in head:
                ages.take(head)


class Crowd:
    def __init__(self) -> None:
        self._poll = select.epoll()
        self._all: dict[int, Person] = {}
        self.ages = Ages()

    def open(self, port: int, paths: Sequence[str], token: str) -> dict[str, Any]:
        """Until everybody has seen a first picture, or a minute is over."""
        until = time.monotonic() + 60
        for path in paths:
            person = Person(port, path, token)
            self._all[person.socket.line.fileno()] = person
            self._poll.register(person.socket.line.fileno(), select.EPOLLIN)
            self.look(0.002)
        while time.monotonic() < until and not all(person.greeted for person in self._all.values()):
            self.look(0.05)
        return {"greeted": sum(person.greeted for person in self._all.values())}

    def listen(self, number: int) -> None:
        self._poll.register(number, select.EPOLLIN)

    def look(self, seconds: float) -> bool:
        """Read what came; is there an order?"""
        ordered = False
        for number, _ in self._poll.poll(seconds):
            person = self._all.get(number)
            if person is None:
                ordered = True
            elif data := person.socket.line.recv(READ):
                person.feed(data, self.ages)
            else:
                self._poll.unregister(number)
                del self._all[number]
        return ordered


def main() -> None:
    crowd = Crowd()
    _answer(crowd.open(**json.loads(_first_line())))
    crowd.listen(0)
    while True:
        if not crowd.look(1.0):
            continue
        orders = os.read(0, 1_024).split()
        if not orders or b"end" in orders:
            return
        _answer(crowd.ages.report() | {"open": len(crowd._all)})
        crowd.ages = Ages()


def _first_line() -> bytes:
    """Without a buffer that would swallow what comes after it."""
    with open(0, "rb", buffering=0, closefd=False) as file:
        return file.readline()


def _answer(said: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(said) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
