"""Entries that were handed out again and again and never stored: taken apart until the event that is at fault is alone.

Valkey counts how often it handed an entry out, and `TRIED` says what is being tried at this moment: both outlive a sink that dies of
an event, or whose connection does. Nothing is given up for what passes (`faults.Blame.NOBODY`), and nothing before another
event of its kind was stored over the same connection: where PostgreSQL takes none of them, they are not at fault.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeAlias, cast

from redis import asyncio as redis

from backend import faults
from backend.events import STREAMS, Event
from backend.storage.warehouse.facts import Arrived, Rejected, Stored
from backend.stream import batches
from backend.stream.batches import Batch
from backend.stream.entries import PREFIX
from backend.stream.groups import Part, Read

TRIED = "bi:sink:tried"
"""Hash in Valkey: entry, or event of one → how often it was begun and nobody came back from it."""
DELIVERIES = 3
"""An entry that is handed out so often is taken apart."""
MOST_ENDS = 3
"""An event by itself may end so many connections (or sinks)."""
POISON = "poison"

Store: TypeAlias = Callable[[Sequence[Arrived]], Awaitable[list[Stored]]]
Deliveries: TypeAlias = Mapping[tuple[str, bytes], int]


class EndedError(ConnectionError):
    """The connection ended in the middle of a batch, and PostgreSQL did not say that it was told to."""


def apart(read: Read, deliveries: Deliveries) -> tuple[Read, Read]:
    """What may be stored together, and what is to be taken apart, entry by entry."""

    def some(*, suspect: bool) -> Read:
        found = [
            (stream, [e for e in held if (deliveries.get((stream, e[0]), 1) >= DELIVERIES) is suspect])
            for stream, held in read
        ]
        return [(stream, held) for stream, held in found if held]

    return some(suspect=False), [(stream, [one]) for stream, held in some(suspect=True) for one in held]


def the_end(fault: Exception) -> ConnectionError:
    """What to raise where a connection was closed by it: `EndedError`, unless PostgreSQL said that it was told to stop."""
    codes = {faults.sqlstate(fault)[:2], faults.sqlstate(fault.__cause__)[:2] if fault.__cause__ else ""}
    if "57" in codes:
        return ConnectionError("the connection was ended")
    return EndedError("the connection ended in the middle of a batch")


@dataclass(slots=True, kw_only=True)
class Bench:
    """Where entries are taken apart. `proved`: kinds of events that this connection has stored."""

    valkey: redis.Redis
    store: Store
    proved: set[type[Event]] = field(default_factory=set)

    async def read(self, one: Part, now: datetime) -> Batch:
        """The entry's events; what ends whoever so much as reads it is a letter as it lies there."""
        stream, ((id, fields),) = one
        name = _name(stream, id) + " read"
        if await self._begin(name) <= MOST_ENDS:
            (batch,) = batches.batches([one])
            await self._done([name])
            return batch
        await self._done([name])
        return batches.unread(stream, id, fields, f"It ended {MOST_ENDS} sinks that read it.", now)

    async def take_apart(self, batch: Batch) -> list[Stored] | None:
        """Of one entry: what was stored of it and what is given up; None: it is to wait. Raises: what passes, and what ends a connection."""
        ((stream, (id,)),) = batch.ids.items()
        name = _name(stream, id)
        if await self._begin(name) == 1:
            try:
                parts = await self.store(batch.arrived)
            except Exception as fault:
                if not await self._is_unknown(name, fault):
                    raise
            else:
                await self._done([name])
                self.prove(batch.arrived, parts)
                return parts
        trial = _Trial(arrived=batch.arrived, name=name)
        await self._one_by_one(trial)
        return await self._judged(trial)

    async def _one_by_one(self, trial: _Trial) -> None:
        """Whoever ended a connection before comes last, so that it has others to be measured by."""
        counts = await self._counts(trial.names)
        order = sorted(range(len(trial.arrived)), key=lambda number: counts[number])
        for number in order:
            one, name = trial.arrived[number], trial.names[number]
            if counts[number] >= MOST_ENDS:
                trial.accused[number] = (
                    f"It ended {counts[number]} connections to PostgreSQL, or their sinks."
                )
                continue
            await self._begin(name)
            try:
                parts = await self.store([one])
            except Exception as fault:
                if not await self._is_unknown(name, fault):
                    raise
                said = faults.named(fault)
                trial.accused[number] = f"PostgreSQL takes others, not this: {' '.join(said.values())}."
            else:
                trial.parts += parts
                self.prove([one], parts)
                await self._done([name])

    async def _judged(self, trial: _Trial) -> list[Stored] | None:
        rejected = [
            Rejected(arrived=trial.arrived[number], reason=POISON, message=message)
            for number, message in trial.accused.items()
            if type(trial.arrived[number].event) in self.proved
        ]
        if len(rejected) < len(trial.accused):
            return None
        await self._done([trial.name, *trial.names])
        return [*trial.parts, Stored(rejected=rejected)] if rejected else trial.parts

    def prove(self, arrived: Sequence[Arrived], parts: Sequence[Stored]) -> None:
        """These were stored, but for what the parts say."""
        if len(self.proved) == len(STREAMS):
            return
        refused = {id(one.arrived) for part in parts for one in part.rejected}
        self.proved.update(type(one.event) for one in arrived if id(one) not in refused)

    async def _is_unknown(self, name: str, fault: Exception) -> bool:
        """Nobody knows whose fault that was; else the caller raises it. The mark stays of what ended the connection, and only of that."""
        if isinstance(fault, EndedError):
            return False
        await self._done([name])
        return faults.blame(fault) is not faults.Blame.NOBODY

    async def _begin(self, name: str) -> int:
        return int(await self.valkey.hincrby(TRIED, name, 1))

    async def _done(self, names: Sequence[str]) -> None:
        await self.valkey.hdel(TRIED, *names)

    async def _counts(self, names: Sequence[str]) -> list[int]:
        if not names:
            return []
        found = await cast("Awaitable[list[bytes | None]]", self.valkey.hmget(TRIED, list(names)))
        return [int(count or 0) for count in found]


def _name(stream: str, id: bytes) -> str:
    return f"{stream.removeprefix(PREFIX)} {id.decode()}"


@dataclass(slots=True, kw_only=True)
class _Trial:
    """An entry's events one by one; `accused`: by their numbers, with what is said against them."""

    arrived: Sequence[Arrived]
    name: str
    parts: list[Stored] = field(default_factory=list)
    accused: dict[int, str] = field(default_factory=dict)

    @property
    def names(self) -> list[str]:
        return [f"{self.name} {number}" for number in range(len(self.arrived))]
