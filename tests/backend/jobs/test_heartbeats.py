"""Our own parts say each minute how they are, and the bots' page and the alerts hear it."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Mapping
from typing import Any

import pytest

from backend import observe
from backend.deps import Deps
from backend.jobs import heartbeats, scheduler
from backend.services.bi import health
from backend.storage.warehouse.scope import writing
from backend.stream import entries, sink
from tests.serving import LiveServer
from tests.waiting import until

pytestmark = pytest.mark.anyio

WORKING = {"windows_working": 1.0, "windows_watermark_lag_us": 15e6, "windows_behind_us": 0.0}


def _gauged(deps: Deps, **gauges: Mapping[str, float]) -> Deps:
    return dataclasses.replace(deps, gauges={part: _asked(numbers) for part, numbers in gauges.items()})


def _asked(numbers: Mapping[str, float]) -> observe.Gauges:
    return lambda: numbers


async def _said(deps: Deps) -> dict[str, tuple[str, float | None]]:
    return {
        beat.component: (beat.status, beat.value) for beat in await heartbeats.heartbeats(deps, patience=0)
    }


async def test_every_part_is_told_of_with_its_number(deps: Deps) -> None:
    said = await _said(_gauged(deps, feed={"late": 0.0}, sink={"new": 3.0}, windows=WORKING))

    assert {name: status for name, (status, _) in said.items()} == dict.fromkeys(
        ("postgres", "valkey", "api", "sink", "windows"), "ok"
    )
    assert (said["api"][1], said["sink"][1], said["windows"][1]) == (1, 0, 15)


async def test_part_that_no_process_runs_is_down(deps: Deps) -> None:
    said = await _said(_gauged(deps, windows={**WORKING, "windows_working": 0.0}))

    assert [said[name][0] for name in ("api", "sink", "windows")] == ["down"] * 3


@pytest.mark.parametrize("late", ["windows_watermark_lag_us", "windows_behind_us"])
async def test_windows_that_lag_are_degraded(deps: Deps, late: str) -> None:
    said = await _said(_gauged(deps, windows={**WORKING, late: 90e6}))

    assert said["windows"] == ("degraded", 90)


async def test_part_that_starts_a_moment_later_is_not_called_down(deps: Deps) -> None:
    starting = _gauged(deps, feed={"late": 0.0}, windows=WORKING)
    gauges = dict(starting.gauges)
    asked = asyncio.create_task(heartbeats.heartbeats(dataclasses.replace(deps, gauges=gauges), patience=60))
    done, _ = await asyncio.wait({asked}, timeout=0.1)

    gauges["sink"] = _asked({"new": 0.0})

    assert not done
    assert {beat.status for beat in await asked} == {"ok"}


async def test_feed_that_is_late_degrades_the_api(deps: Deps) -> None:
    assert (await _said(_gauged(deps, feed={"late": 1.0})))["api"][0] == "degraded"


async def test_events_that_wait_for_an_hour_say_the_sink_is_down(deps: Deps) -> None:
    an_hour_ago = int(deps.clock.now().timestamp() * 1000) - 3_600_000
    await deps.valkey.xadd(entries.NAMES[0], {"event": "{}"}, id=f"{an_hour_ago}-0")

    status, waits = (await _said(_gauged(deps, sink={"new": 0.0})))["sink"]

    assert status == "down"
    assert waits == pytest.approx(3_600, abs=60)


async def test_without_valkey_nothing_is_said_of_what_only_valkey_knows(deps: Deps) -> None:
    nowhere = sink.open_valkey("unix:///nowhere/valkey.sock")

    said = await _said(dataclasses.replace(deps, valkey=nowhere))

    assert {name: status for name, (status, _) in said.items()} == {"postgres": "ok", "valkey": "down"}


async def test_running_server_tells_how_it_is(deps: Deps, live_server: LiveServer) -> None:
    assert "heartbeats" in [job.name for job in scheduler.PERIODIC]

    async def told() -> dict[str, Any] | None:
        found = await _health(deps)
        return found if found["components"] else None

    found = await until(told, 60)
    assert {part["component"] for part in found["components"]} == {
        "postgres", "valkey", "api", "sink", "windows"
    }  # fmt: skip
    assert found["note"] is None


async def _health(deps: Deps) -> dict[str, Any]:
    async with writing(deps.pool) as connection:
        return await health.health(deps, connection, {}, now=deps.clock.now())
