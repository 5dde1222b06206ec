"""Hand-offs held against the rules: planted cases one by one, and random ones against a plain count."""

from __future__ import annotations

import random
from collections import Counter
from datetime import datetime, timedelta
from typing import Any

import pytest

from backend.deps import Deps
from backend.services.bi import performance
from backend.storage.warehouse.offices import Office
from tests.backend.services.bi import filled, planted
from tests.backend.services.bi.planted import BUYER, INTENT, LEAD, MINUTE, NOW, SELLER, handoff

pytestmark = pytest.mark.anyio

HOUR = timedelta(hours=1)


async def _told(deps: Deps, *offices: Any, timeframe: str = "7d", whole: bool = True) -> dict[str, Any]:
    answer = await performance.answer(deps, planted.asked(offices, timeframe, whole=whole))
    found: dict[str, Any] = answer["coordination_metrics"]
    return found


def _broken(told: dict[str, Any]) -> dict[str, int]:
    return {name: rule["value"] for name, rule in told["rules"].items()}


async def test_who_hands_over_to_whom_is_a_matrix_with_shares(deps: Deps) -> None:
    (office,) = await filled.open_offices(deps, ["America/Los_Angeles"])
    rows = [handoff(office, NOW - n * HOUR, LEAD, SELLER, n) for n in range(1, 4)]
    rows.append(handoff(office, NOW - 5 * HOUR, LEAD, BUYER, 9, confidence_bp=5_000))
    await planted.store(deps, rows)

    told = await _told(deps, office)

    assert told["n"] == 4
    first, second = told["flow"]
    assert (first["from"], first["to"], first["n"], first["share"]) == ("lead-bot", "jorge-seller", 3, 0.75)
    assert (second["to"], second["mean_confidence"], second["below_confidence"]) == ("jorge-buyer", 0.5, 1)
    axis = told["bots"]
    assert axis == list(planted.NAMES.values())
    assert told["matrix"][axis.index("lead-bot")][axis.index("jorge-seller")] == 3
    assert sum(map(sum, told["matrix"])) == 4


async def test_a_lead_that_comes_back_within_half_an_hour_is_ping_pong(deps: Deps) -> None:
    (office,) = await filled.open_offices(deps, ["America/Los_Angeles"])
    at = NOW - 10 * HOUR
    await planted.store(
        deps,
        [
            handoff(office, at, LEAD, SELLER, 1),
            handoff(office, at + 30 * MINUTE, SELLER, LEAD, 1),  # back at the limit
            handoff(office, at, LEAD, SELLER, 2),
            handoff(office, at + 31 * MINUTE, SELLER, LEAD, 2),  # too late to be ping-pong
            handoff(office, at, LEAD, SELLER, 3),
            handoff(office, at + 10 * MINUTE, SELLER, INTENT, 3),
            handoff(office, at + 20 * MINUTE, INTENT, LEAD, 3),  # back by a detour
            handoff(office, at, LEAD, SELLER, 4),
            handoff(office, at + MINUTE, SELLER, LEAD, 5),  # another lead
        ],
    )

    rule = (await _told(deps, office))["rules"]["ping_pong"]

    assert rule["value"] == 2
    assert rule["units"] == 2
    assert {example["lead_id"] for example in rule["examples"]} == {planted.uid(1), planted.uid(3)}
    assert rule["examples"][0].keys() >= {"event_id", "occurred_at", "from", "to", "conversation_id"}
    low, high = rule["interval"]
    assert rule["share"] == pytest.approx(2 / 9)
    assert low < rule["share"] < high


async def test_the_fourth_within_an_hour_and_the_eleventh_within_a_day_break_a_limit(deps: Deps) -> None:
    (office,) = await filled.open_offices(deps, ["America/Los_Angeles"])
    at = NOW - 30 * HOUR
    bots = [SELLER, BUYER, LEAD, INTENT]
    hourly = [handoff(office, at + n * 19 * MINUTE, bots[n], bots[(n + 1) % 4], 1) for n in range(4)]
    daily = [handoff(office, at + n * 2 * HOUR, bots[n % 4], bots[(n + 1) % 4], 2) for n in range(11)]
    no_lead = [
        handoff(office, at + n * MINUTE, bots[n], bots[(n + 1) % 4], None, conversation_id=planted.uid(7))
        for n in range(4)
    ]
    await planted.store(deps, [*hourly, *daily, *no_lead])

    told = await _told(deps, office)

    assert told["rules"]["over_hourly_limit"]["value"] == 2  # the lead's, and the conversation's without one
    assert told["rules"]["over_hourly_limit"]["examples"][0]["within_hour"] == 4
    assert told["rules"]["over_daily_limit"]["value"] == 1
    assert told["rules"]["over_daily_limit"]["examples"][0]["lead_id"] == planted.uid(2)


async def test_the_day_before_a_timeframe_counts_towards_its_limits_but_is_not_counted(deps: Deps) -> None:
    (office,) = await filled.open_offices(deps, ["America/Los_Angeles"])
    edge = NOW - timedelta(hours=24)
    await planted.store(
        deps, [handoff(office, edge + (n - 3) * MINUTE, SELLER + n % 2, BUYER - n % 2, 1) for n in range(4)]
    )

    told = await _told(deps, office, timeframe="24h")

    assert told["n"] == 1
    assert _broken(told)["over_hourly_limit"] == 1


@pytest.mark.parametrize("seed", range(4))
async def test_any_hand_offs_are_judged_as_a_plain_count_does(deps: Deps, seed: int) -> None:
    offices = await filled.open_offices(deps, ["America/Los_Angeles", "Asia/Kolkata"])
    rng = random.Random(seed)
    rows = [_any(rng, rng.choice(offices)) for _ in range(400)]
    await planted.store(deps, rows)

    told = await _told(deps, *offices, timeframe="24h")

    assert _broken(told) == _judged(rows, NOW - timedelta(hours=24))
    flow = Counter(
        (row["bot_key"], row["to_bot_key"]) for row in rows if row["occurred_at"] >= NOW - 24 * HOUR
    )
    assert {(cell["from"], cell["to"]): cell["n"] for cell in told["flow"]} == {
        (planted.NAMES[a], planted.NAMES[b]): n for (a, b), n in flow.items()
    }


def _any(rng: random.Random, office: Office) -> dict[str, Any]:
    giver, taker = rng.sample([SELLER, BUYER, LEAD, INTENT], 2)
    at = NOW - timedelta(minutes=rng.randrange(1, 3 * 24 * 60))
    return handoff(office, at, giver, taker, rng.randrange(4), confidence_bp=rng.choice([None, 6_999, 7_000]))


def _judged(rows: list[dict[str, Any]], start: datetime) -> dict[str, int]:
    counts = Counter({"below_confidence": 0, "ping_pong": 0, "over_hourly_limit": 0, "over_daily_limit": 0})
    for row in rows:
        at = row["occurred_at"]
        if at < start:
            continue
        mine = [other for other in rows if other["lead_id"] == row["lead_id"]]
        counts["below_confidence"] += row["confidence_bp"] is not None and row["confidence_bp"] < 7_000
        counts["ping_pong"] += any(
            other["bot_key"] == row["to_bot_key"] and timedelta() < at - other["occurred_at"] <= 30 * MINUTE
            for other in mine
        )
        for name, length, most in (("hourly", HOUR, 3), ("daily", 24 * HOUR, 10)):
            within = sum(timedelta() <= at - other["occurred_at"] <= length for other in mine)
            counts[f"over_{name}_limit"] += within > most
    return dict(counts)


async def test_another_office_sees_nothing_of_it(deps: Deps) -> None:
    here, there = await filled.open_offices(deps, ["America/Los_Angeles", "America/New_York"])
    at = NOW - HOUR
    await planted.store(
        deps, [handoff(here, at, LEAD, SELLER, 1), handoff(here, at + MINUTE, SELLER, LEAD, 1)]
    )

    told = await _told(deps, there, whole=False)

    assert (told["n"], told["flow"], told["note"]) == (0, [], "no data yet")
    assert all(rule["value"] is None and rule["examples"] == [] for rule in told["rules"].values())
    assert (await _told(deps, here, whole=False))["n"] == 2


async def test_quality_that_falls_day_by_day_has_a_falling_trend(deps: Deps) -> None:
    (office,) = await filled.open_offices(deps, ["America/Los_Angeles"])
    rng = random.Random(5)
    rows = [
        planted.event(
            office,
            NOW - timedelta(days=day, hours=1),
            quality_bp=5_000 + 100 * day + rng.randrange(-200, 200),
        )
        for day in range(1, 29)
        for _ in range(3)
    ]
    await planted.store(deps, rows)

    quality = (await _told(deps, office, timeframe="30d"))["conversation_quality"]

    assert quality["n"] == len(rows)
    assert quality["value"] == pytest.approx(sum(row["quality_bp"] for row in rows) / len(rows) / 10_000)
    days = [point["at"] for point in quality["series"]]
    assert days == sorted(set(days))
    assert days[-1] == "2026-11-19"  # the last day that is over
    assert sum(point["n"] for point in quality["series"]) == len(rows)
    assert quality["trend"]["direction"] == "falling"
    assert quality["trend"]["slope"] == pytest.approx(-0.01, abs=0.002)
    assert quality["trend"]["interval"][1] < 0


async def test_a_handful_of_ratings_has_no_trend(deps: Deps) -> None:
    (office,) = await filled.open_offices(deps, ["America/Los_Angeles"])
    await planted.store(
        deps, [planted.event(office, NOW - timedelta(days=day), quality_bp=5_000) for day in (2, 3)]
    )

    trend = (await _told(deps, office, timeframe="30d"))["conversation_quality"]["trend"]

    assert trend["slope"] is None
    assert trend["note"] == "not enough data: 2 of 5 days with ratings, 2 of 30 ratings"


async def test_conversations_that_nobody_ended_are_unfinished_after_a_day_of_silence(deps: Deps) -> None:
    (office,) = await filled.open_offices(deps, ["America/Los_Angeles"])
    long_ago, today = NOW - timedelta(days=3), NOW - HOUR
    left = planted.talk(office, long_ago, SELLER)
    ended = planted.talk(office, long_ago)
    talks = [
        left,
        ended,
        planted.talk(office, long_ago, qualified_at=long_ago),
        planted.talk(office, long_ago, last_at=today),
        planted.talk(office, long_ago, replied_at=None, date_key=None),
    ]
    await filled.store(deps, "fact_bot_conversations", talks)
    await planted.store(
        deps,
        [planted.event(office, today, LEAD, "conversation_ended", conversation_id=ended["conversation_id"])],
    )

    unfinished = (await _told(deps, office))["unfinished_conversations"]

    assert (unfinished["value"], unfinished["n"]) == (1, 4)
    assert [example["conversation_id"] for example in unfinished["examples"]] == [left["conversation_id"]]
    assert {line["bot_id"]: line["value"] for line in unfinished["by_bot"]} == {
        "jorge-seller": 1,
        "lead-bot": 0,
    }
