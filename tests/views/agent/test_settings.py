"""Settings on the screen."""

from __future__ import annotations

import pytest

from tests.services.conftest import Bench
from tests.views.agent import field

pytestmark = pytest.mark.anyio


async def test_units_and_radius_are_kept(bench: Bench) -> None:
    async with field.opened(bench, "/settings") as phone:
        await phone.tap("Kilometres")
        await phone.tap("15 km")

    chosen = bench.sv.settings.read()
    assert (chosen.miles, chosen.radius_km) == (False, 15.0)


async def test_a_home_place_is_found_by_its_zip_and_an_unknown_one_is_refused(bench: Bench) -> None:
    async with field.opened(bench, "/settings") as phone:
        await phone.type("Find a place", "nowhere at all")
        await phone.tap("home-save")
        assert bench.sv.settings.read().home is None
        await phone.type("Find a place", "78701")
        await phone.tap("home-save")

        assert phone.sees("Austin, TX 78701")


async def test_signing_out_is_blocked_while_work_waits(bench: Bench) -> None:
    async with field.opened(bench, "/settings") as phone:
        bench.sv.tasks.create("Call")
        await phone.settle()

        assert phone.sees("1 change is only on this device.")
        with pytest.raises(AssertionError, match="disabled"):
            await phone.tap("sign-out")


async def test_the_account_and_the_versions_are_shown(bench: Bench) -> None:
    async with field.opened(bench, "/settings") as phone:
        for words in ("pat@example.com", "Agent", "Austin", "Jorge BI 0.1.0", "Sync protocol 1"):
            assert phone.sees(words), words


async def test_without_a_speech_engine_the_server_is_named(bench: Bench) -> None:
    async with field.opened(bench, "/settings") as phone:
        assert phone.sees("This device has no speech engine.")


async def test_recordings_may_wait_for_wifi_and_end_by_themselves(bench: Bench) -> None:
    async with field.opened(bench, "/settings") as phone:
        await phone.tap("5 min")
        await phone.tap("wifi-only")

    chosen = bench.sv.settings.read()
    assert (chosen.recording_minutes, chosen.wifi_only_audio) == (5, True)
