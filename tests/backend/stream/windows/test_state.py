"""The windows say what counting everything anew would say, in whatever order events come, late or twice."""

from __future__ import annotations

import random
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from backend.storage.warehouse.scope import ALL
from backend.stream.windows import rows
from backend.stream.windows.contributions import BOT_MEASURES, PLACE_MEASURES
from backend.stream.windows.spans import DAY, FUTURE, IDLE, LATENESS, SECOND
from backend.stream.windows.state import Windows
from tests.backend.stream.windows import brute, world
from tests.backend.stream.windows.brute import COUNTED


def _measures(windows: Windows) -> dict[tuple[int, str], dict[str, int]]:
    return {key: {name: row["values"][name] for name in COUNTED} for key, row in world.said(windows).items()}


@settings(max_examples=150)
@given(seed=st.integers(0, 2**32), count=st.integers(1, 60), at_once=st.integers(1, 20))
def test_any_order_with_lateness_and_repeats_is_brute_force(seed: int, count: int, at_once: int) -> None:
    rnd = random.Random(seed)
    events = world.some(rnd, count)
    told = events + rnd.sample(events, rnd.randrange(count + 1))
    rnd.shuffle(told)
    windows = world.fresh()

    world.feed(windows, told, at_once=at_once)

    assert _measures(windows) == brute.counted(windows, told)


@settings(max_examples=60)
@given(seed=st.integers(0, 2**32), count=st.integers(1, 40))
def test_while_time_passes_what_falls_out_is_taken_away_exactly(seed: int, count: int) -> None:
    rnd = random.Random(seed)
    told = world.some(rnd, count)
    windows = world.fresh()
    now = world.NOW_US

    world.feed(windows, told, now=now)
    for _ in range(6):
        now += rnd.choice([SECOND, 12 * SECOND, 301 * SECOND, 3_700 * SECOND])
        windows.advance(now)

        expected = brute.counted(windows, told)
        got = _measures(windows)
        for key, row in got.items():
            # A talk or a deal is what it was, also when the news that made it so fell out.
            assert row == expected[key]


@settings(max_examples=60)
@given(seed=st.integers(0, 2**32), count=st.integers(1, 60))
def test_rows_are_changed_exactly_where_they_are_otherwise_than_told_before(seed: int, count: int) -> None:
    rnd = random.Random(seed)
    windows = world.fresh()
    told: dict[tuple[int, str], rows.Row] = {}

    for stream, event in world.some(rnd, count):
        windows.take(stream, [event], world.NOW_US)
        told.update({(row.location, row.window): row for row in rows.changed(windows)})

    whole = world.said(windows)
    for key, row in whole.items():
        if key in told:
            assert (told[key].values, told[key].bots) == (row["values"], row["bots"])
        else:
            assert not any(row["values"][name] for name in COUNTED)


def test_all_together_is_the_sum_of_the_locations_but_for_leads_that_two_know() -> None:
    windows = world.fresh()
    world.feed(windows, world.some(random.Random(5), 300))

    got = _measures(windows)

    for name in (*PLACE_MEASURES, *BOT_MEASURES):
        assert got[ALL, "24h"][name] == sum(got[key, "24h"][name] for key in world.OFFICES.values())
    assert got[ALL, "24h"]["leads"] < sum(got[key, "24h"]["leads"] for key in world.OFFICES.values())


def test_an_event_too_far_in_the_future_is_set_aside() -> None:
    rnd = random.Random(1)
    windows = world.fresh()
    in_time = world.interaction(rnd, occurred_at=world.NOW + timedelta(microseconds=FUTURE))
    too_early = world.interaction(rnd, occurred_at=world.NOW + timedelta(microseconds=FUTURE + 1))

    windows.take("lead_interactions", [in_time, too_early], world.NOW_US)

    assert windows.counters.quarantined == 1
    assert _measures(windows)[ALL, "5m"]["interactions"] == 1


def test_a_late_event_corrects_its_pane_and_one_older_than_a_day_is_only_counted() -> None:
    rnd = random.Random(2)
    windows = world.fresh()
    windows.take("lead_interactions", [world.interaction(rnd, occurred_at=world.NOW)], world.NOW_US)
    late = [
        world.interaction(rnd, occurred_at=world.NOW - timedelta(minutes=30)),
        world.interaction(rnd, occurred_at=world.NOW - timedelta(hours=25)),
    ]

    windows.take("lead_interactions", late, world.NOW_US)

    assert (windows.counters.late, windows.counters.late_events_total) == (1, 1)
    got = _measures(windows)
    assert [got[ALL, name]["interactions"] for name in ("5m", "1h", "24h")] == [1, 2, 2]


def test_when_nothing_comes_the_clock_empties_the_windows() -> None:
    windows = world.fresh()
    windows.take(
        "lead_interactions", [world.interaction(random.Random(3), occurred_at=world.NOW)], world.NOW_US
    )
    assert windows.watermark.at == world.NOW_US - LATENESS

    windows.advance(world.NOW_US + IDLE - 1)
    assert windows.watermark.at == world.NOW_US - LATENESS
    later = world.NOW_US + 400 * SECOND
    windows.advance(later)

    assert windows.watermark.at == later - IDLE - LATENESS
    got = _measures(windows)
    assert [got[ALL, name]["interactions"] for name in ("5m", "1h", "24h")] == [0, 1, 1]
    windows.advance(later + DAY.pane * (DAY.keep + 1))
    assert not any(_measures(windows)[ALL, "24h"].values())


def test_events_of_unknown_offices_are_passed_over() -> None:
    windows = world.fresh()
    windows.locations = {}

    world.feed(windows, world.some(random.Random(4), 20))

    assert windows.counters.skipped == 20
    assert windows.counters.events == 0
