"""Job: how our own parts are, once a minute, as events of `system_health` like anybody else's.

What each process told of itself (`services/observing.py`) says which parts live; a part that nobody has spoken for in 20 s is `down`. While
Valkey is away nothing is known of the others, so nothing is said of them.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal
from uuid import UUID

from backend import faults
from backend.events import SystemHealth
from backend.services import observing
from backend.services.bi import health
from backend.stream import ingest
from domain import ids

if TYPE_CHECKING:
    from backend.deps import Deps

logger = logging.getLogger(__name__)

Status = Literal["ok", "degraded", "down"]
Numbers = Mapping[str, Mapping[str, float]]
"""By process, what it counted."""

LONGEST_ASK = 2.0
PATIENCE = 20.0
"""Parts start one after the other, and each tells of itself every five seconds."""
SLOW_MS = 250.0
LATE_SECONDS = 60.0
"""A quiet hour keeps the watermark 15 s behind; senders that are late hold it back as long as they are."""


async def once(deps: Deps) -> None:
    """One round. Raises: where neither Valkey nor PostgreSQL takes them, the fault of PostgreSQL."""
    said = await heartbeats(deps)
    try:
        await ingest.send(deps, said, source_key=None, wait=0)
    except ingest.BacklogError:
        logger.warning("heartbeats.no_room")


async def heartbeats(deps: Deps, *, patience: float = PATIENCE) -> list[SystemHealth]:
    """Of postgres and valkey; with valkey, of api, sink and windows. A part that nobody tells of is given `patience` seconds."""
    found = [await _asked(deps, "postgres", _postgres(deps)), await _asked(deps, "valkey", _valkey(deps))]
    if found[-1].status == "down":
        return found
    until = deps.clock.monotonic() + patience
    while True:
        parts = await _parts(deps)
        if all(part.status != "down" for part in parts) or deps.clock.monotonic() >= until:
            return [*found, *parts]
        await asyncio.sleep(1)


async def _parts(deps: Deps) -> list[SystemHealth]:
    told = await observing.everybody(deps)
    return [
        _api(deps, observing.numbers(told, "jorge_feed_")),
        await _sink(deps, observing.numbers(told, "jorge_sink_")),
        _windows(deps, observing.numbers(told, "jorge_windows_")),
    ]


async def _postgres(deps: Deps) -> None:
    async with deps.pool.acquire() as connection:
        await connection.fetchval("SELECT 1")


async def _valkey(deps: Deps) -> None:
    await deps.valkey.ping()


async def _asked(deps: Deps, component: str, question: Awaitable[None]) -> SystemHealth:
    """How long it takes to answer the least question."""
    began = deps.clock.monotonic()
    try:
        async with asyncio.timeout(LONGEST_ASK):
            await question
    except faults.AWAY:
        return _beat(deps, component, "down", message="It does not answer.")
    ms = (deps.clock.monotonic() - began) * 1000
    return _beat(deps, component, "ok" if ms < SLOW_MS else "degraded", value=ms, unit="ms")


def _api(deps: Deps, told: Numbers) -> SystemHealth:
    if not told:
        return _beat(deps, "api", "down", message="No process answers requests.")
    late = any(numbers.get("late") for numbers in told.values())
    message = "Changes wait for their number in the feed." if late else None
    return _beat(
        deps, "api", "degraded" if late else "ok", value=len(told), unit="processes", message=message
    )


async def _sink(deps: Deps, told: Numbers) -> SystemHealth:
    """By the event that has waited longest to be stored."""
    if not told:
        return _beat(deps, "sink", "down", message="No process stores events.")
    lanes = await health.streams(deps, deps.clock.now())
    waits = max((lane.waiting_seconds or 0.0 for lane in lanes), default=0.0)
    return _beat(deps, "sink", _worst([lane.status for lane in lanes]), value=waits, unit="s")


def _windows(deps: Deps, told: Numbers) -> SystemHealth:
    working = [numbers for numbers in told.values() if numbers.get("working")]
    if not working:
        return _beat(deps, "windows", "down", message="No process keeps the live windows.")
    seconds = max(max(one["watermark_lag_us"], one["behind_us"]) for one in working) / 1e6
    status: Status = "ok" if seconds < LATE_SECONDS else "degraded"
    return _beat(deps, "windows", status, value=seconds, unit="s")


def _worst(statuses: Sequence[str]) -> Status:
    return "down" if "down" in statuses else "ok" if set(statuses) == {"ok"} else "degraded"


def _beat(deps: Deps, component: str, status: Status, **said: Any) -> SystemHealth:
    return SystemHealth(
        event_id=UUID(ids.new_id()),
        occurred_at=deps.clock.now(),
        event_type="heartbeat",
        component=component,
        status=status,
        **said,
    )
