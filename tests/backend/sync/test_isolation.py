"""Nobody sees or changes a row of a location that they were not granted, in any table, by any way."""

from __future__ import annotations

from typing import Any

import pytest

from backend.deps import Deps
from backend.storage import pool, users
from domain import ids, tables, wire
from tests.backend.sync.conftest import MakeDevice, Stamp
from tests.backend.sync.devices import T0, Device, new_lead

pytestmark = pytest.mark.anyio

_SAMPLES: dict[tables.Type, Any] = {
    tables.Type.TEXT: "secret",
    tables.Type.ID: "018f0000-0000-7000-8000-000000000001",
    tables.Type.TIME: T0,
}
_WORDS = {"kind": "seller", "stage": "new", "side_held": "listing", "state": "saved"}
PUSHABLE = [table for table in tables.ALL if table.writers and table is not tables.CONFLICTS]


def sample(device: Device, table: tables.Table) -> dict[str, Any]:
    """What a row of `table` must have."""
    values = {column.name: _SAMPLES[column.type] for column in table.fields if column.required}
    words = {name: word for name, word in _WORDS.items() if name in values and table.name != "tasks"}
    return {**values, **words, "location_id": device.locations[0]}


async def fill(device: Device) -> dict[str, str]:
    """One row in each table that a manager may write; ids by table."""
    made = {table.name: ids.new_id() for table in PUSHABLE}
    results = await device.push(
        *(
            device.mutation("put", name, row_id, sample(device, tables.BY_NAME[name]))
            for name, row_id in made.items()
        )
    )
    assert {result.status for result in results} == {wire.Status.APPLIED}, results
    return made


async def test_rows_of_another_location_are_never_sent(make_device: MakeDevice, stamp: Stamp) -> None:
    owner, stranger = await make_device("manager"), await make_device("manager", locations=("Dallas",))
    await stranger.pull()
    made = await fill(owner)
    await stamp()
    await stranger.pull()
    fresh = await make_device("agent", locations=("Dallas",))
    await fresh.pull()
    for device in (stranger, fresh):
        assert device.scopes == set(stranger.locations)
        assert not set(made.values()) & {row_id for _, row_id in device.rows}
        assert {row[2] for row in device.rows.values()} <= set(stranger.locations)


@pytest.mark.parametrize("op", ["put", "patch", "delete"])
async def test_rows_of_another_location_cannot_be_written(
    make_device: MakeDevice, deps: Deps, op: str
) -> None:
    owner, stranger = await make_device("manager"), await make_device("manager", locations=("Dallas",))
    made = await fill(owner)
    for name, row_id in made.items():
        patch = sample(stranger, tables.BY_NAME[name]) if op == "put" else {}
        (result,) = await stranger.push(stranger.mutation(op, name, row_id, patch, base_ver=9))
        assert (result.status, result.row) == (wire.Status.PARKED, None), name
        assert "secret" not in result.message
        async with deps.pool.acquire() as connection:
            row = await connection.fetchrow(f"SELECT _ver, _deleted_at FROM {name} WHERE id = $1", row_id)  # noqa: S608
        assert row is not None
        assert tuple(row) == (1, None)


@pytest.mark.parametrize("table", PUSHABLE, ids=lambda table: table.name)
async def test_a_row_cannot_be_put_into_another_location(
    make_device: MakeDevice, table: tables.Table
) -> None:
    owner, stranger = await make_device("manager"), await make_device("manager", locations=("Dallas",))
    (put,) = await stranger.push(stranger.mutation("put", table.name, ids.new_id(), sample(owner, table)))
    assert (put.status, put.code) == (wire.Status.PARKED, "forbidden")
    own = ids.new_id()
    await stranger.push(stranger.mutation("put", table.name, own, sample(stranger, table)))
    (moved,) = await stranger.push(
        stranger.mutation("patch", table.name, own, {"location_id": owner.locations[0]}, base_ver=1)
    )
    assert moved.status is wire.Status.PARKED


@pytest.mark.parametrize("table", [t for t in tables.ALL if "agent" not in t.writers], ids=lambda t: t.name)
async def test_an_agent_cannot_write_what_is_not_theirs_to_write(
    make_device: MakeDevice, table: tables.Table
) -> None:
    agent = await make_device()
    (result,) = await agent.push(agent.mutation("put", table.name, ids.new_id(), sample(agent, table)))
    assert (result.status, result.code) == (wire.Status.PARKED, "forbidden")


async def test_conflict_records_cannot_be_invented(make_device: MakeDevice) -> None:
    manager = await make_device("manager")
    record = sample(manager, tables.CONFLICTS)
    (result,) = await manager.push(manager.mutation("put", "conflicts", ids.new_id(), record))
    assert (result.status, result.code) == (wire.Status.PARKED, "forbidden")


async def test_a_location_granted_later_is_loaded_and_one_taken_away_is_left_out(
    make_device: MakeDevice, deps: Deps, stamp: Stamp
) -> None:
    agent, far = await make_device(), await make_device("manager", locations=("Dallas",))
    there, here = await new_lead(far), await new_lead(agent)
    await stamp()
    await agent.pull()
    assert agent.ids("leads") == {here}
    async with pool.transaction(deps.pool) as connection:
        await users.grant(connection, agent.user_id, far.locations)
    later = await new_lead(far)
    await stamp()
    await agent.pull()
    assert agent.ids("leads") == {here, there, later}
    async with pool.transaction(deps.pool) as connection:
        await connection.execute("DELETE FROM user_locations WHERE location_id = $1 AND user_id = $2", far.locations[0], agent.user_id)  # fmt: skip
    await new_lead(far)
    await stamp()
    pages = await agent.pull()
    assert agent.ids("leads") == {here}
    assert all(row[2] in agent.locations for page in pages for block in page.blocks for row in block.rows)


async def test_a_row_that_moves_leaves_one_location_and_comes_to_the_other(
    make_device: MakeDevice, deps: Deps, stamp: Stamp
) -> None:
    agent, far = await make_device(), await make_device("manager", locations=("Dallas",))
    lead_id = await new_lead(agent)
    desk = await make_device("manager")
    await stamp()
    await desk.pull()
    await far.pull()
    async with pool.transaction(deps.pool) as connection:
        await connection.execute("UPDATE leads SET location_id = $1 WHERE id = $2", far.locations[0], lead_id)
    await stamp()
    (page,) = await desk.pull()
    await far.pull()
    assert (list(page.removed), page.blocks) == ([("leads", lead_id)], ())
    assert far.ids("leads") == {lead_id}


async def test_a_result_is_not_told_to_another_person_with_the_same_device_id(
    make_device: MakeDevice,
) -> None:
    owner, thief = await make_device(), await make_device(locations=("Dallas",))
    thief.id = owner.id
    mutation = owner.mutation("put", "leads", ids.new_id(), sample(owner, tables.LEADS))
    await owner.push(mutation)
    answer = await thief.send(mutation)
    assert (answer.status_code, answer.json()["code"]) == (409, "device_forked")
