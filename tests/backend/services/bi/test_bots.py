"""The bots' figures against plain counts of the facts, for any timeframe; bots without data; bots of other offices."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from backend.deps import Deps
from backend.services.bi import performance
from backend.storage.warehouse.offices import Office
from backend.storage.warehouse.scope import writing
from domain import kpis
from tests.backend.services.bi import filled, planted
from tests.backend.services.bi.planted import BUYER, LEAD, NOW, SELLER

pytestmark = pytest.mark.anyio

COUNTS = ("conversations", "qualified", "bot_events", "handoffs")


async def _bots(
    deps: Deps, offices: Sequence[Office], timeframe: str, *, whole: bool = True
) -> dict[str, Any]:
    answer = await performance.answer(deps, planted.asked(offices, timeframe, whole=whole))
    found: dict[str, Any] = answer["bot_metrics"]
    return found


async def _some(deps: Deps, offices: Sequence[Office], seed: int) -> None:
    rng = random.Random(seed)
    await filled.fill(deps, filled.Invented(rng=rng, now=NOW, offices=offices), 500)


@pytest.mark.parametrize("timeframe", ["24h", "7d", "30d", "90d"])
async def test_counts_and_comparisons_equal_a_plain_count(deps: Deps, timeframe: str) -> None:
    offices = await filled.open_offices(deps)
    await _some(deps, offices, 7)

    bots = await _bots(deps, offices, timeframe)

    now = [await filled.counts(deps, COUNTS, one, timeframe, NOW) for one in offices]
    then = [await filled.counts(deps, COUNTS, one, timeframe, NOW, before=True) for one in offices]
    for name in COUNTS:
        expected = sum(one[name] for one in now)
        before = sum(one[name] for one in then)
        figures = [bot["metrics"][name] for bot in bots.values()]
        assert sum(figure["value"] or 0 for figure in figures) == expected
        compared = [figure["comparison"]["previous"] for figure in figures if figure["comparison"]]
        assert sum(compared) <= before
        assert expected
    assert bots["intent-decoder"]["note"] == "no data yet"


async def test_whole_and_offices_add_up(deps: Deps) -> None:
    offices = await filled.open_offices(deps)
    await _some(deps, offices, 8)

    whole = await _bots(deps, offices, "30d")
    apart = [await _bots(deps, [office], "30d", whole=False) for office in offices]

    for bot_id, bot in whole.items():
        for name in COUNTS:
            parts = [one[bot_id]["metrics"][name]["value"] or 0 for one in apart if bot_id in one]
            assert (bot["metrics"][name]["value"] or 0) == sum(parts)


async def test_success_has_its_interval_tier_and_comparison(deps: Deps) -> None:
    (office,) = await filled.open_offices(deps, ["America/Los_Angeles"])
    hour = timedelta(hours=1)
    now = [planted.talk(office, NOW - hour, SELLER, qualified_at=NOW if n < 4 else None) for n in range(40)]
    before = [
        planted.talk(office, NOW - 25 * hour, SELLER, qualified_at=NOW if n < 5 else None) for n in range(10)
    ]
    await filled.store(deps, "fact_bot_conversations", now + before)

    seller = (await _bots(deps, [office], "24h"))["jorge-seller"]
    success = seller["metrics"]["bot_success"]

    interval = kpis.wilson(4, 40)
    assert interval
    assert (success["value"], success["n"], success["tier"]) == (0.1, 40, "off_track")
    assert success["interval"] == [interval.low, interval.high]
    assert success["comparison"]["previous"] == 0.5
    assert success["comparison"]["change"] == pytest.approx(-0.8)
    assert success["comparison"]["n"] == 10
    assert len(success["trend"]) == 24
    assert [value for value in success["trend"] if value is not None] == [0.1]
    assert seller["performance_tiers"]["bot_success"] == "off_track"


@pytest.mark.parametrize(("timeframe", "count"), [("7d", 7), ("30d", 30), ("90d", 18)])
async def test_a_trend_has_every_point_and_keeps_its_gaps(deps: Deps, timeframe: str, count: int) -> None:
    (office,) = await filled.open_offices(deps, ["America/Los_Angeles"])
    day = timedelta(days=1)
    rows = [planted.event(office, NOW - 6 * day, SELLER, "scored", processing_us=2_000)]
    rows += [planted.event(office, NOW, SELLER, "scored", processing_us=4_000) for _ in range(3)]
    await filled.store(deps, "fact_bot_performance", rows)

    metrics = (await _bots(deps, [office], timeframe))["jorge-seller"]["metrics"]

    known = {n: value for n, value in enumerate(metrics["bot_events"]["trend"]) if value is not None}
    assert len(metrics["bot_events"]["trend"]) == count
    assert known == {count - 1 - {"7d": 6, "30d": 6, "90d": 1}[timeframe]: 1, count - 1: 3}
    assert [value is None for value in metrics["ml_response"]["trend"]].count(False) == 2
    assert metrics["bot_success"]["trend"] == []


async def test_latencies_are_right_to_one_percent(deps: Deps) -> None:
    (office,) = await filled.open_offices(deps, ["America/Los_Angeles"])
    rng = random.Random(4)
    times = [int(rng.lognormvariate(10, 1)) for _ in range(2_000)]
    rows = [
        planted.event(office, NOW - timedelta(minutes=n % 900), BUYER, "scored", processing_us=us)
        for n, us in enumerate(times)
    ]
    await planted.store(deps, rows)

    figure = (await _bots(deps, [office], "24h"))["jorge-buyer"]["metrics"]["ml_response"]

    ordered = sorted(times)
    for share, name in ((0.5, "p50_ms"), (0.95, "p95_ms")):
        exact = ordered[math.ceil(share * len(ordered)) - 1] / 1000
        assert figure["parts"][name] == pytest.approx(exact, rel=0.011)
    assert figure["value"] == figure["parts"]["p95_ms"]
    assert (figure["n"], figure["parts"]["target_ms"]) == (2_000, 50.0)


async def test_our_four_bots_are_shown_before_they_did_anything(deps: Deps) -> None:
    (office,) = await filled.open_offices(deps, ["America/Los_Angeles"])

    bots = await _bots(deps, [office], "7d")

    assert list(bots) == list(planted.NAMES.values())
    for bot in bots.values():
        assert bot["note"] == "no data yet"
        for figure in bot["metrics"].values():
            assert (figure["value"], figure["comparison"], figure["tier"]) == (None, None, None)
            assert figure["note"] == "no data yet"


async def test_a_bot_that_only_another_office_has_is_not_even_named(deps: Deps) -> None:
    here, there = await filled.open_offices(deps, ["America/Los_Angeles", "America/New_York"])
    async with writing(deps.pool) as connection:
        key = await connection.fetchval(
            "INSERT INTO dim_bot (bot_id, name) VALUES ('secret-bot', 'Secret') RETURNING bot_key"
        )
    await planted.store(deps, [planted.event(there, NOW - timedelta(hours=2), key)])
    await planted.store(deps, [planted.event(here, NOW - timedelta(hours=2), LEAD)])

    assert "secret-bot" in await _bots(deps, [there], "24h", whole=False)
    assert list(await _bots(deps, [here], "24h", whole=False)) == list(planted.NAMES.values())
