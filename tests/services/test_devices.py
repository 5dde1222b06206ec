"""Which devices need a look, and who may see them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from domain import errors
from services.user import Role
from tests.browser.sync_states import Device, Fleet
from tests.services.conftest import Bench, in_days

pytestmark = pytest.mark.anyio


async def test_the_worst_come_first(make_bench: Callable[..., Bench]) -> None:
    fleet = Fleet()
    bench = make_bench(Role.MANAGER, devices=fleet)
    now, day_ago = bench.clock.now(), in_days(bench, -1.1)
    fleet.devices = [
        Device(id="fine", person="A", seen_at=now),
        Device(id="busy", person="B", seen_at=now, waiting=3, oldest_at=now - timedelta(minutes=5)),
        Device(id="gone", person="C", seen_at=day_ago, behind=7),
        Device(id="stuck", person="D", seen_at=now, waiting=1, oldest_at=day_ago),
        Device(id="refused", person="E", seen_at=now, parked=1, oldest_at=now),
        Device(id="home", person="F", seen_at=day_ago),
    ]

    found = await bench.sv.devices.read()

    assert [item.id for item in found] == ["refused", "stuck", "gone", "busy", "home", "fine"]
    assert [item.late for item in found] == [True, True, True, False, False, False]


async def test_an_agent_sees_no_devices(bench: Bench) -> None:
    with pytest.raises(errors.ForbiddenError, match="managers"):
        await bench.sv.devices.read()


async def test_staying_offline_asks_nobody(make_bench: Callable[..., Bench]) -> None:
    bench = make_bench(Role.MANAGER, devices=Fleet([]))
    bench.sync.turn(forced_offline=True)

    with pytest.raises(errors.UnreachableError):
        await bench.sv.devices.read()
