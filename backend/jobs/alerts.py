"""Job: holds the rules of `services/bi/alert_rules.py` against what is stored, and opens or closes alerts."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from backend.services.bi import alert_rules, alerts, handing, health, latency
from backend.services.bi.alert_rules import Subject
from backend.services.bi.alerts import Finding
from backend.storage.pool import Connection
from backend.storage.warehouse import bots, components, handoffs, watch
from backend.storage.warehouse.scope import writing

if TYPE_CHECKING:
    from backend.deps import Deps

_HOUR = timedelta(hours=1)


async def once(deps: Deps) -> None:
    """One look at everything; of several processes that look at once, one writes."""
    now = deps.clock.now()
    lanes = await health.streams(deps, now)
    async with writing(deps.pool) as connection:
        _, offices = await watch.everything(connection)
        places = {office.key: office.id for office in offices}
        found = [
            *await _of_bots(connection, places, now),
            *await _of_components(connection, places, now),
            *map(alert_rules.stream_stuck, lanes),
        ]
    await alerts.apply(deps, found, rules=alert_rules.RULES, places=places)


async def _of_bots(connection: Connection, places: dict[int, str], now: datetime) -> list[Finding]:
    names = {bot.bot_key: bot.bot_id for bot in await bots.known(connection)}

    def subject(location_key: int, bot_key: int) -> Subject:
        return Subject(
            bot_id=names.get(bot_key, str(bot_key)),
            location_key=location_key,
            location_id=places.get(location_key, ""),
        )

    found: list[Finding] = []
    for counts in await watch.counts(connection, now):
        of = subject(counts.location_key, counts.bot_key)
        found += [
            alert_rules.error_rate(of, counts),
            alert_rules.low_success(of, counts),
            alert_rules.fewer_conversations(of, counts),
        ]
    for (_, place, bot), cells in (await watch.scored(connection, list(places), now)).items():
        us = latency.quantile_us(cells, 0.95)
        p95_ms = None if us is None else us / 1000
        found.append(alert_rules.slow_scoring(subject(place, bot), p95_ms, int(cells.sum())))
    for silence in await watch.silences(connection, now):
        found.append(alert_rules.bot_silent(subject(silence.location_key, silence.bot_key), silence))
    for (place, bot), broken in (await _broken(connection, list(places), now)).items():
        found += alert_rules.broken_rules(subject(place, bot), broken)
    return found


async def _broken(
    connection: Connection, keys: list[int], now: datetime
) -> dict[tuple[int, int], alert_rules.Broken]:
    """By office and bot that hands over: the hand-offs of the last hour held against the rules."""
    begin = now - _HOUR
    passes = await handoffs.passes(connection, keys, begin - handing.DAY, now)
    judged = handing.judged(passes, begin)
    over = judged.flags["over_hour"] | judged.flags["over_day"]
    found: dict[tuple[int, int], alert_rules.Broken] = {}
    for n in range(judged.n):
        key = int(judged.passes.location[n]), int(judged.passes.giver[n])
        held = found.get(key, alert_rules.Broken())
        found[key] = held.and_one(back=bool(judged.flags["back"][n]), over=bool(over[n]))
    return found


async def _of_components(connection: Connection, places: dict[int, str], now: datetime) -> list[Finding]:
    return [
        alert_rules.component(health.component_of(word, places, now), word.location_key)
        for word in await components.latest(connection)
    ]
