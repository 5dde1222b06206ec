"""What sync costs on the wire, counted in the bytes that go through the socket, headers included."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import pytest

from domain import wire
from tests.backend.sync.conftest import MakeDevice
from tests.backend.sync.devices import Device, new_lead
from tests.serving import LiveServer

pytestmark = pytest.mark.anyio
POKE = 25
"""Bytes of the frame that says that there is news."""


async def exchanged(live: LiveServer, device: Device, path: str) -> tuple[int, bytes]:
    """Bytes up and down of one GET with the headers that a device sends; and what came."""
    headers: Mapping[str, str] = {
        "Host": f"127.0.0.1:{live.port}",
        "Accept-Encoding": "zstd",
        "Authorization": device.headers["Authorization"],
        wire.PROTOCOL_HEADER: str(wire.PROTOCOL),
        wire.SCHEMA_HEADER: str(wire.SCHEMA),
        wire.DEVICE_HEADER: device.id,
    }
    lines = [f"GET {path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items()), "", ""]
    request = "\r\n".join(lines).encode()
    reader, writer = await asyncio.open_connection("127.0.0.1", live.port)
    writer.write(request)
    head = await reader.readuntil(b"\r\n\r\n")
    size = head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0]
    body = await reader.readexactly(int(size or b"0"))
    writer.close()
    await writer.wait_closed()
    return len(request) + len(head) + len(body), body


async def test_a_pull_that_brings_nothing_costs_little(
    make_device: MakeDevice, live_server: LiveServer
) -> None:
    phone = await make_device()
    await asyncio.sleep(0.5)  # until the user's own rows are numbered
    await phone.pull()

    size, body = await exchanged(live_server, phone, f"/api/sync/pull?cursor={phone.cursor}")

    assert (size <= 400, body) == (True, b""), size


async def test_one_new_lead_costs_little(make_device: MakeDevice, live_server: LiveServer) -> None:
    phone, desk = await make_device(), await make_device("manager")
    await asyncio.sleep(0.5)
    await phone.pull()
    await new_lead(desk)
    await asyncio.sleep(0.5)

    size, body = await exchanged(live_server, phone, f"/api/sync/pull?cursor={phone.cursor}")

    assert size <= 700, size
    assert body


async def test_one_changed_lead_costs_less_than_six_hundred_bytes(
    make_device: MakeDevice, live_server: LiveServer
) -> None:
    phone, desk = await make_device(), await make_device("manager")
    lead = await new_lead(desk, email="ana@example.com", address="1 Main St", area="North", source="web")
    await asyncio.sleep(0.5)
    await phone.pull()
    await desk.push(desk.mutation("patch", "leads", lead, {"motivation": "In spring."}, base_ver=1))
    await asyncio.sleep(0.5)

    size, body = await exchanged(live_server, phone, f"/api/sync/pull?cursor={phone.cursor}")

    assert size + POKE <= 600, size
    assert b"In spring." in body
