"""Where the windows are kept in Valkey, and by whom: one processor holds the lease, and only its writes go through.

| key | is |
|---|---|
| `bi:windows:lease` | who works; gone when it has not said so for five seconds |
| `bi:windows:snapshot` | hash: the state with the offsets it belongs to (windows/snapshot.py) |
| `bi:windows:offset:{stream}` | the offset in that snapshot: nothing before it is read again, so it may be trimmed |
| `bi:windows:latest` | hash: the newest row of each `{location}:{window}` as JSON, and `meta` |
| `bi:windows:flush` | set of windows whose rows are wanted again; `facts`: all is to be made anew from them |
"""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import cast

from redis import asyncio as redis
from redis import exceptions as redis_errors

from backend.stream import entries
from backend.stream.windows import snapshot
from backend.stream.windows.state import Windows

LEASE = "bi:windows:lease"
SNAPSHOT = "bi:windows:snapshot"
OFFSET = "bi:windows:offset:"
LATEST = "bi:windows:latest"
META = "meta"
FLUSH = "bi:windows:flush"
ANEW = "facts"

LEASE_MS = 5_000
BEGINNING = "0-0"
_LONGEST_STALL = 0.01
_AT_ONCE = 500
_APART_SECONDS = 60

Offsets = dict[str, str]
"""Stream name with prefix → id of the last entry that was counted."""


class LeaseLostError(Exception):
    """Another processor works now, or Valkey forgot who does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Saved:
    """The most CPU time at a stretch (s), in which nothing else could run, and how much was written."""

    longest: float
    size: int
    fields: int


class Keeper:
    """This processor's hold on the windows."""

    def __init__(self, valkey: redis.Redis) -> None:
        self._valkey = valkey
        self.token = uuid.uuid4().hex.encode()

    async def acquire(self) -> bool:
        """Is it ours from now on?"""
        return bool(await self._valkey.set(LEASE, self.token, nx=True, px=LEASE_MS))

    async def renew(self) -> None:
        """Raises: LeaseLostError."""
        async with self.fenced():
            pass

    async def breathe(self, meta: bytes) -> None:
        """The state is still the newest, and ours. Raises: LeaseLostError."""
        async with self.fenced() as pipe:
            pipe.hset(LATEST, META, meta)

    async def flushes(self) -> set[str]:
        """Names of the windows whose rows somebody wants to hear again."""
        wanted = await cast("Awaitable[list[bytes] | None]", self._valkey.spop(FLUSH, 8))
        return {name.decode() for name in wanted or ()}

    async def release(self) -> None:
        """At once for the next one, if it is still ours."""
        async with self.fenced() as pipe:
            pipe.delete(LEASE)

    @asynccontextmanager
    async def fenced(self) -> AsyncIterator[redis.client.Pipeline]:
        """All that is put into the pipe happens at once, if the lease is ours; it is then ours for longer.

        Raises: LeaseLostError.
        """
        async with self._valkey.pipeline(transaction=True) as pipe:
            await pipe.watch(LEASE)
            if await cast("Awaitable[bytes | None]", pipe.get(LEASE)) != self.token:
                raise LeaseLostError
            pipe.multi()  # type: ignore[no-untyped-call]
            pipe.pexpire(LEASE, LEASE_MS)
            yield pipe
            try:
                await pipe.execute()
            except redis_errors.WatchError as fault:
                raise LeaseLostError from fault

    async def save(self, windows: Windows, offsets: Offsets, *, whole: bool = False) -> Saved:
        """State and offsets in one transaction. Nothing may be counted meanwhile. Raises: LeaseLostError."""
        if whole:
            snapshot.everything(windows)
        gone = snapshot.gone(windows)
        written, longest = await self._packed(windows)
        size, count = sum(map(len, written.values())), len(written)
        if whole:
            await self._lay_out(written)
            gone, written = [], {}
        written[snapshot.HEAD] = snapshot.head(windows, {"offsets": offsets})
        began = time.thread_time()
        async with self.fenced() as pipe:
            if whole:
                pipe.delete(SNAPSHOT)
                if count:
                    pipe.rename(self._apart, SNAPSHOT)
                    pipe.persist(SNAPSHOT)
            for some in _portions(gone):
                pipe.hdel(SNAPSHOT, *some)
            for some in _portions(list(written)):
                pipe.hset(SNAPSHOT, mapping={field: written[field] for field in some})
            for name, offset in offsets.items():
                pipe.set(OFFSET + name.removeprefix(entries.PREFIX), offset)
        return Saved(longest=max(longest, time.thread_time() - began), size=size, fields=count)

    async def _packed(self, windows: Windows) -> tuple[dict[str, bytes], float]:
        """The fields to write, with pauses in which others run; the longest time between two of them (s)."""
        longest, began, written = 0.0, time.thread_time(), dict[str, bytes]()
        for field, blob in snapshot.fields(windows):
            written[field] = blob
            if (took := time.thread_time() - began) > _LONGEST_STALL:
                longest = max(longest, took)
                await asyncio.sleep(0)
                began = time.thread_time()
        return written, longest

    async def _lay_out(self, written: dict[str, bytes]) -> None:
        """A whole snapshot is too much for one command: lay it beside the old one, to be put in its place at once."""
        await self._valkey.delete(self._apart)
        for some in _portions(list(written)):
            await self._valkey.hset(self._apart, mapping={field: written[field] for field in some})
            await self._valkey.expire(self._apart, _APART_SECONDS)

    @property
    def _apart(self) -> str:
        return f"{SNAPSHOT}:{self.token.decode()}"

    async def load(self) -> tuple[Windows, Offsets] | None:
        """As they were kept; None where there is nothing, or nothing of use to this release."""
        found = await cast("Awaitable[bytes | None]", self._valkey.hget(SNAPSHOT, snapshot.HEAD))
        if found is None:
            return None
        try:
            head = snapshot.read_head(found)
        except snapshot.OtherShapeError:
            return None
        windows = Windows()
        snapshot.begun(head, windows)
        async for field, blob in self._valkey.hscan_iter(SNAPSHOT, count=200):
            if field != snapshot.HEAD.encode():
                snapshot.put_back(windows, field.decode(), blob)
        snapshot.settle(windows)
        return windows, dict(head["offsets"])

    async def last_ids(self) -> Offsets:
        """The id of the newest entry each stream ever had; nothing of streams that are not there."""
        found = {}
        for name in entries.NAMES:
            try:
                info = await self._valkey.xinfo_stream(name)
            except redis_errors.ResponseError:
                continue
            found[name] = _text(info["last-generated-id"])
        return found

    async def unstored(self) -> Offsets:
        """For each stream an offset before everything that the sink has not acknowledged."""
        found = {}
        for name in entries.NAMES:
            found[name] = BEGINNING
            try:
                groups = await self._valkey.xinfo_groups(name)
                mine = next((g for g in groups if _text(g["name"]) == entries.SINK_GROUP), None)
                if mine is not None:
                    waits = await self._valkey.xpending(name, entries.SINK_GROUP)
                    first = waits["min"]
                    found[name] = _before(_text(first)) if first else _text(mine["last-delivered-id"])
            except redis_errors.ResponseError:
                continue  # no such stream, or no such group
        return found


def behind(offset: str, other: str) -> bool:
    """Is `offset` an earlier place than `other`?"""
    return _place(offset) < _place(other)


def went_back(offsets: Offsets, last: Offsets) -> bool:
    """Is an offset beyond what its stream ever had? Then Valkey is at an earlier state, and would hand out those ids again."""
    return any(behind(last.get(name, BEGINNING), offset) for name, offset in offsets.items())


def added_us(entry: bytes) -> int:
    """When an entry was added (µs)."""
    return int(entry.split(b"-")[0]) * 1_000


def _place(id: str) -> tuple[int, int]:
    first, _, second = id.partition("-")
    return int(first), int(second or 0)


def _before(id: str) -> str:
    first, second = _place(id)
    if second:
        return f"{first}-{second - 1}"
    return f"{first - 1}-{2**64 - 1}" if first else BEGINNING


def _text(said: bytes | str) -> str:
    return said.decode() if isinstance(said, bytes) else said


def _portions(names: Sequence[str]) -> list[Sequence[str]]:
    return [names[begin : begin + _AT_ONCE] for begin in range(0, len(names), _AT_ONCE)]
