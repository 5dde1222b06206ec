"""Where the device is, or a clear reason why it can't say; never a hang."""

from __future__ import annotations

import time
from typing import Any

import pytest

from devices import clock, locator
from domain import errors
from tests.devices.conftest import Connect
from tests.devices.flet_client import SILENCE, ClientError
from tests.fakes import FakeClock

pytestmark = pytest.mark.anyio

SEATTLE = {"latitude": 47.61, "longitude": -122.33, "accuracy": 12}
GRANTED = {"get_permission_status": "whileInUse", "get_current_position": SEATTLE}


async def test_the_position_comes_with_its_accuracy_and_time(connect: Connect) -> None:
    connect(GRANTED)
    now = FakeClock()

    here = await locator.FletLocator(now).locate()

    assert (here.lat, here.lon, here.accuracy_m, here.taken_at) == (47.61, -122.33, 12.0, now.now())


async def test_permission_is_asked_for_on_a_device(connect: Connect) -> None:
    client = connect(GRANTED | {"get_permission_status": "denied", "request_permission": "whileInUse"})

    await locator.FletLocator(FakeClock()).locate()

    assert [name for name, _ in client.calls] == [
        "get_permission_status",
        "request_permission",
        "get_current_position",
    ]


async def test_in_a_browser_the_position_itself_asks(connect: Connect) -> None:
    client = connect(GRANTED | {"get_permission_status": "denied", "request_permission": SILENCE}, web=True)

    await locator.FletLocator(FakeClock()).locate()

    assert "request_permission" not in [name for name, _ in client.calls]


@pytest.mark.parametrize(
    ("answers", "says"),
    [
        ({"get_permission_status": "deniedForever"}, "not allowed"),
        ({"get_permission_status": "denied", "request_permission": "denied"}, "not allowed"),
        ({"get_current_position": ClientError("User denied Geolocation")}, "did not say where it is"),
        ({"get_current_position": {}}, "no position yet"),
    ],
)
async def test_no_location_says_why_and_offers_the_address(
    connect: Connect, answers: dict[str, Any], says: str
) -> None:
    connect(GRANTED | answers)

    with pytest.raises(errors.NoLocationError, match=says) as raised:
        await locator.FletLocator(FakeClock()).locate()

    assert "Type an address" in raised.value.hint


@pytest.mark.parametrize("silent", ["get_permission_status", "get_current_position"])
async def test_a_silent_device_does_not_hang_the_app(connect: Connect, silent: str) -> None:
    connect(GRANTED | {silent: SILENCE, "get_current_position": SILENCE})
    started = time.monotonic()

    with pytest.raises(errors.NoLocationError):
        await locator.FletLocator(clock.SystemClock()).locate(timeout=0.3)

    assert time.monotonic() - started < 2
