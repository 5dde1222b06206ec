"""One webhook from its bytes to our streams: source, signature, freshness, mapping, scope."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from uuid import UUID

import asyncpg
from redis import exceptions as redis_errors

from backend import faults
from backend.events import Event, reading
from backend.services import events, sources
from backend.services.gohighlevel import config, mapping, payload, signature
from backend.services.gohighlevel.payload import Payload
from backend.storage import sources as stored
from backend.storage.sources import Source
from backend.stream import dead, ingest
from domain import errors

if TYPE_CHECKING:
    from backend.deps import Deps

logger = logging.getLogger(__name__)

STREAM = "gohighlevel"
"""Of dead letters that hold a webhook which could not be mapped."""
WAIT = 2.0
_REMEMBERED_SECONDS = 90_000
_SEEN = "bi:webhook:"


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """`repeated`: it came before, and nothing was done. `ignored`: a type of webhook that tells us nothing."""

    accepted: int = 0
    stored: bool = False
    repeated: bool = False
    ignored: bool = False


async def receive(deps: Deps, source_id: str, body: bytes, headers: Mapping[str, str]) -> Received:
    """Raises: AccessError, InputError, UnmappedError (kept as a dead letter, to be replayed), TooManyTriesError, BacklogError."""
    source = await sources.of_webhook(deps, source_id)
    table = config.of(source.config)
    signature.check(body, headers, secret=source.webhook_secret, keys=signature.keys_of(table.public_key))
    read = payload.read(body)
    payload.check_fresh(read, deps.clock.now())
    if read.type not in mapping.KNOWN:
        return Received(ignored=True)
    mark = f"{_SEEN}{source.key}:{hashlib.sha256(read.webhook_id.encode()).hexdigest()[:32]}"
    if await _came_before(deps, mark):
        return Received(repeated=True)
    try:
        found = await mapped(deps, source, read)
    except mapping.UnmappedError as fault:
        await _keep(deps, source, read, fault, mark)
        raise
    await deps.limits.source(str(source.key), len(found))
    sent = await ingest.send(deps, found, source_key=source.key, wait=WAIT)
    await _remember(deps, mark)
    return Received(accepted=len(found) - len(sent.refused), stored=sent.stored)


async def mapped(deps: Deps, source: Source, read: Payload) -> Sequence[Event]:
    """Our events. Raises: UnmappedError, InputError, ForbiddenError."""
    table = config.of(source.config)
    location = mapping.location_of(read, table, source.locations)
    contact = mapping.contact_of(read)
    lead = None
    if contact:
        async with deps.pool.acquire() as connection:
            ours = await stored.lead_by_external_id(connection, str(location), contact)
        lead = UUID(ours) if ours else mapping.lead_of(location, contact)
    place = mapping.Place(source_id=source.id, location_id=location, lead_id=lead, config=table)
    found = mapping.events_of(read, place)
    await _check(deps, source, found)
    return found


async def _check(deps: Deps, source: Source, found: Sequence[Event]) -> None:
    """What holds for every event holds for these. Raises: ForbiddenError, InputError."""
    sender = await sources.sender_of(deps, source)
    if sender.everywhere:
        sender = replace(sender, places=await deps.sources.places(deps, missing=True))
    now = deps.clock.now()
    first, last = events.oldest(now, deps.settings.bi_retention_months), now + events.AHEAD
    for event in found:
        fault = events.forbidden(event, sender)
        if fault is not None:
            raise errors.ForbiddenError(fault.message, where=fault.where, hint="Ask an administrator for it.")
        fault = reading.fault_of(event, oldest=first, newest=last)
        if fault is not None:
            raise errors.InputError(
                fault.message, where=fault.where, hint="docs/events.md says what is taken."
            )


async def _keep(deps: Deps, source: Source, read: Payload, fault: mapping.UnmappedError, mark: str) -> None:
    """Once a webhook, however often it is sent: so that it can be replayed when the table is put right."""
    letter = dead.Letter(
        stream=STREAM,
        reason=fault.code,
        message=f"{fault.message} {fault.hint}",
        payload=payload.kept(read),
        source=source.key,
        at=deps.clock.now(),
    )
    try:
        if await deps.valkey.set(f"{mark}:dead", 1, nx=True, ex=_REMEMBERED_SECONDS):
            await dead.put(deps.valkey, [letter])
    except faults.FROM_VALKEY:
        logger.warning("gohighlevel.not_kept", extra={"source": source.id})


async def _came_before(deps: Deps, mark: str) -> bool:
    try:
        return bool(await deps.valkey.exists(mark))
    except faults.FROM_VALKEY:
        return False  # its events have the same ids again, so nothing is counted twice


async def _remember(deps: Deps, mark: str) -> None:
    try:
        await deps.valkey.set(mark, 1, ex=_REMEMBERED_SECONDS)
    except faults.FROM_VALKEY:
        logger.info("gohighlevel.not_remembered")


NOT_NOW = (
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    asyncpg.InsufficientResourcesError,
    redis_errors.ConnectionError,
    redis_errors.TimeoutError,
    OSError,
    TimeoutError,
)
"""What passes. HighLevel tries again after 429 for certain, but not after every 5xx."""
