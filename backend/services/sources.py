"""Who may send events: programs with a key (made here), and signed-in people."""

from __future__ import annotations

import hashlib
import logging
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from uuid import UUID

import asyncpg

from backend import policy
from backend.actor import Actor, Role
from backend.events import STREAMS, Event
from backend.services import users as people
from backend.services.gohighlevel import config as gohighlevel
from backend.storage import pool, sources, users
from backend.storage.sources import Source
from domain import errors, ids

if TYPE_CHECKING:
    from backend.deps import Deps

logger = logging.getLogger(__name__)

PREFIX = "jbi_"
"""Keys begin so, which tells them from access tokens of people."""
REMEMBERED = 3.0
"""Seconds. A revoked key works at most so long in another process."""
_PLACES_REMEMBERED = 5.0
_MOST_REMEMBERED = 1_000
_NO_DATABASE = (
    OSError,
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """Whose events these are. `places`: locations as numbers of their ids; `everywhere`: also what concerns every office."""

    source_key: int | None
    account: str
    """Whose budget of events a minute it is."""
    places: frozenset[int]
    everywhere: bool
    kinds: frozenset[type[Event]]


@dataclass(slots=True)
class Known:
    """What this process remembers for seconds: sources by the hash of their key, and which locations there are."""

    _by_hash: dict[bytes, tuple[float, Source]] = field(default_factory=dict)
    _places: frozenset[int] = frozenset()
    _places_at: float = float("-inf")

    def forget(self, key: int) -> None:
        """It was revoked or changed here."""
        self._by_hash = {digest: found for digest, found in self._by_hash.items() if found[1].key != key}

    async def by_key(self, deps: Deps, key: str) -> Source | None:
        digest = hashed(key)
        now = deps.clock.monotonic()
        remembered = self._by_hash.get(digest)
        if remembered is not None and now - remembered[0] < REMEMBERED:
            return remembered[1]
        try:
            async with deps.pool.acquire() as connection:
                source = await sources.by_hash(connection, digest)
                if source is not None:
                    await sources.used(connection, source.key, deps.clock.now())
        except _NO_DATABASE:
            if remembered is None:
                raise
            return remembered[1]  # nobody can have revoked it without the database either
        self._keep(digest, now, source)
        return source

    async def places(self, deps: Deps, *, missing: bool = False) -> frozenset[int]:
        """All locations. `missing`: one was asked for that is not among them, so look again."""
        now = deps.clock.monotonic()
        if missing or now - self._places_at >= _PLACES_REMEMBERED:
            try:
                async with deps.pool.acquire() as connection:
                    found = await sources.location_ids(connection)
            except _NO_DATABASE:
                if not self._places:
                    raise
                return self._places
            self._places, self._places_at = as_numbers(found), now
        return self._places

    def _keep(self, digest: bytes, now: float, source: Source | None) -> None:
        self._by_hash.pop(digest, None)
        if source is None:
            return
        if len(self._by_hash) >= _MOST_REMEMBERED:
            self._by_hash.clear()
        self._by_hash[digest] = (now, source)


async def of_webhook(deps: Deps, id: str) -> Source:
    """Raises: AccessError when there is none, or it was revoked: one answer for both."""
    async with deps.pool.acquire() as connection:
        source = await sources.by_id(connection, id)
        if source is not None and source.revoked_at is None:
            await sources.used(connection, source.key, deps.clock.now())
            return source
    raise errors.AccessError(
        "This source is unknown, or was revoked.",
        where="source_id",
        hint="GET /api/admin/sources lists them.",
    )


async def of_key_number(deps: Deps, key: int) -> Source | None:
    """By what facts and dead letters carry."""
    async with deps.pool.acquire() as connection:
        return await sources.by_key(connection, key)


async def sender_of_key(deps: Deps, key: str) -> Sender:
    """Raises: AccessError when the key is unknown or revoked."""
    source = await deps.sources.by_key(deps, key)
    if source is None:
        raise errors.AccessError(
            "This key is unknown, or was revoked.",
            where="Authorization",
            hint="An administrator makes one: python -m backend create-source.",
        )
    return await sender_of(deps, source)


async def sender_of(deps: Deps, source: Source) -> Sender:
    everywhere = not source.locations
    return Sender(
        source_key=source.key,
        account=str(source.key),
        places=await deps.sources.places(deps) if everywhere else as_numbers(source.locations),
        everywhere=everywhere,
        kinds=frozenset(STREAMS[name] for name in source.streams if name in STREAMS),
    )


def sender_of_person(actor: Actor) -> Sender:
    """Raises: ForbiddenError."""
    policy.check(actor, policy.Permission.SEND_EVENTS)
    return Sender(
        source_key=None,
        account=f"person:{actor.id}",
        places=as_numbers(actor.locations),
        everywhere=actor.role is Role.ADMIN,
        kinds=frozenset(STREAMS.values()),
    )


async def create(
    deps: Deps,
    *,
    name: str,
    locations: Sequence[str] = (),
    streams: Sequence[str] = (),
    config: Mapping[str, Any] | None = None,
    by: str | None = None,
) -> tuple[Source, str]:
    """The source and its key, which nobody can be shown again. `locations` by name or id. Raises: InputError."""
    name = name.strip()
    _check_name(name)
    _check_streams(streams)
    key = PREFIX + secrets.token_urlsafe(32)
    try:
        async with pool.transaction(deps.pool) as connection:
            places = [(await people.location_of(connection, wanted)).id for wanted in locations]
            checked = await _checked(connection, config or {}, places)
            made = await sources.add(
                connection,
                id=ids.new_id(),
                name=name,
                key_hash=hashed(key),
                locations=sorted(set(places)),
                streams=list(dict.fromkeys(streams)) or list(STREAMS),
                webhook_secret=secrets.token_urlsafe(32),
                config=checked,
                now=deps.clock.now(),
                by=by,
            )
    except asyncpg.UniqueViolationError as fault:
        raise errors.InputError(
            "A source of this name is there already.",
            where="name",
            hint="Choose another, or revoke that one.",
        ) from fault
    logger.info("sources.created", extra={"source": made.id, "by": by})
    return made, key


async def revoke(deps: Deps, id: str, *, by: str | None = None) -> Source:
    """From now on its key and its webhook are refused. Raises: NotFoundError."""
    async with deps.pool.acquire() as connection:
        revoked = _there(await sources.revoke(connection, id, deps.clock.now()))
    deps.sources.forget(revoked.key)
    logger.info("sources.revoked", extra={"source": revoked.id, "by": by})
    return revoked


async def configure(deps: Deps, id: str, config: Mapping[str, Any]) -> Source:
    """Raises: NotFoundError, InputError."""
    async with pool.transaction(deps.pool) as connection:
        source = _there(await sources.by_id(connection, id))
        checked = await _checked(connection, config, source.locations)
        changed = _there(await sources.configure(connection, id, checked))
    deps.sources.forget(changed.key)
    return changed


async def listed(deps: Deps) -> Sequence[Source]:
    async with deps.pool.acquire() as connection:
        return await sources.all_of_them(connection)


def hashed(key: str) -> bytes:
    return hashlib.sha256(key.encode(errors="surrogateescape")).digest()


def as_numbers(location_ids: Sequence[str] | frozenset[str]) -> frozenset[int]:
    """Sets of numbers answer five times as fast as sets of UUIDs."""
    return frozenset(UUID(one).int for one in location_ids)


def _there(source: Source | None) -> Source:
    if source is None:
        raise errors.NotFoundError(
            "There is no such source.", where="id", hint="GET /api/admin/sources lists them."
        )
    return source


def _check_name(name: str) -> None:
    if not name or not name.isprintable() or len(name) > 200:
        raise errors.InputError(
            "A source needs a name of at most 200 characters on one line.",
            where="name",
            hint="Such as “Seller bot”.",
        )


def _check_streams(streams: Sequence[str]) -> None:
    unknown = [name for name in streams if name not in STREAMS]
    if unknown:
        raise errors.InputError(
            f"There is no stream {unknown[0]!r:.60}.", where="streams", hint=f"Streams: {', '.join(STREAMS)}."
        )


async def _checked(
    connection: pool.Connection, config: Mapping[str, Any], places: Sequence[str]
) -> Mapping[str, Any]:
    """The mapping may only lead to locations that the source may send for. Raises: InputError."""
    allowed = set(places) or {place.id for place in await users.all_locations(connection)}
    return gohighlevel.checked(config, allowed)
