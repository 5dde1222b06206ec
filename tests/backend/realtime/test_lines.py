"""On a server without our protocol the same frames go out as plain texts."""

from __future__ import annotations

import asyncio

import pytest
import uvicorn
from fastapi import FastAPI

from backend.realtime.frames import prepare
from backend.realtime.lines import GONE, TextLine, line_of
from tests.backend.realtime.talking import closing_code, heard, heard_of, opened, say
from tests.serving import LiveServer, SignedIn

pytestmark = pytest.mark.anyio


@pytest.fixture
def stock_protocol(monkeypatch: pytest.MonkeyPatch) -> None:
    """uvicorn as it comes."""

    class Config(uvicorn.Config):
        def __init__(self, app: FastAPI, **more: object) -> None:
            super().__init__(app, **(more | {"ws": "websockets-sansio"}))  # type: ignore[arg-type]

    monkeypatch.setattr(uvicorn, "Config", Config)


@pytest.mark.usefixtures("stock_protocol")
async def test_a_stock_server_serves_the_same(
    request: pytest.FixtureRequest, app: FastAPI, boss: SignedIn
) -> None:
    running = LiveServer(app=app)
    await running.start()
    try:
        async with opened(running, "/ws/dashboard/all", boss.headers) as socket:
            assert (await heard(socket))["type"] == "snapshot"
            (connection,) = app.state.gateway.connections
            assert isinstance(connection.line, TextLine)
            await say(socket, type="heartbeat")
            assert await heard_of(socket, type="heartbeat_ack")
            connection.cut()
            assert await closing_code(socket) == 4008
    finally:
        await running.stop()


class _Socket:
    """Takes nothing until it is told to."""

    def __init__(self) -> None:
        self.scope: dict[str, object] = {}
        self.open = asyncio.Event()
        self.sent: list[str] = []

    async def send_text(self, text: str) -> None:
        await self.open.wait()
        self.sent.append(text)

    async def close(self, code: int, reason: str) -> None:
        self.sent.append(f"{code} {reason}")


async def test_what_a_slow_socket_has_not_taken_counts_as_unsent() -> None:
    socket = _Socket()
    line = line_of(socket)  # type: ignore[arg-type]
    assert [line.push(prepare(b"x" * 100), 150) for _ in range(4)] == [0, 100, 200, 200]
    assert line.unsent() == 200

    socket.open.set()
    line.hang_up(4008, "slow")
    assert line.push(prepare(b"late"), 150) == GONE
    await line.end()

    assert socket.sent == ["x" * 100, "x" * 100, "4008 slow"]
    assert (line.unsent(), line.rtt()) == (0, 0.0)
