"""Anomalies: planted stops and bursts are found, chance is not, and what can't be judged is said."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.deps import Deps
from backend.jobs import anomalies as job
from backend.services.bi import alerts, anomalies, baselines, unusual
from backend.services.bi.anomalies import AnomalyQuestion
from backend.services.bi.unusual import TRIED_WEEKS, WEEKS, Grid
from backend.storage.warehouse import alerts as store
from backend.storage.warehouse.offices import Office
from backend.storage.warehouse.scope import writing
from tests.backend.services.bi import filled, planted
from tests.backend.services.bi.planted import NOW

pytestmark = pytest.mark.anyio

HOUR = timedelta(hours=1)
ROWS = WEEKS + TRIED_WEEKS + 1


def _grid(seed: int = 0, mean: float = 40.0) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Weeks of pure chance about a daily rhythm."""
    rhythm = mean * (1.2 + np.sin(np.arange(168) * np.pi / 12))
    return np.random.default_rng(seed).poisson(rhythm, (ROWS, 168)).astype(float)


def _judged(
    counts: np.ndarray[Any, Any], timeframe: str = "24h", sensitivity: float = 0.5
) -> unusual.Verdict:
    return unusual.judged({"messages": Grid(counts=counts, names={})}, timeframe, sensitivity)


def test_a_planted_stop_and_burst_are_found_as_one_episode_each() -> None:
    counts = _grid()
    counts[-1, -10:-7] = 0.0
    counts[-1, -3] *= 4

    stop, burst = sorted(_judged(counts).episodes, key=lambda episode: episode.first)

    assert (stop.last - stop.first + 1, stop.observed) == (3, 0)
    assert stop.score < -4
    assert stop.low <= stop.expected <= stop.high
    assert burst.last == burst.first
    assert burst.score > 4


def test_what_lies_before_the_timeframe_is_not_told() -> None:
    counts = _grid()
    counts[-1, -30] = 9_999.0

    assert not _judged(counts, "24h").episodes
    assert _judged(counts, "7d").episodes


def test_the_measured_rate_of_false_alarms_is_that_of_its_own_past() -> None:
    counts = _grid(seed=3)
    for sensitivity in (0.2, 0.6, 1.0):
        (metric,) = _judged(counts, "7d", sensitivity).metrics
        rate = metric["false_alarms"]
        limit = baselines.threshold(sensitivity)
        scores = unusual.scored(counts, limit).score[:-1]
        tried = scores[~np.isnan(scores)][-TRIED_WEEKS * 168 :]
        assert rate["n"] == len(tried)
        assert rate["rate"] == np.mean(np.abs(tried) >= limit)
        assert rate["interval"][0] <= rate["rate"] <= rate["interval"][1]
    assert rate["rate"] < 0.1


@settings(max_examples=25)
@given(st.floats(0.1, 1), st.floats(0.1, 1), st.integers(0, 20))
def test_more_sensitivity_finds_at_least_as_much(one: float, other: float, seed: int) -> None:
    low, high = sorted((one, other))
    counts = _grid(seed, mean=6.0)

    def slots(sensitivity: float) -> int:
        return sum(e.last - e.first + 1 for e in _judged(counts, "7d", sensitivity).episodes)

    assert slots(low) <= slots(high)


def test_too_few_weeks_are_said_to_be_too_few() -> None:
    counts = np.full((ROWS, 168), np.nan)
    counts[-4:] = 5.0

    verdict = _judged(counts)

    assert not verdict.episodes
    assert verdict.short == ({"metric": "messages", "weeks": 4, "needed": 5},)


def test_small_counts_say_that_a_stop_could_not_be_seen() -> None:
    (small,) = _judged(_grid(mean=1.0)).metrics
    (large,) = _judged(_grid(mean=400.0)).metrics

    assert small["smallest_visible_drop"] is None
    assert "could not be told" in small["note"]
    assert 0.1 < large["smallest_visible_drop"] < 0.5


def _asked(
    offices: list[Office], timeframe: str, *, whole: bool = True, sensitivity: float = 0.5
) -> AnomalyQuestion:
    base = planted.asked(offices, timeframe, whole=whole)
    return AnomalyQuestion(
        scope=base.scope, offices=base.offices, timeframe=timeframe, sensitivity=sensitivity
    )


async def _weeks(deps: Deps, office: Office, *, but: timedelta = timedelta(), bot: int = 1) -> None:
    """Six an hour for twelve weeks, but none in the last hours (`but`)."""
    until = NOW.replace(minute=0) - but
    rows = [
        planted.event(office, until - n * HOUR + timedelta(minutes=5), bot)
        for n in range(1, 12 * 168)
        for _ in range(9)
    ]
    await planted.store(deps, rows)


async def test_an_outage_of_an_office_is_found_explained_and_told(deps: Deps) -> None:
    here, there = await filled.open_offices(deps, ["America/Los_Angeles", "America/New_York"])
    await _weeks(deps, here, but=3 * HOUR)
    await _weeks(deps, there)

    answer = await anomalies.answer(deps, _asked([here], "24h", whole=False))

    (found,) = [one for one in answer["anomalies"] if one["metric"] == "bot_events"]
    assert (found["direction"], found["observed"], found["slots"]) == ("down", 0, 3)
    assert found["band"][0] <= found["expected"] == 27 <= found["band"][1]
    assert found["from"] == (NOW.replace(minute=0) - 3 * HOUR).isoformat()
    assert found["context"][0] == {
        "dimension": "bot",
        "value": "jorge-seller",
        "observed": 0,
        "usual": 27.0,
        "difference": -27.0,
    }
    whole = await anomalies.answer(deps, _asked([here, there], "24h", sensitivity=1))
    assert {"dimension": "location", "value": here.id} in [
        {name: part[name] for name in ("dimension", "value")}
        for one in whole["anomalies"]
        for part in one["context"]
    ]
    assert (await anomalies.answer(deps, _asked([there], "24h", whole=False)))["anomalies"] == []

    await job.once(deps)

    async with writing(deps.pool) as connection:
        (alert,) = await store.still_open(connection, [job.RULE])
    assert (alert.subject, alert.location_key, alert.n) == ("bot_events", here.key, 3)
    assert alert.evidence["false_alarms"]["n"] > 0
    assert alerts.public(alert, {here.key: here.id})["context"]["metric"] == "bot_events"


async def test_days_are_held_against_the_same_weekday(deps: Deps) -> None:
    (office,) = await filled.open_offices(deps, ["America/Los_Angeles"])
    bad = NOW - timedelta(days=3)
    rows = [
        planted.event(office, NOW - timedelta(days=day, minutes=minute))
        for day in range(1, 120)
        for minute in range(20 if (NOW - timedelta(days=day)).isoweekday() < 6 else 2)
        if day != 3 or minute < 2
    ]
    await planted.store(deps, rows)

    answer = await anomalies.answer(deps, _asked([office], "30d"))

    found = [one for one in answer["anomalies"] if one["metric"] == "bot_events"]
    assert [(one["from"], one["direction"], one["observed"]) for one in found] == [
        (bad.date().isoformat(), "down", 2)
    ]
    assert answer["grain"] == "day"
    assert found[0]["n"] == WEEKS
