"""Events into the warehouse, exactly once: copied straight into their months, where the primary key says whether all of them are
new; where it stumbles, by way of temporary tables, from which goes in what is not there yet.

One transaction a batch: facts, conversations, ledger, and (by triggers) the aggregates. What can't be stored is named, and
the rest goes through. docs/warehouse.md says what "exactly once" promises.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, TypeAlias, cast
from weakref import WeakKeyDictionary

import asyncpg

from backend.events import BotPerformance, CommissionEvent, Event, SystemHealth
from backend.storage import pool
from backend.storage.pool import Connection
from backend.storage.warehouse import arrivals, conversations, ledger, partitions, touched
from backend.storage.warehouse.arrivals import Kind, Rejected
from backend.storage.warehouse.conversations import Counted
from backend.storage.warehouse.keys import Keys, Spot
from backend.storage.warehouse.staging import STAGES, Arrived, Stage

__all__ = ["Arrived", "Rejected", "Stored", "connect", "store"]

MONTHS_KEPT = 84

# Writers wait for each other here, with everything copied already. The triggers take the same lock, for who writes past this.
_LOCK = "SELECT bi_alone()"

_DOUBTS = 20
"""After a batch that held something stored already, so many more are looked through before they are stored."""


_NOT_STRAIGHT = (
    asyncpg.UniqueViolationError,  # some of it is there already
    asyncpg.DeadlockDetectedError,  # another writer is about to store some of it
    asyncpg.UndefinedTableError,  # a month was dropped meanwhile
)

Kinds: TypeAlias = Mapping[type[Event], Kind]
Months: TypeAlias = Mapping[type[Event], Mapping[date, Sequence[Any]]]
"""By kind, the rows that go into each month."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """`tags` stand for what counts otherwise than before (`stream.entries`)."""

    new: int = 0
    repeated: int = 0
    rejected: Sequence[Rejected] = ()
    tags: frozenset[str] = frozenset()


async def connect(url: str) -> asyncpg.Connection[asyncpg.Record]:
    """A connection that `store` takes: of its own, without our codecs, so that rows travel in binary."""
    made: asyncpg.Connection[asyncpg.Record] = await asyncpg.connect(
        url,
        server_settings={"application_name": "jorge-sink", "timezone": "UTC"},
        command_timeout=120,
        timeout=10,
    )
    pool.let_copies_end(made)
    return made


# What is known of a connection lives as long as it does; callers have nothing but the connection.
_KEYS: WeakKeyDictionary[Any, Keys] = WeakKeyDictionary()


async def store(
    connection: Connection, batch: Sequence[Arrived], *, months_kept: int = MONTHS_KEPT
) -> Stored:
    """All of `batch` but what is rejected, in one transaction of this connection (made by `connect`; none may be open).

    Raises: what asyncpg does; then nothing of the batch is stored. `faults.blame` says whether some event of it is at fault.
    """
    keys = await _ready(connection)
    await keys.learn(connection, arrivals.named(batch))
    ready = arrivals.ready(batch, keys, months_kept=months_kept)
    kinds = {kind: part for kind, part in ready.kinds.items() if part.rows}
    months = {kind: part.by_month() for kind, part in kinds.items()}
    if missing := set[date]().union(*months.values()) - keys.months:
        await partitions.make(connection, missing)
        keys.months |= missing
    if ready.doubted:
        keys.doubts = max(keys.doubts, 1)
    counted = await _stored(connection, keys, kinds, months)
    for part in kinds.values():
        keys.remember(part.ids)
    rows, new = sum(len(part.rows) for part in kinds.values()), sum(one.new for one in counted.values())
    tags = set[str]().union(
        *(_tags(kind, one, kinds[kind].spots) for kind, one in counted.items() if one.new)
    )
    return Stored(
        new=new, repeated=ready.repeated + rows - new, rejected=ready.rejected, tags=frozenset(tags)
    )


async def _ready(connection: Connection) -> Keys:
    keys = _KEYS.get(connection)
    if keys is None:
        # Plans are made once, for tables that may be small then: they use the indexes whatever the size.
        await connection.execute("SET ROLE jorge_etl; SET enable_seqscan = off; SET jit = off")
        for stage in STAGES.values():
            await connection.execute(stage.ddl())
        keys = Keys(months=await partitions.complete(connection))
        _KEYS[connection] = keys
    return keys


async def _stored(
    connection: Connection, keys: Keys, kinds: Kinds, months: Months
) -> Mapping[type[Event], Counted]:
    """Straight into the months, where the primary key says whether all is new; else by way of the temporary tables."""
    if keys.doubts == 0:
        try:
            return await _transaction(connection, keys, kinds, months)
        except _NOT_STRAIGHT:
            keys.doubts = _DOUBTS
    keys.doubts -= 1
    return await _transaction(connection, keys, kinds, None)


async def _transaction(
    connection: Connection, keys: Keys, kinds: Kinds, straight: Months | None
) -> Mapping[type[Event], Counted]:
    async with connection.transaction():
        for kind, part in kinds.items():
            if straight is not None and kind is not CommissionEvent:
                await STAGES[kind].copy_into_months(connection, straight[kind])
            else:
                await STAGES[kind].copy(connection, part.rows)
        await connection.execute(_LOCK)
        counted: dict[type[Event], Counted] = {}
        for kind, part in kinds.items():
            if kind is CommissionEvent:
                counted[kind] = await ledger.store(connection)
                continue
            new = part.ids.keys() if straight is not None else await _new(connection, STAGES[kind])
            counted[kind] = Counted(new=len(new))
            if kind is BotPerformance:
                talks = conversations.told(
                    cast("Sequence[BotPerformance]", part.events), part.spots, keys.bots, new
                )
                counted[kind] = Counted(new=len(new), touched=await conversations.complete(connection, talks))
        return counted


async def _new(connection: Connection, stage: Stage) -> set[int]:
    """What lies in the stage goes to the fact; the ids of those that were not there."""
    columns = ", ".join(stage.columns)
    stored = await connection.fetch(
        f"INSERT INTO {stage.like} ({columns}) SELECT {columns} FROM pg_temp.{stage.name} "  # noqa: S608 - fixed words
        "ON CONFLICT DO NOTHING RETURNING event_id"
    )
    return {row[0].int for row in stored}


def _tags(kind: type[Event], counted: Counted, spots: Iterable[Spot]) -> set[str]:
    """Of hours and days that events fell into, or whose counts a conversation or a deal moved, here and over all."""
    if kind is SystemHealth:
        return set()  # counted nowhere
    rows = {(spot.location_key, spot.hour, spot.date_key) for spot in set(spots)} | set(counted.touched)
    return touched.tags(rows, stock=kind is CommissionEvent)
