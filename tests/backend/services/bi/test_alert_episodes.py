"""Episodes of alerts: they open once, stay through swings, are raised, close, and come back after a pause."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.services.bi import alerts
from backend.services.bi.alerts import Changes, Finding, State
from backend.storage.warehouse.alerts import Alert
from tests.backend.services.bi.planted import MINUTE, NOW

pytestmark = pytest.mark.anyio

FIRING = Finding(rule="error_rate", subject="lead-bot", location_key=1, state=State.FIRING, severity="high")


def _alert(**said: Any) -> Alert:
    (opened,) = alerts.decide([FIRING], [], {}, NOW).opened
    return replace(opened, **said)


def _same(one: Changes, opened: int = 0, seen: int = 0, raised: int = 0, closed: int = 0) -> bool:
    found = (len(one.opened), len(one.seen), len(one.raised), len(one.closed))
    return found == (opened, seen, raised, closed)


async def test_what_fires_opens_once_and_is_then_seen_again() -> None:
    assert _same(alerts.decide([FIRING], [], {}, NOW), opened=1)

    changes = alerts.decide([FIRING], [_alert()], {}, NOW + MINUTE)

    assert _same(changes, seen=1)
    assert changes.seen[0].last_seen_at == NOW + MINUTE
    assert changes.seen[0].opened_at == NOW


async def test_between_the_limits_everything_stays_as_it_is() -> None:
    hold = replace(FIRING, state=State.HOLD)

    assert _same(alerts.decide([hold], [_alert()], {}, NOW))
    assert _same(alerts.decide([hold], [], {}, NOW))


@pytest.mark.parametrize("findings", [[], [replace(FIRING, state=State.CLEAR)]])
async def test_what_is_well_or_gone_closes(findings: list[Finding]) -> None:
    changes = alerts.decide(findings, [_alert()], {}, NOW + MINUTE)

    assert _same(changes, closed=1)
    assert changes.closed[0].closed_at == NOW + MINUTE


async def test_a_closed_one_opens_again_only_after_the_cooldown() -> None:
    closed = {FIRING.key: NOW}

    assert _same(alerts.decide([FIRING], [], closed, NOW + alerts.COOLDOWN - MINUTE))
    assert _same(alerts.decide([FIRING], [], closed, NOW + alerts.COOLDOWN), opened=1)


async def test_an_episode_is_raised_but_never_lowered() -> None:
    worse = alerts.decide([replace(FIRING, severity="critical")], [_alert()], {}, NOW)
    milder = alerts.decide([replace(FIRING, severity="low")], [_alert()], {}, NOW)

    assert _same(worse, seen=1, raised=1)
    assert _same(milder, seen=1)
    assert milder.seen[0].severity == "high"


@given(st.lists(st.sampled_from([*State, None]), max_size=40))
async def test_there_is_never_more_than_one_episode_at_a_time(states: list[State | None]) -> None:
    held: list[Alert] = []
    closed: dict[alerts.Key, datetime] = {}
    opened = ended = 0
    for n, state in enumerate(states):
        now = NOW + n * MINUTE
        findings = [] if state is None else [replace(FIRING, state=state)]
        changes = alerts.decide(findings, held, closed, now, cooldown=3 * MINUTE)
        opened, ended = opened + len(changes.opened), ended + len(changes.closed)
        if changes.closed:
            held, closed = [], {FIRING.key: now}
        held += changes.opened
        assert len(held) <= 1
        assert opened - ended == len(held)
