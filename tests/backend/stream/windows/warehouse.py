"""The world's events in a real warehouse."""

from __future__ import annotations

import random
from collections.abc import Iterable

from backend.deps import Deps
from backend.events import Event
from backend.storage.warehouse import facts
from tests.backend.stream.windows import world


async def open_offices(deps: Deps) -> None:
    """The world's three; their location keys become those of `world.OFFICES`."""
    for office, key in world.OFFICES.items():
        await deps.pool.execute(
            "INSERT INTO locations (id, name, state, zone) VALUES ($1, $2, 'CA', 'America/Los_Angeles')",
            office,
            f"Office {key}",
        )
        await deps.pool.execute(
            "UPDATE dim_location SET location_key = $2 WHERE location_id = $1", office, key
        )


async def store(deps: Deps, events: Iterable[tuple[str, Event]], *, seed: int = 0) -> None:
    """In another order, some twice."""
    told = [event for _, event in events]
    random.Random(seed).shuffle(told)
    connection = await facts.connect(deps.database_url)
    try:
        for begin in range(0, len(told), 37):
            batch = told[max(0, begin - 5) : begin + 37]
            stored = await facts.store(
                connection, [facts.Arrived(event=e, received_at=max(e.occurred_at, world.NOW)) for e in batch]
            )
            assert not stored.rejected
    finally:
        await connection.close()
