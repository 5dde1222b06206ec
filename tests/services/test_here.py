"""Where this person is."""

from __future__ import annotations

import pytest

from domain import errors, ports
from services.here import Here
from tests import fakes
from tests.services.conftest import Bench

pytestmark = pytest.mark.anyio


async def test_a_located_place_is_remembered(bench: Bench) -> None:
    place = ports.Position(lat=30.0, lon=-97.0)
    here = Here(locator=fakes.FakeLocator(place), settings=bench.sv.settings)

    assert here.last() is None
    assert await here.locate() == place
    assert here.last() == place


async def test_a_device_that_cannot_tell_asks_for_an_address(bench: Bench) -> None:
    with pytest.raises(errors.NoLocationError, match="Type an address"):
        await Here(locator=None, settings=bench.sv.settings).locate()


def test_home_stands_in_where_no_place_was_chosen(bench: Bench) -> None:
    home = ports.Position(lat=30.0, lon=-97.0, label="Home")
    bench.sv.settings.change(home=home)

    assert Here(locator=None, settings=bench.sv.settings).last() == home
