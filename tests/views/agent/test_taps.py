"""A tap is told in two messages, and a screen may be drawn between them: what was tapped is what counts."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import flet as ft
import pytest

from tests import screen
from tests.services.conftest import Bench
from tests.views.agent import field

pytestmark = pytest.mark.anyio
Between = Callable[[], Awaitable[None]]


async def tap(
    phone: screen.Screen, control: ft.BaseControl, name: str, value: object, between: Between
) -> None:
    phone.session.apply_patch(control._i, {name: value})
    await between()
    await phone.settle()
    await phone.event(control, "change", value)
    await phone.settle()


def beside(change: Callable[[], object]) -> Between:
    async def between() -> None:
        change()

    return between


async def test_consent_is_kept_that_is_ticked_while_a_letter_is_drawn(bench: Bench) -> None:
    async with field.opened(bench, "/leads/new") as phone:
        await phone.type("Phone", "512 555 0188")
        box = phone.all_of(ft.Checkbox)[0]

        await tap(phone, box, "value", True, lambda: phone.type("Name", "Rosa Diaz"))
        await phone.tap("save-lead")

    assert bench.all("leads")[0]["consent_text"] == 1


async def test_force_offline_holds_while_the_sync_centre_is_drawn(bench: Bench) -> None:
    bench.online()
    async with field.opened(bench, "/sync") as phone:
        switch = phone.all_of(ft.Switch)[0]

        await tap(phone, switch, "value", True, beside(lambda: bench.sv.tasks.create("Call Ann")))

    assert bench.sync.now.forced_offline


async def test_wi_fi_only_and_kilometres_hold_while_the_settings_are_drawn(bench: Bench) -> None:
    async with field.opened(bench, "/settings") as phone:
        switch = next(
            path[-1]
            for path in phone.walk()
            if isinstance(path[-1], ft.Switch)
            and any(getattr(above, "identifier", "") == "wifi-only" for above in path)
        )
        await tap(phone, switch, "value", True, beside(lambda: bench.sv.settings.change(recording_minutes=5)))
        assert bench.sv.settings.read().wifi_only_audio

        units = phone.find("Kilometres")
        (button,) = [control for control in units if isinstance(control, ft.SegmentedButton)]
        (segment,) = [control for control in units if isinstance(control, ft.Segment)]
        await tap(
            phone,
            button,
            "selected",
            [segment.value],
            beside(lambda: bench.sv.settings.change(recording_minutes=10)),
        )
        assert not bench.sv.settings.read().miles


async def test_a_tab_opens_while_the_screen_is_drawn(bench: Bench) -> None:
    async with field.opened(bench, "/leads") as phone:
        bar = phone.all_of(ft.NavigationBar)[0]
        assert isinstance(bar, ft.NavigationBar)
        other = 1 if bar.selected_index == 0 else 0

        await tap(phone, bar, "selected_index", other, beside(lambda: bench.lead(name="Zed Zuber")))

        assert phone.route != "/leads"
