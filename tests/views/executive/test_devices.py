"""The list of devices on the screen."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from services.user import Role
from tests import screen
from tests.browser.sync_states import Device, Fleet
from tests.services.conftest import Bench, in_days
from tests.views.agent import field

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("size", [screen.PHONE, screen.DESKTOP])
async def test_who_has_unsent_work_is_named_with_its_age(
    make_bench: Callable[..., Bench], size: tuple[float, float]
) -> None:
    fleet = Fleet()
    bench = make_bench(Role.MANAGER, devices=fleet)
    day_ago = in_days(bench, -1.1)
    fleet.devices = [
        Device(id="0198-bb77c2", person="Pat Lee", seen_at=day_ago, waiting=9, oldest_at=day_ago)
    ]
    async with field.opened(bench, "/devices", size=size) as desk:
        await desk.until("Pat Lee")

        assert desk.sees("9 wait")
        assert desk.sees("26 h ago")
        assert desk.sees("1 needs a look")


async def test_with_no_network_the_list_says_what_it_needs_and_asks_again(
    make_bench: Callable[..., Bench],
) -> None:
    fleet = Fleet(None)
    async with field.opened(make_bench(Role.MANAGER, devices=fleet), "/devices") as desk:
        await desk.until("Needs a connection")

        fleet.devices = []
        await desk.tap("ask-devices")

        await desk.until("No data yet")
