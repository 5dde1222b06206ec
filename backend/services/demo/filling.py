"""The demo's year into the warehouse, in bulk: its past leads, its facts, and a cursor that says that all of it is in."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from backend.services.demo import past
from backend.services.demo.history import Past
from backend.storage import feed, pool
from backend.storage.warehouse import dimensions, facts, feed_cursor, synced
from backend.stream import ingest

if TYPE_CHECKING:
    from backend.deps import Deps
    from backend.events import Event

BATCH = 10_000
LIVE = timedelta(hours=49)
"""What is older is in no window any more, and nothing in one hangs on it."""


async def fill(deps: Deps, pasts: Sequence[Past]) -> int:
    """How many facts. Done twice it changes nothing. Whoever follows the feed waits for it (`feed_cursor.hold`)."""
    async with pool.transaction(deps.pool) as connection:
        await feed.stamp(connection)
        written = (await feed.head(connection)).seq
    await _dimensions(deps, pasts)
    count = await _facts(deps, pasts)
    async with pool.transaction(deps.pool) as connection:
        await feed_cursor.settle(connection, written)
    return count


async def _dimensions(deps: Deps, pasts: Sequence[Past]) -> None:
    changed: dict[UUID, datetime] = {UUID(one.story.lead_id): one.story.stages[-1][0] for one in pasts}
    async with pool.transaction(deps.pool) as connection:
        people = await connection.fetch("SELECT id, created_at FROM people")
        await connection.execute("SET LOCAL ROLE jorge_etl")
        await dimensions.follow_people(connection, {row["id"]: row["created_at"] for row in people})
        await dimensions.write_past(connection, [version for one in pasts for version in past.versions(one)])
        await dimensions.follow_leads(connection, changed)


async def _facts(deps: Deps, pasts: Sequence[Past]) -> int:
    events = sorted(
        (event for one in pasts for event in past.events(one)), key=lambda event: event.occurred_at
    )
    now = deps.clock.now()
    connection = await facts.connect(deps.database_url)
    try:
        for begin in range(0, len(events), BATCH):
            batch = [
                facts.Arrived(event=event, source_key=synced.SOURCE, received_at=now, entry="demo")
                for event in events[begin : begin + BATCH]
            ]
            await facts.store(connection, batch)
    finally:
        await connection.close()
    await _tell_windows(deps, events, since=now - LIVE)
    return len(events)


async def _tell_windows(deps: Deps, events: Sequence[Event], *, since: datetime) -> None:
    """Windows that run already counted what there was when they began, and read streams only."""
    await ingest.send(
        deps, [event for event in events if event.occurred_at >= since], source_key=synced.SOURCE, wait=0
    )
