"""Nobody sees a row of the warehouse without a scope, and everything works for an owner who is no superuser."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from datetime import timedelta
from itertools import product
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest

from backend import embedded
from backend.events import Event
from backend.storage import migrate
from backend.storage.pool import Connection
from backend.storage.warehouse import columns, facts, packed, partitions, views
from backend.storage.warehouse.rebuild import rebuild
from tests.backend.storage.warehouse import events
from tests.backend.storage.warehouse.events import NOW, arrived, rows

pytestmark = pytest.mark.anyio

OPEN = {"dim_date", "dim_bot", "bi_measures", "bi_retention", "bi_column_days"}
"""What readers may see without a scope: it says nothing of any office."""
READABLE = """
SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p', 'm', 'v', 'f') AND has_table_privilege('jorge_bi', c.oid, 'SELECT') ORDER BY 1
"""
LOCATED = """
SELECT c.relname, c.relrowsecurity AND c.relforcerowsecurity FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'location_key' AND NOT a.attisdropped
 WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p') AND NOT c.relispartition
"""
WITHIN_REACH = """
SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE n.nspname = 'public' AND (c.relispartition AND c.relkind = 'r' OR c.relkind = 'm')
   AND has_table_privilege('jorge_bi', c.oid, 'SELECT')
"""


async def filled(writer: Connection) -> None:
    """Something in both offices."""
    for place in (events.PLACE, events.OTHER):
        talk = {"conversation_id": uuid.uuid4(), "replied": True, "processing_ms": 5.0}
        told: list[Event] = [
            events.interaction(location_id=place),
            events.bot(location_id=place, **talk),
            events.deal(location_id=place),
            events.health(location_id=place),
            events.health(),
        ]
        await facts.store(writer, arrived(*told))
    for fact, days in product(columns.LAYOUTS, (0, 1)):
        await packed.pack(writer, fact, NOW.date() - timedelta(days=days))


@pytest.fixture
async def reader(owner: Connection, writer: Connection, database_url: str) -> AsyncIterator[Connection]:
    """A connection as jorge_bi, in a warehouse with rows everywhere."""
    await filled(writer)
    await views.refresh(owner)
    connection = await asyncpg.connect(database_url)
    await connection.execute("SET ROLE jorge_bi")
    yield connection
    await connection.close()


async def count(connection: Connection, table: str) -> int:
    return int(await connection.fetchval(f'SELECT count(*) FROM "{table}"'))  # noqa: S608 - names of our tables


async def test_without_a_scope_nothing_that_may_be_read_shows_a_row(
    owner: Connection, reader: Connection
) -> None:
    readable = {name for (name,) in await rows(owner, READABLE)}

    assert readable > OPEN
    assert {name: await count(reader, name) for name in readable - OPEN} == dict.fromkeys(readable - OPEN, 0)


async def test_every_table_with_offices_is_guarded_by_force(owner: Connection, reader: Connection) -> None:
    assert [name for name, forced in await rows(owner, LOCATED) if not forced] == []


async def test_partitions_and_materialized_views_cannot_be_read_around_the_guard(
    owner: Connection, reader: Connection
) -> None:
    assert await rows(owner, WITHIN_REACH) == []


async def test_a_scope_shows_its_own_office_only(owner: Connection, reader: Connection) -> None:
    key = await owner.fetchval("SELECT location_key FROM dim_location WHERE location_id = $1", events.PLACE)
    await reader.execute("SELECT set_config('app.locations', $1, false)", str(key))

    guarded = [
        n for n, _ in await rows(owner, LOCATED) if n.startswith(("fact_", "agg_")) or n == "deal_states"
    ]
    assert len(guarded) >= 9
    for name in guarded:
        seen = await rows(reader, f"SELECT DISTINCT location_key FROM {name} WHERE location_key IS NOT NULL")  # noqa: S608 - names of our tables
        assert seen == [(key,)], name


async def test_readers_write_nothing(reader: Connection) -> None:
    for statement in ("DELETE FROM fact_lead_interactions", "UPDATE agg_daily_metrics SET calls = 1"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await reader.execute(statement)


async def test_facts_are_never_changed(owner: Connection, writer: Connection) -> None:
    await filled(writer)

    with pytest.raises(asyncpg.RaiseError, match="never changed"):
        await owner.execute("UPDATE fact_lead_interactions SET channel = 'x'")


@pytest.fixture
async def plain_owner(tmp_path: Path) -> AsyncIterator[str]:
    """The address of a database that belongs to somebody who may make databases and roles, and nothing more."""
    folder = tmp_path / "engines"
    engines = await asyncio.to_thread(lambda: embedded.start(folder, with_valkey=False, durable=False))
    mighty = await asyncpg.connect(engines.database_url("postgres"))
    await mighty.execute("CREATE ROLE plain LOGIN NOSUPERUSER CREATEROLE CREATEDB")
    await mighty.close()
    parts = urlsplit(engines.database_url("plainly"))
    yield urlunsplit(parts._replace(netloc="plain@"))
    await asyncio.to_thread(embedded.release, engines)


async def test_an_owner_who_is_no_superuser_migrates_and_everything_works(plain_owner: str) -> None:
    await migrate.migrate(plain_owner)
    owner = await asyncpg.connect(plain_owner, server_settings={"timezone": "UTC"})
    await events.offices(owner)
    writer = await facts.connect(plain_owner)

    await filled(writer)
    old = events.interaction(occurred_at=events.before(days=800))
    assert (await facts.store(writer, arrived(old))).new == 1  # a month that was not there
    assert set(await views.refresh(owner)) == set(views.VIEWS)
    assert (await rebuild(owner, check=True)).all_differed == 0
    assert len(await partitions.drop_old(owner, NOW, months_kept=12)) == 4

    await owner.execute("SET ROLE jorge_bi")
    assert await count(owner, "fact_lead_interactions") == 0
    await owner.execute("SELECT set_config('app.locations', '-1,1,2', false)")
    assert await rows(
        owner, "SELECT sum(interactions)::int FROM agg_daily_metrics WHERE location_key = -1"
    ) == [(3,)]
    assert await count(owner, "fact_lead_interactions") == 2
    for connection in (writer, owner):
        await connection.close()
