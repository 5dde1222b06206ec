"""PostgreSQL's tables say the same as domain/tables.py, and their triggers keep versions and log whoever writes."""

from __future__ import annotations

from typing import Any

import pytest

from backend.deps import Deps
from backend.storage import pool, users
from domain import ids, tables
from tests.serving import MakeUser

pytestmark = pytest.mark.anyio

_SQL_TYPES = {
    tables.Type.TEXT: "text",
    tables.Type.ID: "uuid",
    tables.Type.INT: "bigint",
    tables.Type.REAL: "double precision",
    tables.Type.BOOL: "boolean",
    tables.Type.TIME: "timestamp with time zone",
    tables.Type.DATE: "date",
    tables.Type.JSON: "jsonb",
}
_OWN = {"id", "_ver", "_fver", "_deleted_at", "demo"}


@pytest.mark.parametrize("table", tables.ALL, ids=lambda table: table.name)
async def test_columns_are_those_of_the_registry(deps: Deps, table: tables.Table) -> None:
    rows = await deps.pool.fetch(
        "SELECT column_name, data_type, is_nullable FROM information_schema.columns WHERE table_name = $1 AND table_schema = 'public'",
        table.name,
    )
    there = {row["column_name"]: row["data_type"] for row in rows if row["column_name"] not in _OWN}
    assert there == {column.name: _SQL_TYPES[column.type] for column in table.fields}
    required = {column.name for column in table.fields if column.required}
    not_null = {row["column_name"] for row in rows if row["is_nullable"] == "NO"} - _OWN
    generated = {"location_id"} if table is tables.LOCATIONS else set()
    defaulted = {"state", "zone"} if table is tables.LOCATIONS else set()
    assert not_null == required - generated | defaulted


@pytest.mark.parametrize("table", tables.ALL, ids=lambda table: table.name)
async def test_each_table_has_its_triggers(deps: Deps, table: tables.Table) -> None:
    found = await deps.pool.fetch(
        "SELECT tgname FROM pg_trigger WHERE tgrelid = $1::text::regclass AND NOT tgisinternal", table.name
    )
    assert {"sync_before_update", "sync_log_insert", "sync_log_update"} <= {row["tgname"] for row in found}


async def log_of(deps: Deps, row_id: str) -> list[tuple[Any, ...]]:
    found = await deps.pool.fetch(
        "SELECT tbl, ver, scope_from IS NOT NULL, scope_to IS NOT NULL FROM change_log WHERE row_id = $1 ORDER BY log_id",
        row_id,
    )
    return [tuple(row) for row in found]


async def test_any_writer_raises_the_version_once_and_leaves_a_line(deps: Deps, make_user: MakeUser) -> None:
    await make_user()
    lead_id = ids.new_id()
    async with pool.transaction(deps.pool) as connection:
        location = await connection.fetchval("SELECT id FROM locations")
        await connection.execute(
            "INSERT INTO leads (id, location_id, kind, name, stage) VALUES ($1, $2, 'seller', 'x', 'new')",
            lead_id,
            location,
        )
    for change in ("name = 'y', source = 'z'", "name = 'y'", "_deleted_at = now()", "_deleted_at = NULL"):
        await deps.pool.execute(f"UPDATE leads SET {change} WHERE id = $1", lead_id)  # noqa: S608
    row = await deps.pool.fetchrow("SELECT _ver, _fver FROM leads WHERE id = $1", lead_id)
    assert row is not None
    assert (row["_ver"], {name: entry[0] for name, entry in row["_fver"].items()}) == (
        4,
        {"name": 2, "source": 2},
    )
    lines = [
        ("leads", 1, False, True),
        ("leads", 2, True, True),
        ("leads", 3, True, False),
        ("leads", 4, False, True),
    ]
    assert await log_of(deps, lead_id) == lines


async def test_an_office_that_is_renamed_is_logged_and_one_that_is_not_stays_quiet(
    deps: Deps, make_user: MakeUser
) -> None:
    await make_user()
    location = await deps.pool.fetchval("SELECT id FROM locations")
    await deps.pool.execute("UPDATE locations SET name = name, zone = 'UTC'")
    await deps.pool.execute("UPDATE locations SET name = name, zone = 'UTC'")
    assert len(await log_of(deps, location)) == 2
    fver = await deps.pool.fetchval("SELECT _fver FROM locations")
    assert set(fver) == {"zone"}


async def test_people_follow_who_may_see_what(deps: Deps, make_user: MakeUser) -> None:
    user = await make_user(locations=("A", "B"))
    sql = "SELECT name, role, _deleted_at IS NULL AS here FROM people WHERE user_id = $1 ORDER BY here"
    assert [row["here"] for row in await deps.pool.fetch(sql, user.id)] == [True, True]
    await deps.pool.execute("UPDATE users SET name = 'New Name' WHERE id = $1", user.id)
    await deps.pool.execute(
        "DELETE FROM user_locations WHERE location_id = (SELECT id FROM locations WHERE name = 'A')"
    )
    rows = await deps.pool.fetch(sql, user.id)
    assert [(row["name"], row["here"]) for row in rows] == [("New Name", False), ("New Name", True)]
    async with pool.transaction(deps.pool) as connection:
        await users.grant(
            connection, user.id, [str(await connection.fetchval("SELECT id FROM locations WHERE name = 'A'"))]
        )
    assert [row["here"] for row in await deps.pool.fetch(sql, user.id)] == [True, True]
