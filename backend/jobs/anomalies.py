"""Job: what is unusual at an office in the hour that just ended becomes an alert; it closes when an hour is usual again."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from backend import policy
from backend.actor import Role
from backend.metrics import FIGURES
from backend.services.bi import alerts, anomalies, baselines, question, unusual
from backend.services.bi.alerts import Finding, State
from backend.services.bi.anomalies import AnomalyQuestion
from backend.storage.warehouse import watch
from backend.storage.warehouse.offices import Office
from backend.storage.warehouse.scope import Scope, writing

if TYPE_CHECKING:
    from backend.deps import Deps

RULE = "anomaly"
SENSITIVITY = 0.4
"""Beyond 4.4 spreads: an alarm disturbs more than a line of a list."""
MOST_AT_AN_OFFICE = 3
COOLDOWN = timedelta(hours=24)
_GRAVE = 1.5


async def once(deps: Deps) -> None:
    now = deps.clock.now()
    async with writing(deps.pool) as connection:
        _, offices = await watch.everything(connection)
    found = [finding for office in offices for finding in await _of_office(deps, office, now)]
    places = {office.key: office.id for office in offices}
    await alerts.apply(deps, found, rules=[RULE], places=places, cooldown=COOLDOWN)


async def _of_office(deps: Deps, office: Office, now: datetime) -> list[Finding]:
    scope = Scope(keys=(office.key,), role_mask=policy.mask(Role.ADMIN))
    asked = AnomalyQuestion(scope=scope, offices=(office,), timeframe="24h", sensitivity=SENSITIVITY)
    async with question.opened(deps, scope) as connection:
        grids = await anomalies.read(connection, asked, now)
    verdict = await asyncio.to_thread(unusual.judged, grids, asked.timeframe, asked.sensitivity)
    rates = {metric["metric"]: metric["false_alarms"] for metric in verdict.metrics}
    ongoing = [e for e in verdict.episodes if e.last == grids[e.metric].counts.size - 1]
    return [_finding(office, episode, rates[episode.metric]) for episode in ongoing[:MOST_AT_AN_OFFICE]]


def _finding(office: Office, episode: unusual.Episode, rate: Mapping[str, object]) -> Finding:
    figure = FIGURES[episode.metric]
    limit = baselines.threshold(SENSITIVITY)
    way = "more" if episode.score > 0 else "fewer"
    return Finding(
        rule=RULE,
        subject=episode.metric,
        location_key=office.key,
        state=State.FIRING,
        severity="normal" if abs(episode.score) >= _GRAVE * limit else "low",
        title=f"{figure.title}: {way} than usual",
        message=f"{figure.title}: {episode.observed:.0f}, where {episode.low:.0f} to {episode.high:.0f} are usual at this time of the week.",
        value=episode.observed,
        bound=episode.high if episode.score > 0 else episode.low,
        n=episode.last - episode.first + 1,
        context={
            "component": figure.component.value,
            "metric": episode.metric,
            "timeframe": "24h",
            "location_id": office.id,
        },
        evidence={"score": episode.score, "expected": episode.expected, "false_alarms": dict(rate)},
    )
