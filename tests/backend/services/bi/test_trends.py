"""The points of the sparklines: one for each part of the timeframe, dated, and null where nothing is known."""

from __future__ import annotations

import random
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import pytest

from backend.deps import Deps
from backend.services.bi import dashboard
from backend.storage.warehouse.offices import Office
from backend.storage.warehouse.scope import writing
from tests.backend.services.bi import filled
from tests.backend.services.bi.filled import NOW, Offices, utc
from tests.fakes import FakeClock

pytestmark = pytest.mark.anyio

LOS_ANGELES, NEW_YORK = filled.ZONES[:2]
WEEK = ["2026-11-16", "2026-11-17", "2026-11-18", "2026-11-19", "2026-11-20", "2026-11-21", "2026-11-22"]
"""At the office in Los Angeles, where it is the evening of the 22nd."""
LEADS = ("active_leads", "hot_leads")
TILES = {"revenue_pipeline", *LEADS, "ml_response", "bot_success"}


async def _asked(deps: Deps, offices: Offices, timeframe: str, **options: Any) -> dict[str, Any]:
    asked = await dashboard.ask(deps, filled.manager(offices), timeframe=timeframe, **options)
    return await dashboard.answer(deps, asked)


async def _talked(deps: Deps, office: Office, days: Mapping[str, tuple[int, int]]) -> None:
    """Conversations with a reply at noon of these days, and how many of them were qualified."""
    invented = filled.Invented(rng=random.Random(1), now=NOW, offices=[office])
    rows = []
    for day, (count, qualified) in days.items():
        at = utc(f"{day}T20:00")
        placed = {"started_at": at, "replied_at": at, "last_at": at, "date_key": int(day.replace("-", ""))}
        for n in range(count):
            rows.append(invented.talk() | placed | {"qualified_at": at if n < qualified else None})
    await filled.store(deps, "fact_bot_conversations", rows)


async def _scored(deps: Deps, office: Office, *moments: datetime) -> None:
    invented = filled.Invented(rng=random.Random(2), now=NOW, offices=[office])
    rows = [
        invented.bot()
        | {"event_type": "scored", "processing_us": 20_000, "occurred_at": at, "received_at": at}
        | {"date_key": filled.key_of(at, office.zone)}
        for at in moments
    ]
    await filled.store(deps, "fact_bot_performance", rows)


async def _pictured(deps: Deps, office: Office, pictures: Mapping[datetime, int]) -> None:
    """So many active leads at these hours, one of them hot; and a lead, so that there are some now."""
    async with writing(deps.bi) as connection:
        await connection.executemany(
            "INSERT INTO kpi_snapshots (location_id, name, at, value) VALUES ($1, $2, $3, $4)",
            [
                (office.id, name, at, float(value))
                for at, count in pictures.items()
                for name, value in zip(LEADS, (count, 1), strict=True)
            ],
        )
    lead = filled.Invented(rng=random.Random(office.key), now=NOW, offices=[office]).lead()
    active = {"stage": "new", "temperature": "hot", "opted_out": False, "last_contact_at": NOW}
    await filled.store(deps, "dim_lead", [lead | active])


async def _opened(deps: Deps, office: Office, at: datetime, cents: int) -> None:
    """A deal at contract, known from this moment on."""
    line = filled.Invented(rng=random.Random(4), now=NOW, offices=[office]).line()
    placed = {"occurred_at": at, "received_at": at, "date_key": filled.key_of(at, office.zone)}
    await filled.store(
        deps, "fact_commission_events", [line | placed | {"stage": "contract", "company_cents": cents}]
    )


async def test_a_week_with_a_hole_keeps_it_and_says_which_day_each_point_is(deps: Deps) -> None:
    (office,) = offices = await filled.open_offices(deps, [LOS_ANGELES])
    await _talked(deps, office, {"2026-11-16": (4, 1), "2026-11-17": (2, 1), "2026-11-20": (1, 0)})
    await _scored(deps, office, utc("2026-11-18T20:00"), utc("2026-11-23T02:00"))

    answer = await _asked(deps, offices, "7d")

    assert answer["trend_points"] == WEEK
    assert answer["trends"]["bot_success"] == [0.25, 0.5, None, None, 0.0, None, None]
    known = [value is not None for value in answer["trends"]["ml_response"]]
    assert known == [False, False, True, False, False, False, True]


async def test_a_day_goes_by_hours_of_the_clock_in_utc(deps: Deps) -> None:
    (office,) = offices = await filled.open_offices(deps, [LOS_ANGELES])
    await _scored(deps, office, NOW - timedelta(hours=22), NOW - timedelta(hours=3), NOW)

    answer = await _asked(deps, offices, "24h")

    begins = answer["trend_points"]
    assert (begins[0], begins[-1]) == ("2026-11-22T06:00:00+00:00", "2026-11-23T05:00:00+00:00")
    known = [at for at, value in zip(begins, answer["trends"]["ml_response"], strict=True) if value]
    assert known == [
        "2026-11-22T07:00:00+00:00",
        "2026-11-23T02:00:00+00:00",
        "2026-11-23T05:00:00+00:00",
    ]
    assert answer["trends"]["bot_success"] == []


async def test_every_trend_has_one_entry_for_each_point(deps: Deps) -> None:
    offices = await filled.open_offices(deps)
    invented = filled.Invented(rng=random.Random(7), now=NOW, offices=offices)
    await filled.fill(deps, invented, 100)
    await filled.store(deps, "dim_lead", [invented.lead() for _ in range(60)])

    for timeframe, count in (("24h", 24), ("7d", 7), ("30d", 30), ("90d", 18), ("1y", 12)):
        answer = await _asked(deps, offices, timeframe)

        begins = [datetime.fromisoformat(begin) for begin in answer["trend_points"]]
        assert (len(begins), begins) == (count, sorted(set(begins)))
        assert {name: len(points) for name, points in answer["trends"].items()} == dict.fromkeys(TILES, count)
        for name in ("revenue_pipeline", *LEADS):  # what stands ends at its tile's figure
            assert answer["trends"][name][-1] == answer["metrics"][name]["value"]


async def test_without_anything_there_are_points_and_no_trend(deps: Deps) -> None:
    offices = await filled.open_offices(deps, [LOS_ANGELES])

    empty = await _asked(deps, offices, "7d")
    nowhere = await _asked(deps, (), "7d")

    assert (empty["trends"], empty["trend_points"]) == ({name: [] for name in TILES}, WEEK)
    assert nowhere["trend_points"] == []


async def test_leads_stand_as_last_pictured_within_each_day_at_the_office(deps: Deps) -> None:
    (office,) = offices = await filled.open_offices(deps, [LOS_ANGELES])
    pictures = {
        utc("2026-11-18T08:00"): 5,  # midnight: that day's
        utc("2026-11-19T07:00"): 7,  # its last hour
        utc("2026-11-19T08:00"): 9,
        utc("2026-11-22T12:00"): 11,
    }
    await _pictured(deps, office, pictures)

    answer = await _asked(deps, offices, "7d")

    assert answer["trends"]["active_leads"] == [None, None, 7, 9, None, None, 1]
    assert answer["trends"]["hot_leads"] == [None, None, 1, 1, None, None, 1]


async def test_of_an_hour_one_or_two_missed_pictures_make_no_gap(deps: Deps) -> None:
    (office,) = offices = await filled.open_offices(deps, [LOS_ANGELES])
    await _pictured(deps, office, {utc("2026-11-22T20:00"): 5, utc("2026-11-23T02:00"): 7})

    answer = await _asked(deps, offices, "24h")

    drawn = dict(zip(answer["trend_points"], answer["trends"]["active_leads"], strict=True))
    hours = ("22T19", "22T20", "22T21", "22T22", "22T23", "23T01", "23T02", "23T04", "23T05")
    assert [drawn[f"2026-11-{hour}:00:00+00:00"] for hour in hours] == [None, 5, 5, 5, None, None, 7, 7, 1]


async def test_a_point_of_several_offices_is_known_only_where_all_that_had_leads_are_pictured(
    deps: Deps,
) -> None:
    offices = await filled.open_offices(deps, [LOS_ANGELES, NEW_YORK])
    west, east = sorted(offices, key=lambda office: office.zone.key)
    await _pictured(deps, west, {utc("2026-11-18T20:00"): 3, utc("2026-11-20T06:00"): 4})
    # the 20th at 06:00 UTC is the 19th in the west, and the 20th already in the east
    await _pictured(deps, east, {utc("2026-11-20T06:00"): 10})

    answer = await _asked(deps, offices, "7d")

    drawn = dict(zip(answer["trend_points"], answer["trends"]["active_leads"], strict=True))
    assert drawn["2026-11-18"] == 3  # the east had none yet
    assert drawn["2026-11-19"] == 4
    assert drawn["2026-11-20"] is None  # of the west nothing was kept
    assert drawn["2026-11-23"] == answer["metrics"]["active_leads"]["value"] == 2


async def test_the_pipeline_is_unknown_before_the_first_deal_was_heard_of(deps: Deps) -> None:
    (office,) = offices = await filled.open_offices(deps, [LOS_ANGELES])
    await _opened(deps, office, utc("2026-11-20T20:00"), 1_000)
    await _opened(deps, office, utc("2026-11-22T20:00"), 500)

    week = (await _asked(deps, offices, "7d"))["trends"]["revenue_pipeline"]

    assert week[:4] == [None] * 4
    assert None not in week[4:]
    assert 0 < week[4] == week[5] < week[6]


async def test_the_hours_before_the_first_deals_day_are_unknown_too(deps: Deps, clock: FakeClock) -> None:
    (office,) = offices = await filled.open_offices(deps, [LOS_ANGELES])
    await _opened(deps, office, utc("2026-11-22T20:00"), 500)

    answer = await _asked(deps, offices, "24h")

    drawn = dict(zip(answer["trend_points"], answer["trends"]["revenue_pipeline"], strict=True))
    hours = ("22T07", "22T08", "22T19", "22T20", "23T05")  # the office's day begins at 08:00
    value = answer["metrics"]["revenue_pipeline"]["value"]
    assert [drawn[f"2026-11-{hour}:00:00+00:00"] for hour in hours] == [None, 0, 0, value, value]
