"""Events into the warehouse, exactly once: copied into temporary tables, then inserted where they are not there yet.

One transaction a batch: facts, conversations, ledger, and (by triggers) the aggregates. What can't be stored is named, and
the rest goes through. docs/warehouse.md says what "exactly once" promises.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

import asyncpg

from backend.events import BotPerformance, CommissionEvent, Event, LeadInteraction, SystemHealth
from backend.storage.pool import Connection
from backend.storage.warehouse import arrivals, conversations, ledger, partitions, touched
from backend.storage.warehouse.arrivals import Arrived, Rejected
from backend.storage.warehouse.conversations import Counted
from backend.storage.warehouse.keys import Keys, Spot
from backend.storage.warehouse.staging import STAGES

__all__ = ["NOT_TAKEN", "Arrived", "Rejected", "Stored", "connect", "store"]

MONTHS_KEPT = 84

NOT_TAKEN = (
    asyncpg.DataError,
    asyncpg.IntegrityConstraintViolationError,
    asyncpg.ProgramLimitExceededError,
    ValueError,
    TypeError,
    OverflowError,
)
"""What `store` raises when some event of the batch is more than PostgreSQL takes; halve the batch to find which."""

# Writers wait for each other here, with everything copied already. The triggers take the same lock, for who writes past this.
_LOCK = "SELECT bi_alone()"

_INTERACTION = ", ".join(STAGES[LeadInteraction].columns)
_STORE_INTERACTIONS = (
    f"INSERT INTO fact_lead_interactions ({_INTERACTION}) "  # noqa: S608 - fixed words
    f"SELECT {_INTERACTION} FROM pg_temp.stage_interactions ON CONFLICT DO NOTHING"
)
_HEALTH = ", ".join(STAGES[SystemHealth].columns)
_STORE_HEALTH = f"INSERT INTO fact_system_health ({_HEALTH}) SELECT {_HEALTH} FROM pg_temp.stage_health ON CONFLICT DO NOTHING"  # noqa: S608 - fixed words


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """`tags` stand for what counts otherwise than before (`stream.entries`)."""

    new: int = 0
    repeated: int = 0
    rejected: Sequence[Rejected] = ()
    tags: frozenset[str] = frozenset()


async def connect(url: str) -> asyncpg.Connection[asyncpg.Record]:
    """A connection that `store` takes: of its own, without our codecs, so that rows travel in binary."""
    return await asyncpg.connect(
        url, server_settings={"application_name": "jorge-sink", "timezone": "UTC"}, command_timeout=120
    )


# What is known of a connection lives as long as it does; callers have nothing but the connection.
_KEYS: WeakKeyDictionary[Any, Keys] = WeakKeyDictionary()


async def store(
    connection: Connection, batch: Sequence[Arrived], *, months_kept: int = MONTHS_KEPT
) -> Stored:
    """All of `batch` but what is rejected, in one transaction of this connection (made by `connect`; none may be open).

    Raises: what asyncpg does; then nothing of the batch is stored. One of `NOT_TAKEN`: some event of it is at fault.
    """
    keys = await _ready(connection)
    await keys.learn(connection, arrivals.named(batch))
    ready = arrivals.ready(batch, keys, months_kept=months_kept)
    if missing := ready.months - keys.months:
        await partitions.make(connection, missing)
        keys.months |= missing
    kinds = {kind: part for kind, part in ready.kinds.items() if part.rows}
    new, tags = 0, set[str]()
    async with connection.transaction():
        for kind, part in kinds.items():
            await STAGES[kind].copy(connection, part.rows)
        await connection.execute(_LOCK)
        for kind, part in kinds.items():
            counted = await _WRITERS[kind](connection)
            new += counted.new
            if counted.new:
                tags |= _tags(kind, counted, part.spots)
    rows = sum(len(part.rows) for part in kinds.values())
    for part in kinds.values():
        keys.remember(part.ids.items())
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


async def _interactions(connection: Connection) -> Counted:
    return Counted(new=_count(await connection.execute(_STORE_INTERACTIONS)))


async def _health(connection: Connection) -> Counted:
    return Counted(new=_count(await connection.execute(_STORE_HEALTH)))


def _count(status: str) -> int:
    """Of "INSERT 0 17"."""
    return int(status.rpartition(" ")[2])


_WRITERS: Mapping[type[Event], Callable[[Connection], Awaitable[Counted]]] = {
    LeadInteraction: _interactions,
    BotPerformance: conversations.store,
    CommissionEvent: ledger.store,
    SystemHealth: _health,
}


def _tags(kind: type[Event], counted: Counted, spots: Iterable[Spot]) -> set[str]:
    """Of hours and days that events fell into, or whose counts a conversation or a deal moved, here and over all."""
    if kind is SystemHealth:
        return set()  # counted nowhere
    rows = {(spot.location_key, spot.hour, spot.date_key) for spot in spots} | set(counted.touched)
    return touched.tags(rows, stock=kind is CommissionEvent)
