"""Distances on the earth."""

from __future__ import annotations

import math

import pytest
from geopy.distance import geodesic
from hypothesis import given
from hypothesis import strategies as st

from domain import geo

lat, lon = st.floats(-80, 80), st.floats(-170, 170)


def test_seattle_to_portland() -> None:
    assert geo.haversine_km(47.61, -122.33, 45.52, -122.68) == pytest.approx(234, abs=1)
    assert geo.miles(47.61, -122.33, 45.52, -122.68) == pytest.approx(145, abs=1)


def test_nowhere_is_no_distance_and_the_other_side_is_half_the_way_round() -> None:
    assert geo.haversine_km(47.6, -122.3, 47.6, -122.3) == 0
    assert geo.haversine_km(0, 0, 0, 180) == pytest.approx(20015, abs=1)


@given(lat, lon, st.floats(0.1, 100), st.floats(-1, 1), st.floats(-1, 1))
def test_the_box_holds_the_circle(y: float, x: float, km: float, dy: float, dx: float) -> None:
    south, north, west, east = geo.around(y, x, km)
    near_y, near_x = y + dy * (north - y), x + dx * (east - x)

    assert south <= y <= north
    if geo.haversine_km(y, x, near_y, near_x) <= km:
        assert south - 1e-9 <= near_y <= north + 1e-9
        assert west - 1e-9 <= near_x <= east + 1e-9


@given(st.floats(-70, 70), lon, st.floats(-150, 150), st.floats(-150, 150))
def test_the_near_distance_is_the_geodesic_within_a_thousandth(
    y: float, x: float, north: float, east: float
) -> None:
    to_y = y + north / 111.2
    to_x = x + east / (111.2 * math.cos(math.radians(y)))

    exact = geodesic((y, x), (to_y, to_x)).km

    if abs(to_y) <= 70:
        assert geo.near_km(y, x, to_y, to_x) == pytest.approx(exact, rel=0.001, abs=1e-6)
