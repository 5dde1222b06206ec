"""Writes that wait for each other end as if each had been made at once."""

from __future__ import annotations

import contextlib
import random
from typing import Any

import pytest

from backend.deps import Deps
from backend.storage import rows
from backend.storage.pg_store import PgStore, PgStores
from backend.storage.store import RefusedByStore
from domain import ids, tables
from domain.tables import Type
from tests.backend.sync.conftest import MakeDevice
from tests.backend.sync.places import stored

pytestmark = pytest.mark.anyio

WRITTEN = [table for table in tables.ALL if table.writers]
CHOICES: dict[Type, list[Any]] = {
    Type.TEXT: ["a", "", "“ü” \n'\\", None],
    Type.ID: ["018f0000-0000-7000-8000-000000000001", None],
    Type.INT: [0, -5, (1 << 53) + 1, None],
    Type.REAL: [0.1, -3.0, 1e22, None],
    Type.BOOL: [True, False, None],
    Type.TIME: ["2026-11-22T16:00:00.123Z", "1999-12-31T23:59:59.999Z", None],
    Type.DATE: ["2026-11-22", "1999-12-31", None],
    Type.JSON: [
        ["a", "b"],
        [],
        {"k": [1, 2.5, None]},
        {"b": 1, "a": {"c": "ü"}},
        [["x"], ["y"]],
        "text",
        None,
    ],
}


def some(rng: random.Random, table: tables.Table, location: str, *, whole: bool) -> dict[str, Any]:
    """Values for a new row, or for a change of one."""
    names = [name for name in table.columns if whole or rng.random() < 0.3]
    found = {}
    for name in names:
        field = table.by_name[name]
        choices = CHOICES[field.type]
        found[name] = rng.choice(choices[:-1] if field.required else choices)
    found.pop("external_id", None)
    return {**found, "location_id": location}


def whole(row: rows.Stored) -> tuple[Any, ...]:
    return row.table.name, row.id, row.ver, dict(row.fver), row.deleted, dict(row.values)


@pytest.mark.parametrize("seed", range(6))
async def test_rows_are_what_was_said_beforehand(make_device: MakeDevice, deps: Deps, seed: int) -> None:
    rng = random.Random(seed)
    device = await make_device("manager")
    said: dict[str, rows.Stored] = {}
    async with PgStores(deps.pool).transaction() as store:
        for number in range(120):
            origin = rng.choice(["", "one", "other"])
            await store.act_as(actor_id=device.user_id, origin=origin)
            if number < 30:
                row = await store.insert(
                    (table := WRITTEN[number % len(WRITTEN)]),
                    ids.new_id(),
                    some(rng, table, device.locations[0], whole=True),
                )
            else:
                before = said[rng.choice(sorted(said))]
                given = some(rng, before.table, device.locations[0], whole=False)
                row = await store.update(before, given, edit_ms=rng.randrange(1 << 40))
            said[row.id] = row

    for row in said.values():
        assert whole(await stored(deps, row.table.name, row.id)) == whole(row)


async def a_task(store: PgStore, device: Any, **values: Any) -> rows.Stored:
    given = {"location_id": device.locations[0], "created_at": "2026-11-22T16:00:00.000Z", "kind": "todo"}
    return await store.insert(tables.TASKS, ids.new_id(), {**given, "title": "a", **values})


async def test_what_waits_within_a_savepoint_goes_with_it(make_device: MakeDevice, deps: Deps) -> None:
    device = await make_device()
    async with PgStores(deps.pool).transaction() as store:
        before = await a_task(store, device)
        with contextlib.suppress(KeyError):
            async with store.savepoint():
                within = await a_task(store, device)
                raise KeyError
        after = await store.update(before, {"title": "b"}, edit_ms=1)

    assert (await stored(deps, "tasks", before.id)).ver == after.ver == 2
    async with deps.pool.acquire() as connection:
        assert await rows.get(connection, tables.TASKS, within.id) is None


async def test_what_the_database_refuses_is_told_within_the_savepoint(
    make_device: MakeDevice, deps: Deps
) -> None:
    device = await make_device()
    async with PgStores(deps.pool).transaction() as store:
        kept = await a_task(store, device)
        with pytest.raises(RefusedByStore):
            async with store.savepoint():
                await store.insert(tables.TASKS, kept.id, {**kept.values})

    assert (await stored(deps, "tasks", kept.id)).ver == 1


async def test_what_the_database_refuses_at_the_end_undoes_all(make_device: MakeDevice, deps: Deps) -> None:
    device = await make_device()
    kept = None
    with contextlib.suppress(RefusedByStore):
        async with PgStores(deps.pool).transaction() as store:
            kept = await a_task(store, device)
            await store.insert(tables.TASKS, ids.new_id(), {**kept.values, "location_id": ids.new_id()})

    assert kept is not None
    async with deps.pool.acquire() as connection:
        assert await rows.get(connection, tables.TASKS, kept.id) is None


async def test_a_row_that_is_not_what_was_locked_is_noticed(make_device: MakeDevice, deps: Deps) -> None:
    device = await make_device()
    async with PgStores(deps.pool).transaction() as store:
        row = await a_task(store, device)
    async with deps.pool.acquire() as connection:
        await connection.execute("UPDATE tasks SET title = 'x' WHERE id = $1", row.id)

    with pytest.raises(ValueError, match="locked"):
        async with PgStores(deps.pool).transaction() as store:
            await store.update(row, {"title": "y"}, edit_ms=1)
