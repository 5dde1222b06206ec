"""In production the database belongs to a role that is no superuser: the tables are made, and the guards hold for it too."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator

import asyncpg
import pytest

from backend import embedded
from backend.storage import migrate

pytestmark = pytest.mark.anyio


@pytest.fixture
async def owner(engines: embedded.Engines) -> AsyncIterator[asyncpg.Connection[asyncpg.Record]]:
    """A connection of an owner with CREATEROLE and nothing else, to a migrated database of its own."""
    name = f"test_{uuid.uuid4().hex[:12]}"
    boss = await asyncpg.connect(engines.database_url("postgres"))
    await boss.execute(f"CREATE ROLE {name} LOGIN CREATEROLE NOSUPERUSER")
    await boss.execute(f"CREATE DATABASE {name} OWNER {name}")
    # On a server of its own it made these roles itself; here the tests' superuser did.
    for role in ("jorge_etl", "jorge_bi", "jorge_audit"):
        if await boss.fetchval("SELECT 1 FROM pg_roles WHERE rolname = $1", role):
            await boss.execute(f"GRANT {role} TO {name} WITH ADMIN OPTION")
    url = engines.database_url(name).replace("//jorge@", f"//{name}@")
    try:
        await migrate.migrate(url)
        connection = await asyncpg.connect(url)
        yield connection
        await connection.close()
    finally:
        await boss.execute(f"DROP DATABASE {name} WITH (FORCE)")
        await boss.execute(f"DROP ROLE {name}")
        await boss.close()


async def test_everything_is_made_and_its_roles_can_be_taken(
    owner: asyncpg.Connection[asyncpg.Record],
) -> None:
    for role in ("jorge_etl", "jorge_bi", "jorge_audit"):
        async with owner.transaction():
            await owner.execute("SELECT set_config('role', $1, true)", role)
            assert await owner.fetchval("SELECT current_user") == role


async def test_an_office_reaches_the_warehouse_and_nobody_sees_it_without_a_scope(
    owner: asyncpg.Connection[asyncpg.Record],
) -> None:
    office = uuid.uuid4()
    await owner.execute(
        "INSERT INTO locations (id, name, state, zone) VALUES ($1, 'Ontario', 'CA', 'America/Los_Angeles')",
        office,
    )

    async with owner.transaction():
        await owner.execute("SET LOCAL ROLE jorge_bi")
        unseen = await owner.fetchval("SELECT count(*) FROM dim_location")
    async with owner.transaction():
        await owner.execute("SET LOCAL ROLE jorge_etl")
        made = await owner.fetchval("SELECT count(*) FROM dim_location WHERE location_id = $1", office)

    assert (unseen, made) == (0, 1)


async def test_the_log_is_append_only_for_it_too(owner: asyncpg.Connection[asyncpg.Record]) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await owner.execute("DELETE FROM audit_log")
