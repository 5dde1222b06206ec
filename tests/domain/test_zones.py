"""Zones by state, ZIP code and area code."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest

from domain import zones


def test_every_zone_exists() -> None:
    for found in [*zones.STATE_ZONES.values(), *map(zones.of_area_code, zones.AREA_STATES)]:
        for zone in found:
            assert ZoneInfo(zone).key == zone


def test_every_state_and_every_area_code_is_there_once() -> None:
    assert len(zones.STATE_ZONES) == 56
    assert set(zones.AREA_STATES.values()) == set(zones.STATE_ZONES)
    assert sum(len(codes.split()) for codes in zones._CODES.values()) == len(zones.AREA_STATES) > 330


@pytest.mark.parametrize(
    ("state", "zip_code", "expected"),
    [
        ("WA", None, (zones.PACIFIC,)),
        ("tx", "78701", (zones.CENTRAL,)),
        ("TX", "79901", (zones.MOUNTAIN,)),
        ("TX", None, (zones.CENTRAL, zones.MOUNTAIN)),
        ("FL", "33101", (zones.EASTERN,)),
        ("FL", "32501", (zones.CENTRAL,)),
        ("FL", "32401", (zones.EASTERN, zones.CENTRAL)),
        ("IN", "46402", (zones.CENTRAL,)),
        ("TN", "37902", (zones.EASTERN,)),
        ("ID", "83814", (zones.PACIFIC,)),
        ("ZZ", None, ()),
        (None, "98101", ()),
    ],
)
def test_zone_of_an_address(state: str | None, zip_code: str | None, expected: tuple[str, ...]) -> None:
    assert zones.of_state(state, zip_code) == expected


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("512", (zones.CENTRAL,)),
        ("915", (zones.MOUNTAIN,)),
        ("206", (zones.PACIFIC,)),
        ("850", (zones.EASTERN, zones.CENTRAL)),
        ("000", ()),
        (None, ()),
    ],
)
def test_zone_of_an_area_code(code: str | None, expected: tuple[str, ...]) -> None:
    assert zones.of_area_code(code) == expected
