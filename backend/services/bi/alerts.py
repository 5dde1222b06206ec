"""Alerts: what the rules find becomes episodes that open, are seen again, close, and are acknowledged by somebody.

A rule opens at one limit and closes at a milder one; between them everything stays as it is. After an episode the same
rule is quiet about the same subject for a while. So a figure that swings about its limit is one alert, not twenty.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from backend import faults
from backend.cache import versions
from backend.realtime.hub import EVERYWHERE
from backend.services import audit
from backend.services.bi import question
from backend.storage.warehouse import alerts as store
from backend.storage.warehouse.alerts import Alert
from backend.storage.warehouse.scope import ALL, Scope, writing
from backend.stream import entries
from domain import errors, ids

if TYPE_CHECKING:
    from backend.actor import Actor
    from backend.deps import Deps
    from backend.storage.pool import Connection

CHANNEL = "alerts"
COOLDOWN = timedelta(minutes=30)
SEVERITIES = ("low", "normal", "high", "critical")
Key = tuple[str, str, int | None]


class State(StrEnum):
    FIRING = "firing"
    HOLD = "hold"
    """Between the limits, or too little to judge by: what is open stays open."""
    CLEAR = "clear"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What a rule says of a subject now. `location_key` None: it concerns every office."""

    rule: str
    subject: str
    location_key: int | None
    state: State
    severity: str = "normal"
    title: str = ""
    message: str = ""
    value: float | None = None
    bound: float | None = None
    n: int | None = None
    context: Mapping[str, Any] = field(default_factory=dict)
    evidence: Mapping[str, Any] = field(default_factory=dict)

    @property
    def key(self) -> Key:
        return self.rule, self.subject, self.location_key


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What becomes of the episodes. `raised`: seen again, and graver than before."""

    opened: tuple[Alert, ...] = ()
    seen: tuple[Alert, ...] = ()
    raised: tuple[Alert, ...] = ()
    closed: tuple[Alert, ...] = ()


def decide(
    findings: Iterable[Finding],
    held: Sequence[Alert],
    closed_at: Mapping[Key, datetime],
    now: datetime,
    *,
    cooldown: timedelta = COOLDOWN,
) -> Changes:
    """What to do about the open alerts `held`, those closed lately and what is found now.

    An open alert that no finding speaks of is closed: its subject is gone.
    """
    by_key = {finding.key: finding for finding in findings}
    open_by_key = {alert.key: alert for alert in held}
    firing = {key: finding for key, finding in by_key.items() if finding.state is State.FIRING}
    seen = [_again(open_by_key[key], finding, now) for key, finding in firing.items() if key in open_by_key]
    return Changes(
        opened=tuple(
            _new(finding, now)
            for key, finding in firing.items()
            if key not in open_by_key and (key not in closed_at or now - closed_at[key] >= cooldown)
        ),
        seen=tuple(seen),
        raised=tuple(a for a in seen if _graver(a.severity, open_by_key[a.key].severity)),
        closed=tuple(
            replace(alert, closed_at=now)
            for key, alert in open_by_key.items()
            if key not in by_key or by_key[key].state is State.CLEAR
        ),
    )


def _graver(one: str, other: str) -> bool:
    return SEVERITIES.index(one) > SEVERITIES.index(other)


def _again(alert: Alert, finding: Finding, now: datetime) -> Alert:
    """An episode never becomes milder: it is as grave as it was at its worst."""
    worst = finding.severity if _graver(finding.severity, alert.severity) else alert.severity
    return replace(
        alert,
        last_seen_at=now,
        severity=worst,
        message=finding.message,
        value=finding.value,
        n=finding.n,
        context=finding.context,
        evidence=finding.evidence,
    )


def _new(finding: Finding, now: datetime) -> Alert:
    return Alert(
        alert_id=ids.new_id(),
        rule=finding.rule,
        subject=finding.subject,
        location_key=finding.location_key,
        severity=finding.severity,
        title=finding.title,
        message=finding.message,
        value=finding.value,
        bound=finding.bound,
        n=finding.n,
        context=finding.context,
        evidence=finding.evidence,
        opened_at=now,
        last_seen_at=now,
        closed_at=None,
        acked_at=None,
        acked_by=None,
    )


async def apply(
    deps: Deps,
    findings: Iterable[Finding],
    *,
    rules: Sequence[str],
    places: Mapping[int, str],
    cooldown: timedelta = COOLDOWN,
) -> Changes:
    """Store what `rules` found (all of it, of every office) and tell the channel after the commit.

    Nothing where another process is at it. `places`: location key → id.
    """
    now = deps.clock.now()
    async with writing(deps.pool) as connection:
        if not await store.lock(connection):
            return Changes()
        held = await store.still_open(connection, rules)
        closed_at = await store.closed_since(connection, rules, now - cooldown)
        changes = decide(findings, held, closed_at, now, cooldown=cooldown)
        await _keep(connection, changes)
    await _touch(deps, (*changes.opened, *changes.raised, *changes.closed), places)
    told = (("opened", changes.opened), ("raised", changes.raised), ("closed", changes.closed))
    for event, alerts in told:
        for alert in alerts:
            await _tell(deps, event, alert, places)
    return changes


async def _keep(connection: Connection, changes: Changes) -> None:
    for alert in changes.closed:
        await store.close(connection, alert.alert_id, alert.closed_at)
    for alert in changes.opened:
        await store.open_one(connection, alert)
    for alert in changes.seen:
        await store.seen_again(connection, alert)


async def _touch(deps: Deps, alerts: Sequence[Alert], places: Mapping[int, str]) -> None:
    """Answers that show these alerts are kept no longer. Without Valkey none is kept anyway."""
    keys = {ALL}
    for alert in alerts:
        keys |= set(places) if alert.location_key is None else {alert.location_key}
    if alerts:
        with contextlib.suppress(*faults.FROM_VALKEY):
            tags = [entries.stock_tag(key) for key in sorted(keys)]
            await versions.tell(deps.valkey, deps.channel(entries.TOUCHED), tags)


async def _tell(deps: Deps, event: str, alert: Alert, places: Mapping[int, str]) -> None:
    scope = EVERYWHERE if alert.location_key is None else places.get(alert.location_key)
    if scope is None:
        return
    payload = {
        "type": "alert",
        "event": event,
        "priority": alert.severity,
        "alert": public(alert, places),
        "as_of": deps.clock.now().isoformat(),
    }
    await deps.hub.publish(CHANNEL, scope, payload, key=f"alert:{alert.alert_id}")


def public(alert: Alert, places: Mapping[int, str]) -> dict[str, Any]:
    """As people and programs get it."""
    said = {name: getattr(alert, name) for name in _SAID}
    moments = {name: _iso(getattr(alert, name)) for name in _MOMENTS}
    return {
        **said,
        **moments,
        "location_id": None if alert.location_key is None else places.get(alert.location_key),
        "status": "closed" if alert.closed_at else "acknowledged" if alert.acked_at else "open",
    }


_SAID = ("alert_id", "rule", "subject", "severity", "title", "message", "value", "bound", "n", "context", "evidence", "acked_by")  # fmt: skip
_MOMENTS = ("opened_at", "last_seen_at", "closed_at", "acked_at")


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None


async def listed(connection: Connection, since: datetime, places: Mapping[int, str]) -> list[dict[str, Any]]:
    """The open alerts that this transaction may see, and those closed since then; the gravest first."""
    return [public(alert, places) for alert in await store.shown(connection, since)]


async def acknowledge(
    deps: Deps, actor: Actor, scope: Scope, places: Mapping[int, str], alert_id: str
) -> dict[str, Any]:
    """Somebody took it on; the first one stays. Raises: NotFoundError also for an alert of another office."""
    async with question.opened(deps, scope) as connection:
        if await store.one(connection, alert_id) is None:
            raise _unknown()
    async with writing(deps.pool) as connection:
        alert = await store.acknowledge(connection, alert_id, actor.id, deps.clock.now())
    if alert is None:
        raise _unknown()
    place = None if alert.location_key is None else places.get(alert.location_key)
    await audit.record(
        deps,
        actor,
        action="alert.ack",
        resource=f"alert {alert_id}",
        location_ids=[place] if place else [],
        detail={"rule": alert.rule},
    )
    await _touch(deps, [alert], places)
    await _tell(deps, "acknowledged", alert, places)
    return public(alert, places)


def _unknown() -> errors.NotFoundError:
    return errors.NotFoundError(
        "There is no such alert among those you may see.",
        where="alert_id",
        hint="GET /api/bi/bot-performance lists them.",
    )
