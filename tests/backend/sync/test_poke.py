"""The WebSocket: news in well under a second, only to those who may see it, and never past a sign-out."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from backend.realtime import codes, sockets
from tests.backend.sync.conftest import MakeDevice
from tests.backend.sync.devices import Device, new_lead
from tests.serving import LiveServer

pytestmark = pytest.mark.anyio


def token_of(device: Device) -> str:
    return device.headers["Authorization"].removeprefix("Bearer ")


async def news(socket: ClientConnection, seconds: float = 5.0) -> dict[str, Any]:
    return dict(json.loads(await asyncio.wait_for(socket.recv(), seconds)))


async def closing_code(socket: ClientConnection) -> int:
    with contextlib.suppress(ConnectionClosed):
        while True:
            await asyncio.wait_for(socket.recv(), 5)
    assert socket.close_code is not None
    return socket.close_code


async def test_a_change_pokes_the_other_device_within_half_a_second(
    make_device: MakeDevice, live_server: LiveServer
) -> None:
    phone, desk = await make_device(), await make_device("manager")
    async with connect(f"{live_server.ws_url}/ws/sync") as socket:
        await socket.send(json.dumps({"token": token_of(desk)}))
        before = await news(socket)
        while True:  # the users' own rows are being numbered
            try:
                before = await news(socket, 0.5)
            except TimeoutError:
                break
        started = time.monotonic()
        await new_lead(phone)
        assert (await news(socket))["seq"] > before["seq"]
        assert time.monotonic() - started < 0.5


async def test_somebody_elsewhere_is_not_poked(make_device: MakeDevice, live_server: LiveServer) -> None:
    phone, far = await make_device(), await make_device(locations=("Dallas",))
    await asyncio.sleep(0.5)
    async with connect(f"{live_server.ws_url}/ws/sync", additional_headers=far.headers) as socket:
        await news(socket)
        status = await far.client.get("/api/sync/status", headers=far.headers)
        assert status.json()["sockets"] == 1
        await new_lead(phone)
        with pytest.raises(TimeoutError):
            await news(socket, 1.0)


async def test_a_wrong_token_closes_with_4401(live_server: LiveServer) -> None:
    async with connect(f"{live_server.ws_url}/ws/sync") as socket:
        await socket.send(json.dumps({"token": "not mine"}))
        assert await closing_code(socket) == codes.SIGN_IN


async def test_a_foreign_page_is_turned_away(make_device: MakeDevice, live_server: LiveServer) -> None:
    desk = await make_device()
    url = f"{live_server.ws_url}/ws/sync"
    async with connect(url, additional_headers=desk.headers, origin="https://evil.example") as socket:  # type: ignore[arg-type]
        assert await closing_code(socket) == codes.NOT_ALLOWED
    async with connect(url, additional_headers=desk.headers, origin=live_server.url) as socket:  # type: ignore[arg-type]
        assert "seq" in await news(socket)


async def test_signing_out_closes_the_socket(
    make_device: MakeDevice, live_server: LiveServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sockets, "CHECK_SECONDS", 0.2)
    desk = await make_device()
    async with connect(f"{live_server.ws_url}/ws/sync", additional_headers=desk.headers) as socket:
        await news(socket)
        await desk.client.post("/api/auth/logout", headers=desk.headers)
        assert await closing_code(socket) == codes.SIGN_IN


async def test_a_stopping_server_says_so_and_the_socket_can_come_back(
    make_device: MakeDevice, live_server: LiveServer
) -> None:
    desk = await make_device()
    async with connect(f"{live_server.ws_url}/ws/sync", additional_headers=desk.headers) as socket:
        await news(socket)
        await live_server.stop()
        assert await closing_code(socket) == codes.RESTARTING
    await live_server.start()
    async with connect(f"{live_server.ws_url}/ws/sync", additional_headers=desk.headers) as socket:
        assert "seq" in await news(socket)


@pytest.mark.parametrize("with_token", [True, False])
async def test_bytes_are_no_token_and_no_fault_of_the_server(
    make_device: MakeDevice, live_server: LiveServer, with_token: bool
) -> None:
    desk = await make_device()
    headers = desk.headers if with_token else {}
    async with connect(f"{live_server.ws_url}/ws/sync", additional_headers=headers) as socket:
        await socket.send(b"\x00")
        if with_token:  # they are passed over
            assert "seq" in await news(socket)
        else:
            assert await closing_code(socket) == codes.SIGN_IN


async def test_an_origin_that_is_no_address_is_turned_away(
    make_device: MakeDevice, live_server: LiveServer
) -> None:
    desk = await make_device()
    url = f"{live_server.ws_url}/ws/sync"
    async with connect(url, additional_headers=desk.headers, origin="http://[::1") as socket:  # type: ignore[arg-type]
        assert await closing_code(socket) == codes.NOT_ALLOWED
