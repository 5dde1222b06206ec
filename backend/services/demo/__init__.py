"""The demo: fills an empty database with an invented brokerage, and nothing but an empty one."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from backend.actor import Role
from backend.services.demo import brokerage, filling, world
from backend.storage import demo as store
from backend.storage import pool, users
from backend.storage.warehouse import feed_cursor
from domain import errors

if TYPE_CHECKING:
    from backend.deps import Deps

logger = logging.getLogger(__name__)

PASSWORD = "demo"


class Content(StrEnum):
    """What a database holds: the demo and real data never lie in one."""

    EMPTY = "empty"
    DEMO = "demo"
    REAL = "real"


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What was made; `str()` of it are lines for a terminal."""

    rows: int
    seconds: float
    logins: tuple[str, ...]
    checksum: str

    def __str__(self) -> str:
        return (
            f"The demo is ready: {self.rows:,} invented rows in {self.seconds:.1f} s.\n"
            f"Sign in (from this machine only) as {', '.join(self.logins)}; the password is {PASSWORD!r}."
        )


def silent(_: object) -> None:
    """For callers that want no progress."""


async def content(deps: Deps) -> Content:
    """Whether the database is empty, the demo's, or somebody's."""
    async with deps.pool.acquire() as connection:
        return Content(await store.content(connection))


async def run_demo(
    deps: Deps, progress: Callable[[object], object] = silent, *, lead_count: int = world.LEADS
) -> Report:
    """The year that ends now. Raises: InputError when anything is there already; it stays as it was."""
    begin = deps.clock.monotonic()
    begun = await _begun(deps)
    if begun is None:
        _check_empty(await content(deps), str(deps.settings.data_dir))
    made = await asyncio.to_thread(brokerage.make, begun or deps.clock.now(), progress, lead_count=lead_count)
    rows = made.tables.count()
    if begun is None:
        password_hash = await deps.passwords.hash(PASSWORD)
        progress("Storing it …")
        async with pool.transaction(deps.pool) as connection:
            await store.lock(connection)
            await feed_cursor.hold(connection)
            _check_empty(Content(await store.content(connection)), str(deps.settings.data_dir))
            await _store(connection, made, password_hash)
    progress("Counting its year …")
    rows += await filling.fill(deps, made.pasts)
    async with deps.pool.acquire() as connection:
        await store.analyze(connection)
    report = Report(
        rows=rows,
        seconds=deps.clock.monotonic() - begin,
        logins=tuple(person.email for person in made.staff),
        checksum=made.checksum(),
    )
    logger.info("demo.made", extra={"rows": rows, "seconds": round(report.seconds, 1)})
    progress(report)
    return report


async def _begun(deps: Deps) -> datetime | None:
    """The moment of a demo that was stored but not counted: whoever made it was stopped on the way."""
    async with deps.pool.acquire() as connection:
        if await store.content(connection) != Content.DEMO or not await feed_cursor.is_held(connection):
            return None
        return brokerage.moment_of(await store.opened(connection))


def _check_empty(found: Content, where: str) -> None:
    if found is Content.DEMO:
        raise errors.InputError(
            "The demo is in this database already; nothing was changed.",
            where=where,
            hint="Go on with it, or choose an empty folder with JORGE_DATA_DIR.",
        )
    if found is Content.REAL:
        raise errors.InputError(
            "This database is not empty, and the demo never mixes with real data; nothing was changed.",
            where=where,
            hint="Choose an empty folder with JORGE_DATA_DIR, or another DATABASE_URL.",
        )


async def _store(connection: pool.Connection, made: brokerage.Brokerage, password_hash: str) -> None:
    """Offices, people, then all tables."""
    await store.locations(connection, made.locations)
    places = {str(place["name"]).removesuffix(" (demo)"): str(place["id"]) for place in made.locations}
    for person in made.staff:
        await users.add(
            connection,
            users.User(
                id=person.id,
                email=person.email,
                name=person.name,
                role=Role(person.role),
                password_hash=password_hash,
                disabled=False,
                demo=True,
            ),
        )
        await users.grant(connection, person.id, [places[office] for office in person.offices])
    await store.tables(connection, made.tables.by_name())
