"""How the system is: what its parts said last, and whether the streams are read."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from backend import faults
from backend.storage.pool import Connection
from backend.storage.warehouse import components
from backend.stream import entries

if TYPE_CHECKING:
    from backend.deps import Deps

SILENT = timedelta(minutes=10)
"""A component that says nothing for so long is `unknown`, whatever it said."""
SLOW_SECONDS = 10.0
STUCK_SECONDS = 60.0
LONGEST_LOOK = 1.0
_ORDER = ("ok", "unknown", "degraded", "down")


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """How far the sink is behind in a stream: entries not delivered, not acknowledged, and the age of the oldest of them."""

    name: str
    status: str
    undelivered: int | None = None
    pending: int | None = None
    waiting_seconds: float | None = None


async def health(
    deps: Deps, connection: Connection, offices: Mapping[int, str], *, now: datetime
) -> dict[str, Any]:
    """`offices`: location key → id, of those this transaction may see."""
    said = [component_of(word, offices, now) for word in await components.latest(connection)]
    lanes = await streams(deps, now)
    statuses = [part["status"] for part in said] + [lane.status for lane in lanes]
    return {
        "status": max(statuses, key=_ORDER.index) if said else None,
        "components": said,
        "streams": [
            {
                "stream": lane.name,
                "status": lane.status,
                "undelivered": lane.undelivered,
                "pending": lane.pending,
                "waiting_seconds": lane.waiting_seconds,
            }
            for lane in lanes
        ],
        "unknown_after_seconds": SILENT.total_seconds(),
        "note": None if said else "no component has reported yet",
    }


def component_of(word: components.Said, offices: Mapping[int, str], now: datetime) -> dict[str, Any]:
    age = (now - word.seen_at).total_seconds()
    return {
        "component": word.component,
        "location_id": None if word.location_key is None else offices.get(word.location_key),
        "status": "unknown" if age > SILENT.total_seconds() else word.status,
        "said": word.status,
        "seen_at": word.seen_at.isoformat(),
        "age_seconds": age,
        "value": word.value,
        "unit": word.unit,
        "message": word.message,
    }


async def streams(deps: Deps, now: datetime) -> list[Stream]:
    """Of each stream; `unknown` while Valkey does not answer."""
    try:
        async with asyncio.timeout(LONGEST_LOOK):
            return [await _stream(deps, name, now) for name in entries.NAMES]
    except faults.FROM_VALKEY:
        return [Stream(name=name, status="unknown") for name in entries.NAMES]


async def _stream(deps: Deps, name: str, now: datetime) -> Stream:
    if not await deps.valkey.exists(name):
        return Stream(name=name, status="ok", undelivered=0, pending=0)
    groups: Any = await deps.valkey.xinfo_groups(name)
    sink = next((group for group in groups if group["name"] == entries.SINK_GROUP.encode()), None)
    if sink is None:
        return _judged(name, await deps.valkey.xlen(name), 0, await _first(deps, name, b"-"), now)
    waiting = await _first(deps, name, b"(" + sink["last-delivered-id"])
    pending: Any = await deps.valkey.xpending(name, entries.SINK_GROUP)
    oldest = waiting + ([pending["min"]] if pending["min"] else [])
    undelivered = sink["lag"] if sink["lag"] is not None else len(waiting)
    return _judged(name, undelivered, int(sink["pending"]), oldest, now)


async def _first(deps: Deps, name: str, after: bytes) -> list[bytes]:
    """The id of the first entry from there on, if there is one."""
    found: Any = await deps.valkey.xrange(name, min=after, count=1)
    return [entry for entry, _ in found]


def _judged(name: str, undelivered: int, pending: int, oldest: list[bytes], now: datetime) -> Stream:
    waits = [now.timestamp() - int(entry.split(b"-")[0]) / 1000 for entry in oldest]
    longest = max(waits, default=0.0)
    status = "down" if longest >= STUCK_SECONDS else "degraded" if longest >= SLOW_SECONDS else "ok"
    return Stream(
        name=name,
        status=status,
        undelivered=undelivered,
        pending=pending,
        waiting_seconds=max(longest, 0.0) if oldest else None,
    )
