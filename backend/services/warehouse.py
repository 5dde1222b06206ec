"""Upkeep of the warehouse by hand: aggregates proved and mended, months made ahead."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import date, timedelta
from itertools import product
from typing import TYPE_CHECKING

import asyncpg

from backend.jobs import partitions
from backend.storage.warehouse import rebuild as aggregates
from backend.storage.warehouse.ranges import date_key
from backend.stream import entries
from backend.stream.from_sync.owing import Owed
from domain import errors

if TYPE_CHECKING:
    from backend.deps import Deps
    from backend.storage.pool import Connection


async def rebuild_aggregates(
    deps: Deps,
    *,
    first: date | None = None,
    last: date | None = None,
    check: bool = False,
    told: Callable[[str], None],
) -> None:
    """The caches hear of what was mended. Raises: InputError for days the wrong way round; RuleError when `check` finds a difference."""
    if first and last and first > last:
        raise errors.InputError("The first day is after the last.", where="--from", hint="Swap the days.")
    owed = Owed(deps)

    async def note(begin: date, after: date) -> None:
        await owed.note(await _touched(connection, begin, after))

    async with _alone(deps.database_url) as connection:
        found = await aggregates.rebuild(connection, first=first, last=last, check=check, about_to=note)
    await owed.tell()
    for line in found.lines():
        told(line)
    if check and found.all_differed:
        raise errors.RuleError(
            "The aggregates are not the sum of the facts.",
            where="rebuild-aggregates --check",
            hint="Run it without --check to put them right, and find out who wrote past the triggers.",
        )


async def make_partitions(deps: Deps) -> int:
    """How many were made: for the months ahead, and for rows that lay without one."""
    return await partitions.once(deps)


async def _touched(connection: Connection, begin: date, after: date) -> set[str]:
    """Tags of all that may count otherwise; an office's days reach beyond those of UTC."""
    places = [-1, *(row[0] for row in await connection.fetch("SELECT location_key FROM dim_location"))]
    days = [begin + timedelta(days=n) for n in range(-2, (after - begin).days + 2)]
    tags = {entries.stock_tag(place) for place in places}
    for place, day in product(places, days):
        tags.add(entries.day_tag(place, date_key(day)))
        tags |= {entries.hour_tag(place, f"{day:%Y%m%d}{hour:02}") for hour in range(24)}
    return tags


@asynccontextmanager
async def _alone(url: str) -> AsyncIterator[Connection]:
    """A connection that may take as long as it takes."""
    connection = await asyncpg.connect(
        url, server_settings={"application_name": "jorge-upkeep", "timezone": "UTC", "jit": "off"}
    )
    try:
        yield connection
    finally:
        await connection.close()
