"""Whom to see next from here."""

from __future__ import annotations

import time

import pytest
from geopy import distance

from domain import errors, ids, ports, tables, values
from storage import rows
from tests.services.conftest import HOME, LOCATION, OTHER, Bench, in_days

HERE = ports.Position(lat=HOME[0], lon=HOME[1])


def test_a_near_lead_ranks_before_a_far_one_of_the_same_score(bench: Bench) -> None:
    bench.lead(name="Far", km_north=6)
    bench.lead(name="Near", km_north=1)

    found = bench.sv.nearby.ranked(HERE, radius_km=10)

    assert [item.name for item in found.items] == ["Near", "Far"]
    assert found.items[0].km == pytest.approx(1.0, rel=0.01)


def test_the_three_bars_sum_to_what_is_missing(bench: Bench) -> None:
    bench.lead(km_north=2)

    item = bench.sv.nearby.ranked(HERE, radius_km=10).items[0]

    assert item.rank + sum(bar.lost for bar in item.bars) == pytest.approx(100)


def test_a_due_answer_presses_and_says_so(bench: Bench) -> None:
    bench.lead(name="Calm", km_north=1)
    bench.lead(name="Late", km_north=1, answer_due_at=values.time_text(in_days(bench, -0.1)))

    first = bench.sv.nearby.ranked(HERE, radius_km=10).items[0]

    assert first.name == "Late"
    assert "overdue" in first.reasons[0]
    assert first.answer_minutes_left == pytest.approx(-144)


def test_leads_just_outside_are_counted_and_nobody_inside_shows_the_nearest(bench: Bench) -> None:
    for km in (6, 7, 30, 40):
        bench.lead(name=f"{km} km", km_north=km)

    found = bench.sv.nearby.ranked(HERE, radius_km=5)

    assert (found.within, found.beyond) == (0, 2)
    assert [item.name for item in found.nearest] == ["6 km", "7 km", "30 km"]


def test_hot_filter_and_only_mine_leave_the_others_out(bench: Bench) -> None:
    bench.lead(name="Hot", temperature="hot")
    bench.lead(name="Warm")
    bench.lead(name="Theirs", temperature="hot", agent_id=OTHER)

    mine = bench.sv.nearby.ranked(HERE, radius_km=5, hot_only=True)
    everybody = bench.sv.nearby.ranked(HERE, radius_km=5, hot_only=True, only_mine=False)

    assert [item.name for item in mine.items] == ["Hot"]
    assert {item.name for item in everybody.items} == {"Hot", "Theirs"}


def test_who_opted_out_or_is_lost_is_not_ranked(bench: Bench) -> None:
    bench.lead(opted_out=True)
    bench.lead(stage="lost")

    assert bench.sv.nearby.ranked(HERE, radius_km=5).items == ()


def test_without_a_place_urgency_and_score_decide(bench: Bench) -> None:
    bench.lead(name="Low", score=20.0, lat=None, lon=None)
    bench.lead(name="High", score=90.0)

    found = bench.sv.nearby.by_urgency()

    assert [item.name for item in found.items] == ["High", "Low"]
    assert found.items[0].km is None
    assert found.unplaced == 1


def test_an_unknown_score_counts_as_neutral(bench: Bench) -> None:
    bench.lead(name="Unknown", score=None)
    bench.lead(name="Worse", score=40.0)

    assert [item.name for item in bench.sv.nearby.ranked(HERE, radius_km=5).items] == ["Unknown", "Worse"]


def test_a_radius_of_zero_is_refused_with_a_hint(bench: Bench) -> None:
    with pytest.raises(errors.InputError, match="radius"):
        bench.sv.nearby.ranked(HERE, radius_km=0)


def test_sales_around_come_nearest_first_with_their_median(bench: Bench) -> None:
    for km, price in ((3, 300), (1, 100), (2, 200), (50, 900)):
        bench.server("properties", ids.new_id(), sale(km, price))

    found = bench.sv.nearby.sales(HERE, radius_km=10, limit=2)

    assert [item.price_cents for item in found.items] == [100, 200]
    assert (found.within, found.median_price_cents) == (3, 200)


def test_two_thousand_leads_are_ranked_within_a_blink(bench: Bench) -> None:
    with bench.db.write_tx() as tx:
        for number in range(2000):
            row = {
                "location_id": LOCATION,
                "created_at": values.time_text(bench.clock.now()),
                "agent_id": bench.sv.user.id,
                "kind": "seller",
                "name": f"Lead {number}",
                "stage": "new",
                "state": "TX",
                "zip": f"787{number % 60:02d}",
                "lat": HOME[0] + (number % 50) / 1000,
                "lon": HOME[1] + (number // 50) / 1000,
                "score": float(number % 100),
                "answer_due_at": values.time_text(in_days(bench, number % 5)),
            }
            rows.write(tx, tables.LEADS, ids.new_id(), 1, row)

    started = time.perf_counter()
    found = bench.sv.nearby.ranked(HERE, radius_km=8)

    assert found.within > 1500
    assert time.perf_counter() - started < 1.0


def sale(km_north: float, price_cents: int) -> dict[str, object]:
    return {
        "status": "sold",
        "address": f"{km_north} Main St",
        "price_cents": price_cents,
        "price_on": "2026-05-01",
        "lat": HOME[0] + km_north / 111.2,
        "lon": HOME[1],
    }


def test_the_edge_of_the_radius_is_the_ellipsoids(bench: Bench) -> None:
    for bearing, km in ((0, 9.99), (0, 10.01), (90, 9.99), (90, 10.01)):
        at = distance.geodesic(kilometers=km).destination(HOME, bearing)
        sold = {"status": "sold", "price_cents": 100, "lat": at.latitude, "lon": at.longitude}
        bench.server("properties", ids.new_id(), sold)
        bench.lead(lat=at.latitude, lon=at.longitude)

    assert bench.sv.nearby.sales(HERE, radius_km=10).within == 2
    assert bench.sv.nearby.ranked(HERE, radius_km=10).within == 2
