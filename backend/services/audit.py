"""Who read or did what: recorded at the cost of a queue, sent to Valkey, chained in PostgreSQL by one writer.

`record` waits only where ten thousand entries wait already. What is in the queue goes to the stream `bi:stream:audit`, or
straight into the table while Valkey is away; a server that stops sends the rest, and where nothing can be reached it writes
them to `audit.spool` in the data folder, which the next start sends first. Only kill -9 loses what was not sent yet: some
milliseconds' worth. An entry that comes twice is written once.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import fields
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias
from uuid import UUID

import orjson

from backend import faults
from backend.actor import Actor
from backend.storage import audit as log
from backend.storage.audit import Entry
from backend.stream import entries
from domain import ids

if TYPE_CHECKING:
    from backend.deps import Deps

logger = logging.getLogger(__name__)

Detail: TypeAlias = Mapping[str, str | int | bool | Sequence[str] | None]

MOST_WAITING = 10_000
BATCH = 500
FIELD = b"entry"
UNREADABLE = "audit.unreadable"
_FIELDS = tuple(field.name for field in fields(Entry))
_PLAIN = re.compile(r"[^\x20-\x7e]")


class Desk:
    """What this process has recorded and not yet sent."""

    def __init__(self) -> None:
        self.waiting: asyncio.Queue[bytes] = asyncio.Queue(MOST_WAITING)
        self._sending: list[bytes] = []
        self._turn = asyncio.Lock()
        self._recorded = 0
        self._spooled = 0

    async def put(self, line: bytes) -> None:
        self._recorded += 1
        await self.waiting.put(line)

    async def send(self, deps: Deps) -> int:
        """Hand on what waits now; how many. What can't be handed on stays. Raises: what PostgreSQL raised."""
        async with self._turn:
            while len(self._sending) < BATCH and not self.waiting.empty():
                self._sending.append(self.waiting.get_nowait())
            sent = len(self._sending)
            if sent:
                await handed_on(deps, self._sending)
                self._sending = []
        return sent

    def rest(self) -> list[bytes]:
        """Everything not handed on."""
        while not self.waiting.empty():
            self._sending.append(self.waiting.get_nowait())
        rest, self._sending = self._sending, []
        self._spooled += len(rest)
        return rest

    def numbers(self) -> dict[str, float]:
        return {
            "audit_recorded_total": self._recorded,
            "audit_waiting": self.waiting.qsize() + len(self._sending),
            "audit_spooled_total": self._spooled,
        }


async def record(
    deps: Deps,
    actor: Actor | None,
    *,
    action: str,
    resource: str,
    location_ids: Collection[str] = (),
    detail: Detail | None = None,
    outcome: str = "allowed",
) -> None:
    """Somebody (or the server itself: None) read or did something. No personal data in any of it; ids only."""
    entry = Entry(
        id=ids.new_id(),
        at=deps.clock.now(),
        actor_id=actor.id if actor else None,
        role=actor.role.value if actor else "server",
        session_id=actor.session_id if actor else None,
        action=action,
        outcome=outcome,
        resource=_PLAIN.sub("?", resource)[:200],
        locations=tuple(sorted(location_ids)),
        detail=orjson.dumps(detail or {}, option=orjson.OPT_SORT_KEYS).decode(),
    )
    await deps.audit.put(encoded(entry))


async def flush(deps: Deps) -> None:
    """Everything recorded so far is handed on when this returns. Raises: what PostgreSQL raised."""
    while await deps.audit.send(deps):
        pass


async def handed_on(deps: Deps, lines: Sequence[bytes]) -> None:
    """To the stream; straight into the table while Valkey is away."""
    try:
        async with asyncio.timeout(2), deps.valkey.pipeline(transaction=False) as pipe:
            for line in lines:
                pipe.xadd(entries.AUDIT, {FIELD: line})
            await pipe.execute()
    except faults.FROM_VALKEY as fault:
        logger.warning("audit.no_valkey", extra={"fault": type(fault).__name__})
        await written(deps, lines)


async def written(deps: Deps, lines: Sequence[bytes]) -> int:
    """Chain these lines into the table; how many were new."""
    async with log.appending(deps.pool) as connection:
        return await log.append(connection, [decoded(line, deps.clock.now()) for line in lines])


async def spool(deps: Deps) -> None:
    """The last resort of a server that stops: what can't be handed on goes to a file."""
    try:
        async with asyncio.timeout(2):
            await flush(deps)
            return
    except faults.NO_DATABASE as fault:
        logger.error("audit.spooled", extra={"fault": type(fault).__name__})
    if rest := deps.audit.rest():
        await asyncio.to_thread(_append_lines, spool_file(deps), rest)


async def unspool(deps: Deps) -> None:
    """Hand on what an earlier server could not."""
    path = spool_file(deps)
    if not path.exists():
        return
    lines = (await asyncio.to_thread(path.read_bytes)).splitlines()
    await handed_on(deps, lines)
    path.unlink()
    logger.info("audit.unspooled", extra={"n": len(lines)})


def spool_file(deps: Deps) -> Path:
    return deps.settings.server_dir / f"audit-{deps.process}.spool"


def encoded(entry: Entry) -> bytes:
    return orjson.dumps([getattr(entry, name) for name in _FIELDS])


def decoded(line: bytes, now: datetime) -> Entry:
    """What a line says; one that can't be read becomes an entry that says so."""
    try:
        return _read(line)
    except (ValueError, TypeError, AttributeError):
        logger.error("audit.unreadable", extra={"bytes": len(line)})
        detail = orjson.dumps({"bytes": len(line)}).decode()
        return Entry(
            id=ids.new_id(),
            at=now,
            actor_id=None,
            role="server",
            session_id=None,
            action=UNREADABLE,
            outcome="kept",
            resource=entries.AUDIT,
            locations=(),
            detail=detail,
        )


def _read(line: bytes) -> Entry:
    found_id, at, actor, role, session, action, outcome, resource, locations, detail = orjson.loads(line)
    for text in (role, action, outcome, resource):
        text.encode().decode("ascii")
    orjson.loads(detail)
    when = datetime.fromisoformat(at)
    if when.tzinfo is None:
        raise ValueError("a moment without an offset")
    return Entry(
        id=str(UUID(found_id)),
        at=when,
        actor_id=str(UUID(actor)) if actor else None,
        role=role,
        session_id=str(UUID(session)) if session else None,
        action=action,
        outcome=outcome,
        resource=resource,
        locations=tuple(str(UUID(one)) for one in locations),
        detail=detail,
    )


def _append_lines(path: Path, lines: Sequence[bytes]) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with path.open("ab") as file:
        file.write(b"".join(line + b"\n" for line in lines))
