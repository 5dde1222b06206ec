"""Listening, stopping and coming back; and what happens when an engine dies underneath."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import time
from pathlib import Path

import httpx
import pytest

from backend import app as application
from backend import deadline, server
from backend import deps as parts
from backend.deps import Deps
from backend.settings import Settings
from domain import errors
from tests.serving import LiveServer

pytestmark = pytest.mark.anyio


async def test_live_server_answers_and_is_gone_when_stopped(live_server: LiveServer) -> None:
    async with httpx.AsyncClient(base_url=live_server.url) as client:
        assert (await client.get("/ready")).status_code == 200

        await live_server.stop()
        with pytest.raises(httpx.ConnectError):
            await client.get("/ready")

        await live_server.start()
        assert (await client.get("/ready")).status_code == 200


async def test_idle_connection_does_not_hold_the_server_up(live_server: LiveServer) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", live_server.port)
    writer.write(b"GET /health HTTP/1.1\r\n")

    started = time.monotonic()
    await live_server.stop()

    assert time.monotonic() - started < 4
    assert await reader.read() == b""
    writer.close()


async def test_connection_that_never_finishes_its_headers_is_closed(
    deps: Deps, live_server: LiveServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deadline.DeadlineProtocol, "header_seconds", 0.3)
    dawdlers = [await asyncio.open_connection("127.0.0.1", live_server.port) for _ in range(20)]
    for _, writer in dawdlers:
        writer.write(b"GET /health HTTP/1.1\r\nX-Slow: 1\r\n")

    async with asyncio.timeout(5):
        rests = [await _rest(reader) for reader, _ in dawdlers]

    assert rests == [b""] * 20
    for _, writer in dawdlers:
        writer.close()


async def _rest(reader: asyncio.StreamReader) -> bytes:
    try:
        return await reader.read()
    except ConnectionResetError:
        return b""


async def test_answered_connection_may_rest_and_ask_again(
    live_server: LiveServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deadline.DeadlineProtocol, "header_seconds", 0.2)
    async with httpx.AsyncClient(base_url=live_server.url) as client:
        first = await client.get("/health")
        await asyncio.sleep(0.5)
        second = await client.get("/health")

    assert (first.status_code, second.status_code) == (200, 200)


async def test_taken_port_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]

        with pytest.raises(errors.PortTakenError, match=f"Port {port} is taken"):
            server.listen("127.0.0.1", port)


async def test_address_of_another_machine_is_told() -> None:
    with pytest.raises(errors.StartError, match="Can't listen"):
        server.listen("203.0.113.1", 0)


async def test_job_that_breaks_is_started_again_and_ends_with_the_server(deps: Deps) -> None:
    runs = 0

    async def breaks(_: Deps) -> None:
        nonlocal runs
        runs += 1
        raise RuntimeError

    app = application.create_app(deps, jobs=[breaks])
    async with app.router.lifespan_context(app):
        await asyncio.sleep(0.8)

    assert runs == 2
    assert deps.stopping.is_set()


async def test_server_survives_the_death_of_its_engines(tmp_path: Path) -> None:
    settings = Settings.model_validate({"data_dir": tmp_path, "port": 0})
    async with parts.open_deps(settings) as deps:
        running = LiveServer(app=application.create_app(deps))
        await running.start()
        assert deps.engines is not None
        first = deps.engines.postgres
        assert first is not None
        os.kill(first.pid, signal.SIGKILL)

        async with httpx.AsyncClient(base_url=running.url) as client, asyncio.timeout(20):
            while await _ready_soon(client) != 200 or deps.engines.postgres == first:
                pass
        await running.stop()


async def _ready_soon(client: httpx.AsyncClient) -> int:
    await asyncio.sleep(0.05)
    return (await client.get("/ready")).status_code
