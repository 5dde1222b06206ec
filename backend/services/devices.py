"""Which devices there are and how they are doing: noted from what they ask, told to their people and to managers."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from backend import faults
from backend.actor import Actor, Role
from backend.services import cursor
from backend.storage import devices, origins, pool
from domain import errors, wire

if TYPE_CHECKING:
    from backend.deps import Deps

logger = logging.getLogger(__name__)

PERIOD_SECONDS = 60.0
"""A device of which nothing else changed is noted so often at most."""

LATELY = timedelta(days=1)
IN_USE = timedelta(days=30)
"""So long a device is listed after it was last seen; one that never pulled (a script, a refused app) for a day only."""
WITH_WORK = timedelta(days=180)
"""One that said that work waits on it."""
MOST_LISTED = 500
_MOST_NOTED = 10_000
_MOST_WAITING = 2_000
_FIRST_MS, _LAST_MS = 0, 4_102_444_800_000  # 1970 … 2099: a device's own time may be anything


@dataclass(frozen=True, slots=True)
class Noted:
    """What was last written of a device, and when (monotonic seconds)."""

    said: tuple[object, ...]
    at: float


@dataclass(slots=True)
class Notes:
    """What requests told of devices and nobody has read yet. Written together: no request waits for it."""

    noted: dict[str, Noted] = field(default_factory=dict)
    waiting: dict[tuple[str, str], devices.Report] = field(default_factory=dict)

    def add(self, report: devices.Report) -> None:
        key = (report.user_id, report.device)
        before = self.waiting.get(key)
        if before is not None or len(self.waiting) < _MOST_WAITING:
            self.waiting[key] = report if before is None else devices.both(before, report)


@dataclass(frozen=True, slots=True, kw_only=True)
class Queue:
    """What waits on a device: changes, parked ones, and when the oldest was made."""

    pending: int = 0
    parked: int = 0
    oldest_ms: int = 0

    @classmethod
    def of_header(cls, text: str) -> Queue:
        """`wire.QUEUE_HEADER`; what can't be read counts as nothing said."""
        try:
            pending, parked, oldest = (int(part) for part in text.split(","))
        except ValueError:
            return cls()
        if not (0 <= pending < 1 << 31 and 0 <= parked < 1 << 31 and _FIRST_MS <= oldest <= _LAST_MS):
            return cls()
        return cls(pending=pending, parked=parked, oldest_ms=oldest)

    @property
    def oldest_at(self) -> datetime | None:
        return datetime.fromtimestamp(self.oldest_ms / 1000, UTC) if self.oldest_ms else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """The store that a request comes from."""

    actor: Actor
    device_id: str
    schema: int


def pulled(deps: Deps, caller: Caller, queue: Queue, page: wire.Page) -> None:
    """It has got this page; what it says of its queue is what waits there."""
    here = cursor.parsed(page.cursor)
    report = _report(
        deps,
        caller,
        pulled=True,
        seq=here.seq,
        loading=here.load is not None,
        pending=queue.pending,
        parked=queue.parked,
        oldest_at=queue.oldest_at,
    )
    _note(deps, report, page.more)


def pushed(deps: Deps, caller: Caller) -> None:
    _note(deps, _report(deps, caller, pushed=True))


def refused(deps: Deps, caller: Caller, fault: errors.JorgeError) -> None:
    """Nothing is said of a device for a copy of its store: that goes on under another id."""
    if isinstance(fault, errors.DeviceForkedError):
        return
    _note(deps, _report(deps, caller, error=fault.code[:60]))


async def mine(deps: Deps, caller: Caller) -> devices.Device | None:
    """What is known of the asking device."""
    if not caller.device_id:
        return None
    await written(deps)
    async with deps.pool.acquire() as connection:
        return await devices.get(
            connection, caller.actor.id, origins.store_of(caller.device_id, caller.actor.id)
        )


async def of_others(deps: Deps, actor: Actor) -> list[devices.Device]:
    """Those of the people in one's locations, the furthest behind first. Raises: ForbiddenError."""
    if actor.role is Role.AGENT:
        raise errors.ForbiddenError("Managers and admins see the devices.", where="role agent")
    await written(deps)
    async with deps.pool.acquire() as connection:
        now = deps.clock.now()
        since = devices.Since(any=now - IN_USE, working=now - WITH_WORK, new=now - LATELY)
        return await devices.of_people_in(
            connection, actor.locations, actor.id, since=since, limit=MOST_LISTED
        )


def _report(deps: Deps, caller: Caller, **told: object) -> devices.Report | None:
    if not caller.device_id:
        return None
    return devices.Report(
        user_id=caller.actor.id,
        device=origins.store_of(caller.device_id, caller.actor.id),
        at=deps.clock.now(),
        schema=caller.schema,
        **told,  # type: ignore[arg-type]
    )


def _note(deps: Deps, report: devices.Report | None, *more: object) -> None:
    if report is None:
        return
    said = (
        report.schema, report.loading, report.pending, report.parked, report.oldest_at, report.error, *more
    )  # fmt: skip
    now = deps.clock.monotonic()
    key = f"{report.device}{'pull' if report.pulled else 'push' if report.pushed else 'error'}"
    notes = deps.notes
    before = notes.noted.get(key)
    if before and before.said == said and now - before.at < PERIOD_SECONDS:
        return
    if len(notes.noted) >= _MOST_NOTED:
        notes.noted.clear()
    notes.noted[key] = Noted(said, now)
    notes.add(report)


async def written(deps: Deps) -> None:
    """What was told until now is in the database; what can't be written is left: it never holds up a sync."""
    reports, deps.notes.waiting = list(deps.notes.waiting.values()), {}
    if not reports:
        return
    try:
        async with pool.transaction(deps.pool) as connection:
            await devices.note(connection, reports)
    except faults.NO_DATABASE as fault:
        logger.warning("devices.not_noted", extra={"fault": type(fault).__name__, "count": len(reports)})
