"""Answers out of the cache, or worked out once however many ask for them."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from backend.cache.buckets import Buckets
from backend.cache.spans import Span
from backend.cache.stats import Stats
from backend.cache.tiers import Tiers
from backend.cache.ttl import CLOSED_SECONDS, Adaptive
from backend.cache.versions import Versions

FORMAT = 1
"""Part of every key: raise it when an answer changes its shape or the meaning of a figure."""
_MOST_KEYS = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """A question in canonical form. `fingerprint` is of the asker's scope, made by the policy.

    `closed`: every bucket of `span` lies in the past, so that only late news can change the answer.
    `longest`: seconds after which the clock alone makes the answer untrue; `slot` numbers them, for a part of the key.
    """

    what: str
    params: Mapping[str, Any]
    fingerprint: str
    span: Span
    closed: bool = False
    longest: float | None = None
    slot: int = 0

    def identity(self) -> bytes:
        """The same for the same question of those who may see the same."""
        said = orjson.dumps([FORMAT, self.what, self.params, self.fingerprint], option=orjson.OPT_SORT_KEYS)
        return hashlib.blake2b(said, digest_size=16).digest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """An answer worked out. `digest`: of what it says without its time; unset: of all of it."""

    body: bytes
    digest: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    body: bytes
    hit: bool


Make = Callable[[], Awaitable[Made]]


@dataclass(slots=True)
class Answers:
    """`get` is all that services need. Without Valkey every question is worked out: slower, never wrong."""

    tiers: Tiers
    versions: Versions
    ttl: Adaptive
    stats: Stats = field(default_factory=Stats)
    buckets: Buckets = field(init=False)
    _making: dict[str, asyncio.Task[Made]] = field(default_factory=dict)
    _keys: OrderedDict[tuple[bytes, Span, int], tuple[int, str]] = field(default_factory=OrderedDict)

    def __post_init__(self) -> None:
        self.buckets = Buckets(self.versions, self.stats)

    async def get(self, ask: Ask, make: Make, *, fresh: bool = False, warming: bool = False) -> Answer:
        """What is kept, else what `make` works out. `fresh`: work it out in any case. Raises: what `make` raises."""
        identity = ask.identity()
        key = self.key(ask, identity)
        if key is None:
            self.stats.bypassed(ask.what)
            return Answer(body=(await make()).body, hit=False)
        if not fresh:
            held = await self.tiers.held(key)
            if held is not None:
                self.stats.hit(ask.what, key)
                return Answer(body=held, hit=True)
        made = await self._made_once(ask, identity, key, make, warming=warming)
        return Answer(body=made.body, hit=False)

    async def holds(self, ask: Ask) -> bool:
        """Is the answer there, as true as it gets?"""
        key = self.key(ask, ask.identity())
        return key is not None and await self.tiers.held(key) is not None

    def key(self, ask: Ask, identity: bytes) -> str | None:
        """Where the answer lies while its buckets have the versions that they have now; None: nobody knows."""
        if not self.versions.known:
            return None
        known = self._keys.get((identity, ask.span, ask.slot))
        if known is not None and known[0] == self.versions.revision:
            return known[1]
        revision = self.versions.revision
        digest = self.versions.digest(ask.span.tags())
        if digest is None:
            return None
        key = f"{ask.what}:{ask.fingerprint}:{identity.hex()}:{ask.slot}:{digest.hex()}"
        self._keys[identity, ask.span, ask.slot] = (revision, key)
        if len(self._keys) > _MOST_KEYS:
            self._keys.popitem(last=False)
        return key

    async def _made_once(self, ask: Ask, identity: bytes, key: str, make: Make, *, warming: bool) -> Made:
        """One works it out, whoever else asks meanwhile waits for that; one who gives up does not take it from the others."""
        running = self._making.get(key)
        if running is None:
            running = asyncio.create_task(self._make(ask, identity, key, make, warming=warming))
            self._making[key] = running
            running.add_done_callback(lambda _: self._making.pop(key, None))
        else:
            self.stats.joined(ask.what)
        return await asyncio.shield(running)

    async def _make(self, ask: Ask, identity: bytes, key: str, make: Make, *, warming: bool) -> Made:
        began = time.perf_counter()
        made = await make()
        seconds = time.perf_counter() - began
        self.stats.made(ask.what, key, seconds, warming=warming)
        digest = made.digest or hashlib.blake2b(made.body, digest_size=16).digest()
        self.ttl.learn(identity, digest, time.monotonic())
        if ask.closed:
            kept = CLOSED_SECONDS
        else:
            kept = self.ttl.seconds(identity, cost_seconds=seconds, longest=ask.longest)
        # The key was made before the work began: what was touched meanwhile has another key by now.
        await self.tiers.set(key, made.body, expire=kept)
        return made
