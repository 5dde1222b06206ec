"""Typed addresses without a network."""

from __future__ import annotations

import pytest

from domain import errors, ids
from tests.services.conftest import Bench


def test_a_known_house_is_found_exactly(bench: Bench) -> None:
    bench.server(
        "properties",
        ids.new_id(),
        {"status": "sold", "address": "12 Oak St", "city": "Austin", "lat": 30.1, "lon": -97.2},
    )

    found = bench.sv.places.find("12 oak st, Austin TX")

    assert (found.lat, found.lon, found.accuracy_m) == (30.1, -97.2, None)
    assert found.label == "12 Oak St, Austin"


@pytest.mark.parametrize(
    ("words", "lat", "lon"),
    [
        ("47.61, -122.33", 47.61, -122.33),
        ("47.61 N 122.33 W", 47.61, -122.33),
        ("78704", 30.24, -97.77),
        ("99 Unknown Rd, Austin, TX 78704", 30.24, -97.77),
        ("Austin, TX", 30.29, -97.75),
        ("seattle wa", 47.61, -122.33),
    ],
)
def test_degrees_zip_codes_and_cities_are_found(bench: Bench, words: str, lat: float, lon: float) -> None:
    found = bench.sv.places.find(words)

    assert found.lat == pytest.approx(lat, abs=0.06)
    assert found.lon == pytest.approx(lon, abs=0.06)


@pytest.mark.parametrize("words", ["", "nowhere at all", "99999 99999", "95.1, 200.2", "%", "Xyzzy, TX"])
def test_what_is_no_place_says_what_would_be(bench: Bench, words: str) -> None:
    with pytest.raises(errors.InputError) as refusal:
        bench.sv.places.find(words)

    assert "ZIP code" in refusal.value.hint
