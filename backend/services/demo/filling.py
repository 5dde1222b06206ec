"""The demo's year into the warehouse, in bulk: its past leads, its facts, and a cursor that says that all of it is in."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from backend.services.demo import past
from backend.services.demo.history import Past
from backend.storage import feed, pool
from backend.storage.warehouse import dimensions, facts, feed_cursor, synced

if TYPE_CHECKING:
    from backend.deps import Deps

BATCH = 10_000


async def fill(deps: Deps, pasts: Sequence[Past]) -> int:
    """How many facts. Done twice it changes nothing."""
    await _dimensions(deps, pasts)
    count = await _facts(deps, pasts)
    async with pool.transaction(deps.pool) as connection:
        await feed.stamp(connection)
        await feed_cursor.settled_at_head(connection)
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
    return len(events)
