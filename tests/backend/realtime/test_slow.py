"""Who does not read keeps nobody waiting, gets the latest when it reads again, and is cut when it never does."""

from __future__ import annotations

import asyncio
import contextlib
import socket as sockets
import time
from collections.abc import AsyncIterator, Mapping
from typing import Any

import pytest
from websockets.client import ClientProtocol
from websockets.datastructures import Headers
from websockets.uri import parse_uri

from backend.actor import Actor, Role
from backend.realtime import codes, frames
from backend.realtime import connection as connections
from backend.realtime.audience import Audience
from backend.realtime.buckets import DEFAULTS, Priority
from backend.realtime.channels import KINDS, Kind, Sources
from backend.realtime.connection import Connection, Note
from backend.realtime.counters import Counters
from backend.realtime.frames import Frame
from backend.realtime.picture import Made
from backend.services.auth import Peer
from backend.storage.warehouse.scope import Scope
from tests.backend.realtime.talking import heard, heard_of, opened
from tests.serving import LiveServer, SignedIn
from tests.waiting import until

pytestmark = pytest.mark.anyio


@contextlib.asynccontextmanager
async def stalled(server: LiveServer, path: str, headers: Mapping[str, str]) -> AsyncIterator[sockets.socket]:
    """A client that shakes hands and never reads again, with as little room as the kernel allows."""
    line = sockets.socket()
    line.setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF, 4096)
    line.setblocking(False)
    loop = asyncio.get_running_loop()
    await loop.sock_connect(line, ("127.0.0.1", server.port))
    protocol = ClientProtocol(parse_uri(server.ws_url + path))
    request = protocol.connect()
    request.headers.update(Headers(headers))
    protocol.send_request(request)
    await loop.sock_sendall(line, b"".join(protocol.data_to_send()))
    assert (await loop.sock_recv(line, 12)).startswith(b"HTTP/1.1 101")
    try:
        yield line
    finally:
        line.close()


class Feed:
    """Figures of any size that change when the test says so, in place of the dashboard's."""

    def __init__(self, size: int) -> None:
        self.number = 0
        self._size = size

    async def make(self, sources: Sources, audience: Audience, question: object) -> Made:
        noise = "".join(chr(33 + (self.number * 7919 + at * 31337) % 90) for at in range(self._size))
        return Made(data={"number": self.number, "noise": noise}, as_of="now")


@pytest.fixture
def feed(monkeypatch: pytest.MonkeyPatch) -> Feed:
    made = Feed(size=30_000)
    old = KINDS["dashboard"]
    kind = Kind(name="dashboard", permission=old.permission, priority=Priority.HIGH, make=made.make, timeframes=old.timeframes, usual="30d", pause=0.01)  # fmt: skip
    monkeypatch.setitem(KINDS, "dashboard", kind)
    return made


def again(server: LiveServer, feed: Feed) -> None:
    feed.number += 1
    for group in server.app.state.gateway._groups.values():
        group.touch()


FAST, STALLED = 20, 3


async def test_stalled_clients_are_cut_and_the_others_get_everything(
    live_server: LiveServer, boss: SignedIn, feed: Feed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "CUT_SECONDS", 1.0)
    live_server.app.state.deps.settings.bi_message_throttle_limits["high"] = 6_000
    live = live_server.app.state.deps.live
    async with contextlib.AsyncExitStack() as stack:
        for _ in range(STALLED):
            await stack.enter_async_context(stalled(live_server, "/ws/dashboard/all", boss.headers))
        await until(lambda: live.subscriptions["dashboard"] == STALLED)
        live_server.app.state.gateway.most_of_person = 100
        fast = [
            await stack.enter_async_context(
                opened(live_server, "/ws/dashboard/all", boss.headers, compression=None, max_size=None)
            )
            for _ in range(FAST)
        ]
        for one in fast:
            await heard(one)
        end = time.monotonic() + 30
        while live.slow_closes < STALLED and time.monotonic() < end:
            again(live_server, feed)
            for one in fast:
                while (await heard_of(one, type="update"))["data"]["number"] < feed.number:
                    pass

        assert live.slow_closes == STALLED
        assert live.subscriptions["dashboard"] == FAST
        again(live_server, feed)
        assert {(await heard(one))["data"]["number"] for one in fast} == {feed.number}


class _Line:
    """What a connection writes to; the other side takes as much as the test says."""

    def __init__(self) -> None:
        self.waiting = 0
        self.written: list[Frame] = []
        self.closed: tuple[int, str] | None = None

    def push(self, frame: Frame, most: int) -> int:
        if self.waiting <= most:
            self.written.append(frame)
        return self.waiting

    def unsent(self) -> int:
        return self.waiting

    def rtt(self) -> float:
        return 0.0

    def hang_up(self, code: int, reason: str) -> None:
        self.closed = (code, reason)

    async def end(self) -> None: ...

    async def receive(self) -> Any:
        await asyncio.Event().wait()

    async def carry(self, talk: Any) -> None:
        await talk


def _connection(line: _Line, limits: Mapping[str, int] = DEFAULTS) -> Connection:
    actor = Actor(id="u", role=Role.MANAGER, locations=frozenset(), device_id="d", session_id="s")
    scope = Scope(keys=(1,))
    return Connection(
        line=line,
        actor=actor,
        proof=b"",
        place="all",
        audience=Audience(locations=("a",), scope=scope, offices=(), role=Role.MANAGER),
        peer=Peer(address="127.0.0.1", on_this_machine=True),
        limits=limits,
        counters=Counters(),
    )


def _note(text: str) -> Note:
    return Note(frames.prepare(text.encode()), "dashboard")


async def test_beyond_64_kib_unsent_only_the_latest_waits() -> None:
    line = _Line()
    connection = _connection(line)
    line.waiting = connections.HOLD_BYTES + 1
    for number in range(5):
        connection.post("key", _note(str(number)), Priority.HIGH)
    assert line.written == []

    line.waiting = 0
    connection.check(asyncio.get_running_loop().time(), 0)

    assert [frame.body for frame in line.written] == [b"4"]
    connection.over()


async def test_beyond_a_mebibyte_it_is_cut_at_once() -> None:
    line = _Line()
    connection = _connection(line)
    line.waiting = connections.CUT_BYTES + 1
    connection.post("key", _note("x"), Priority.NORMAL)
    assert line.closed == (codes.SLOW, "slow")


async def test_who_stalls_for_ten_seconds_is_cut() -> None:
    line = _Line()
    connection = _connection(line)
    line.waiting = connections.HOLD_BYTES + 1
    now = asyncio.get_running_loop().time()
    connection.check(now, 0)
    connection.post("key", _note("x"), Priority.NORMAL)
    connection.check(now + connections.CUT_SECONDS - 1, 0)
    assert line.closed is None
    connection._stalled = now - connections.CUT_SECONDS - 1
    connection.check(now, 0)
    assert line.closed == (codes.SLOW, "slow")


async def test_critical_messages_are_never_left_out_but_by_a_close() -> None:
    line = _Line()
    connection = _connection(line)
    line.waiting = connections.HOLD_BYTES + 1
    for number in range(256):
        connection.post(None, _note(str(number)), Priority.CRITICAL)
    assert line.closed is None
    connection.post(None, _note("one too many"), Priority.CRITICAL)
    assert line.closed == (codes.SLOW, "slow")


async def test_the_leading_edge_goes_at_once_and_the_rest_is_one_latest() -> None:
    line = _Line()
    connection = _connection(line, {"normal": 60 * 10})
    for number in range(100):
        connection.post("key", _note(str(number)), Priority.NORMAL)
    first = len(line.written)
    await until(lambda: len(line.written) > first)
    connection.over()

    assert line.written[0].body == b"0"
    assert line.written[-1].body == b"99"
    assert len(line.written) == first + 1 == 61


async def test_a_poor_line_is_told_so_and_gets_half_as_much(monkeypatch: pytest.MonkeyPatch) -> None:
    line = _Line()
    connection = _connection(line)
    monkeypatch.setattr(line, "rtt", lambda: 2.0)
    connection.check(asyncio.get_running_loop().time(), 0)

    assert line.written[0].body == b'{"type":"quality","quality":"poor"}'
    assert connection._mailbox._slowed
    connection.over()
