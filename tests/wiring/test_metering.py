"""Recordings wait only where both are true: the person wants it, and the connection costs by the byte."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests import fakes
from tests.services.conftest import open_bench
from wiring import metering

pytestmark = pytest.mark.anyio


async def test_recordings_wait_while_the_setting_and_the_connection_say_so(tmp_path: Path) -> None:
    bench, network, said = open_bench(tmp_path), fakes.FakeConnectivity(metered=True), asyncio.Queue[bool]()
    watching = asyncio.create_task(metering.watch(bench.db, bench.sv.settings, network, said.put_nowait))

    async def next_said() -> bool:
        return await asyncio.wait_for(said.get(), 5)

    await asyncio.sleep(0.01)
    assert said.empty()
    bench.sv.settings.change(wifi_only_audio=True)
    assert await next_said() is True
    network.set(True, metered=False)
    assert await next_said() is False
    network.set(True, metered=True)
    assert await next_said() is True
    network.set(True, metered=None)  # it can't tell: work is not held back for ever
    assert await next_said() is False
    network.set(True, metered=True)
    assert await next_said() is True
    bench.sv.settings.change(wifi_only_audio=False)
    assert await next_said() is False

    watching.cancel()
    await asyncio.gather(watching, return_exceptions=True)
    bench.db.close()
