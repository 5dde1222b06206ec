"""The map without tiles: a tap finds its pin, or the place that was meant."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests import screen
from tests.views import stage
from views.parts import plan_map

VIEW = plan_map.Projection(lat=47.61, lon=-122.33, radius=5, size=360)
PIN = plan_map.Pin(id="a", lat=47.63, lon=-122.30, label="Lena", tone="hot", number="82")


@given(st.floats(0, 360), st.floats(0, 360))
def test_pixels_and_degrees_lead_back_to_each_other(x: float, y: float) -> None:
    assert VIEW.to_pixels(*VIEW.to_degrees(x, y)) == pytest.approx((x, y), abs=1e-6)


def test_five_miles_north_is_the_outer_ring() -> None:
    assert VIEW.to_pixels(47.61 + 5 / 69.0, -122.33) == pytest.approx((180, 18))


def test_a_finger_finds_the_nearest_pin_or_none() -> None:
    x, y = VIEW.to_pixels(PIN.lat, PIN.lon)

    assert plan_map.hit([PIN], VIEW, x + 20, y) is PIN
    assert plan_map.hit([PIN], VIEW, x + 30, y) is None


@pytest.mark.parametrize(("radius", "expected"), [(5, (1, 2, 5)), (0.5, (0.25, 0.5)), (0.2, (0.2,))])
def test_rings_are_round(radius: float, expected: tuple[float, ...]) -> None:
    assert plan_map.rings(radius) == expected


@pytest.mark.anyio
async def test_the_map_says_what_is_on_it() -> None:
    def draw() -> object:
        return plan_map.plan_map((47.61, -122.33), 5, [PIN])

    async with screen.drawn(stage.within(stage.app_context(), draw)) as shown:  # type: ignore[arg-type]
        assert shown.sees("Map with 1 places within 5 mi. Lena")
