"""Alerts: what the rules find is told to its office, closes when it is well, and is taken on by somebody who may see it."""

from __future__ import annotations

import asyncio
import uuid
from datetime import datetime, timedelta
from typing import Any

import pytest

from backend.cache import versions
from backend.deps import Deps
from backend.jobs import alerts as job
from backend.realtime.hub import EVERYWHERE
from backend.services.bi import alert_rules, alerts, performance
from backend.storage.warehouse import alerts as store
from backend.storage.warehouse.offices import Office
from backend.storage.warehouse.scope import writing
from backend.stream import entries
from domain import errors
from tests.backend.services.bi import filled, planted
from tests.backend.services.bi.planted import BUYER, LEAD, MINUTE, NOW, SELLER, handoff
from tests.fakes import FakeClock

pytestmark = pytest.mark.anyio

HOUR = timedelta(hours=1)


async def _open_office(deps: Deps) -> Office:
    (office,) = await filled.open_offices(deps, ["America/Los_Angeles"])
    return office


async def _shown(deps: Deps, *offices: Office, whole: bool = True) -> list[dict[str, Any]]:
    answer = await performance.answer(deps, planted.asked(offices, "24h", whole=whole))
    found: list[dict[str, Any]] = answer["performance_alerts"]
    return found


async def _errors(deps: Deps, office: Office, at: datetime, bad: int, good: int) -> None:
    rows = [planted.event(office, at, LEAD, "error") for _ in range(bad)]
    await planted.store(deps, rows + [planted.event(office, at, LEAD) for _ in range(good)])


async def test_a_bot_that_errs_is_told_to_its_office_and_closed_when_it_is_well(
    deps: Deps, clock: FakeClock
) -> None:
    here, there = await filled.open_offices(deps, ["America/Los_Angeles", "America/New_York"])
    await _errors(deps, here, NOW - MINUTE, 10, 30)

    with (
        deps.hub.subscribe(alerts.CHANNEL, [here.id]) as mine,
        deps.hub.subscribe(alerts.CHANNEL, [there.id]) as theirs,
    ):
        await job.once(deps)
        await job.once(deps)
        told = (await mine.get()).payload
        assert not theirs._waiting

    assert (told["event"], told["priority"]) == ("opened", "critical")
    (alert,) = await _shown(deps, here, whole=False)
    assert (alert["rule"], alert["subject"], alert["status"], alert["n"]) == (
        "error_rate",
        "lead-bot",
        "open",
        40,
    )
    assert alert["context"] == {
        "component": "bots",
        "metric": "bot_error_rate",
        "timeframe": "24h",
        "location_id": here.id,
        "filters": {"bot": "lead-bot"},
    }
    assert told["alert"] == alert
    assert await _shown(deps, there, whole=False) == []

    clock.to(NOW + 3 * HOUR)
    await job.once(deps)

    (alert,) = await _shown(deps, here)
    assert (alert["status"], alert["closed_at"]) == ("closed", clock.now().isoformat())


async def test_kept_answers_that_show_an_alert_are_kept_no_longer_once_it_changes(
    deps: Deps, clock: FakeClock
) -> None:
    here, there = await filled.open_offices(deps, ["America/Los_Angeles", "America/New_York"])
    await _errors(deps, here, NOW - MINUTE, 10, 30)
    tags = [entries.stock_tag(key) for key in (here.key, -1, there.key)]

    async def told() -> list[object]:
        return list(await deps.valkey.hmget(versions.HASH, tags))

    await job.once(deps)
    opened = await told()
    await job.once(deps)
    again = await told()
    clock.to(NOW + 3 * HOUR)
    await job.once(deps)
    closed = await told()

    assert opened[0]
    assert opened[0] == opened[1]
    assert opened[2] is None
    assert again == opened
    assert closed[0] != opened[0]


async def test_a_few_errors_among_few_events_alarm_nobody(deps: Deps) -> None:
    await _errors(deps, await _open_office(deps), NOW - MINUTE, 2, 10)

    await job.once(deps)

    async with writing(deps.pool) as connection:
        assert await store.still_open(connection, ["error_rate"]) == []


async def test_slow_scoring_is_measured_at_the_95th_of_100(deps: Deps) -> None:
    office = await _open_office(deps)
    rows = [
        planted.event(office, NOW - MINUTE, SELLER, "scored", processing_us=120_000 if n % 10 == 0 else 9_000)
        for n in range(100)
    ]
    await planted.store(deps, rows)

    await job.once(deps)

    (alert,) = await _shown(deps, office)
    assert (alert["rule"], alert["severity"], alert["n"]) == ("slow_scoring", "high", 100)
    assert alert["value"] == pytest.approx(120, rel=0.02)


async def test_a_bot_that_falls_silent_where_it_usually_speaks_is_missed(deps: Deps) -> None:
    office = await _open_office(deps)
    hours = [NOW - timedelta(days=day, hours=hour) for day in range(35) for hour in range(24)]
    rows = [planted.event(office, at, SELLER) for at in hours if at < NOW - 8 * HOUR for _ in range(3)] + [
        planted.event(office, at, BUYER) for at in hours
    ]
    await planted.store(deps, rows)

    await job.once(deps)

    silent = [alert for alert in await _shown(deps, office) if alert["rule"] == "bot_silent"]
    assert [(alert["subject"], alert["severity"], alert["n"]) for alert in silent] == [
        ("jorge-seller", "high", 4)
    ]
    assert silent[0]["bound"] >= 10


async def test_few_qualify_and_fewer_talk(deps: Deps) -> None:
    office = await _open_office(deps)
    now = [planted.talk(office, NOW - HOUR, SELLER, qualified_at=NOW if n < 3 else None) for n in range(60)]
    week_ago = [planted.talk(office, NOW - timedelta(days=7, hours=2), SELLER) for _ in range(150)]
    await filled.store(deps, "fact_bot_conversations", now + week_ago)

    await job.once(deps)

    found = {alert["rule"]: alert for alert in await _shown(deps, office)}
    assert found["low_success"]["severity"] == "high"
    assert found["low_success"]["value"] == pytest.approx(0.05)
    assert found["fewer_conversations"]["value"] == pytest.approx(-0.6)


async def test_ping_pong_alarms_at_three_within_the_hour(deps: Deps) -> None:
    office = await _open_office(deps)
    rows = [
        handoff(
            office, NOW - 50 * MINUTE + n * MINUTE, *((LEAD, SELLER) if n % 2 else (SELLER, LEAD)), n // 2
        )
        for n in range(6)
    ]
    await planted.store(deps, rows)

    await job.once(deps)

    (alert,) = [alert for alert in await _shown(deps, office) if alert["rule"] == "ping_pong"]
    assert (alert["subject"], alert["value"]) == ("lead-bot", 3)


async def test_a_component_that_went_silent_is_unknown_and_alarms_everybody(deps: Deps) -> None:
    office = await _open_office(deps)
    said = {
        "event_id": str(uuid.uuid4()),
        "received_at": NOW,
        "event_type": "heartbeat",
        "status": "ok",
        "location_key": None,
    }
    rows = [
        said | {"component": "crm", "occurred_at": NOW - 2 * MINUTE},
        said | {"component": "scorer", "occurred_at": NOW - 3 * HOUR, "event_id": str(uuid.uuid4())},
    ]
    await filled.store(deps, "fact_system_health", rows)

    with deps.hub.subscribe(alerts.CHANNEL, [office.id]) as mine:
        await job.once(deps)
        told = (await mine.get()).payload

    answer = await performance.answer(deps, planted.asked([office], "24h"))
    assert {part["component"]: part["status"] for part in answer["system_health"]["components"]} == {
        "crm": "ok",
        "scorer": "unknown",
    }
    assert answer["system_health"]["status"] == "unknown"
    assert told["alert"]["subject"] == "scorer"
    assert told["alert"]["location_id"] is None


async def test_a_stream_that_nobody_reads_is_stuck(deps: Deps, clock: FakeClock) -> None:
    name = entries.NAMES[0]
    await deps.valkey.xgroup_create(name, entries.SINK_GROUP, id="0", mkstream=True)
    old = int((NOW - 5 * MINUTE).timestamp() * 1000)
    await deps.valkey.xadd(name, {entries.ONE: b"{}"}, id=f"{old}-0")
    office = await _open_office(deps)

    with deps.hub.subscribe(alerts.CHANNEL, [EVERYWHERE, office.id]):
        await job.once(deps)
    (stuck,) = [a for a in await _shown(deps, office) if a["rule"] == "stream_stuck"]

    assert (stuck["severity"], stuck["subject"], stuck["value"]) == ("critical", name, pytest.approx(300))
    await deps.valkey.xreadgroup(entries.SINK_GROUP, "me", {name: ">"})
    await deps.valkey.xack(name, entries.SINK_GROUP, f"{old}-0")
    clock.to(NOW + MINUTE)
    await job.once(deps)
    (stuck,) = [a for a in await _shown(deps, office) if a["rule"] == "stream_stuck"]
    assert stuck["status"] == "closed"


async def test_two_processes_open_one_alert(deps: Deps) -> None:
    office = await _open_office(deps)
    await _errors(deps, office, NOW - MINUTE, 10, 30)

    await asyncio.gather(*(job.once(deps) for _ in range(4)))

    assert len(await _shown(deps, office)) == 1


async def test_nobody_acknowledges_what_he_may_not_see(deps: Deps) -> None:
    here, there = await filled.open_offices(deps, ["America/Los_Angeles", "America/New_York"])
    await _errors(deps, here, NOW - MINUTE, 10, 30)
    await job.once(deps)
    (alert,) = await _shown(deps, here, whole=False)
    foreign = planted.asked([there], whole=False).scope

    with pytest.raises(errors.NotFoundError):
        await alerts.acknowledge(deps, planted.actor(), foreign, {there.key: there.id}, alert["alert_id"])

    (alert,) = await _shown(deps, here, whole=False)
    assert alert["status"] == "open"


def test_every_rule_is_named_once() -> None:
    assert len(set(alert_rules.RULES)) == len(alert_rules.RULES)
    assert all(f"| {rule} |" in (alert_rules.__doc__ or "") for rule in alert_rules.RULES)
