"""What is handed over to the telephone, messages, mail and maps."""

from __future__ import annotations

import pytest

from devices import launcher
from domain import errors
from tests.devices.conftest import Connect
from tests.devices.flet_client import ClientError

pytestmark = pytest.mark.anyio


def test_numbers_addresses_and_places_become_links() -> None:
    assert launcher.call_url("+1 (206) 555-0100") == "tel:+12065550100"
    assert launcher.text_url("206.555.0100") == "sms:2065550100"
    assert (
        launcher.text_url("2065550100", "5 o'clock & late?")
        == "sms:2065550100?&body=5%20o%27clock%20%26%20late%3F"
    )
    assert launcher.mail_url(" Maria.G+home@example.com ") == "mailto:Maria.G+home@example.com"
    assert (
        launcher.directions_url(47.61, -122.33)
        == "https://www.google.com/maps/dir/?api=1&destination=47.610000%2C-122.330000"
    )


@pytest.mark.parametrize("phone", ["", "  ", "unknown", "+"])
def test_no_number_is_not_dialled(phone: str) -> None:
    with pytest.raises(errors.InputError, match="no telephone number"):
        launcher.call_url(phone)


@pytest.mark.parametrize("address", ["", "maria", "a@b?cc=c@d", "a@b,c@d", "a b@c", "a@b\nBcc: x@y"])
def test_no_address_or_a_crafted_one_is_not_mailed(address: str) -> None:
    with pytest.raises(errors.InputError, match="not an e-mail address"):
        launcher.mail_url(address)


@pytest.mark.parametrize(("lat", "lon"), [(91, 0), (0, 181), (float("nan"), 0)])
def test_no_place_is_not_driven_to(lat: float, lon: float) -> None:
    with pytest.raises(errors.InputError, match="not a place"):
        launcher.directions_url(lat, lon)


async def test_a_call_leaves_no_empty_tab_behind_and_the_map_gets_one(connect: Connect) -> None:
    client = connect({"launch_url": None}, web=True)
    opens = launcher.FletLauncher()

    await opens.call("2065550100")
    await opens.navigate(47.61, -122.33)

    assert [args["web_only_window_name"] for _, args in client.calls] == ["_self", "_blank"]


async def test_a_device_without_a_telephone_says_so(connect: Connect) -> None:
    connect({"launch_url": ClientError("No Activity found to handle Intent")})

    with pytest.raises(errors.DeviceError, match="no app for that"):
        await launcher.FletLauncher().call("2065550100")
