"""A lead goes to another location with all that belongs to it, and what comes later follows."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from backend.deps import Deps
from backend.storage import uploads
from domain import ids, wire
from tests.backend.sync.conftest import MakeDevice, Stamp
from tests.backend.sync.devices import T0, Device, a_lead, new_lead
from tests.backend.sync.places import a_task, a_visit, all_of, stored

pytestmark = pytest.mark.anyio

PLACES = ("Rancho Cucamonga", "Dallas")
CHILDREN = ("interactions", "tasks", "notes", "properties", "deals")


async def two(make_device: MakeDevice) -> tuple[Device, Device, str, str]:
    """An agent of the first location, a manager of both, and the two locations."""
    phone, desk = await make_device(), await make_device("manager", PLACES)
    there = next(place for place in desk.locations if place != phone.locations[0])
    return phone, desk, phone.locations[0], there


def family(device: Device, lead: str, here: str) -> list[wire.Mutation]:
    """A row of each kind that belongs to the lead."""
    row = {"location_id": here, "created_at": T0, "lead_id": lead}
    made: Mapping[str, Mapping[str, Any]] = {
        "interactions": a_visit(here, lead),
        "tasks": a_task(here, lead),
        "notes": {**row, "agent_id": device.user_id, "state": "saved"},
        "properties": {**row, "status": "listed"},
        "deals": {**row, "stage": "new", "side_held": "buyer"},
    }
    return [device.mutation("put", table, ids.new_id(), values) for table, values in made.items()]


async def move(desk: Device, lead: str, there: str, **more: Any) -> wire.Result:
    given = {"base_ver": 1, **more}
    (result,) = await desk.push(desk.mutation("patch", "leads", lead, {"location_id": there}, **given))
    return result


async def test_all_of_a_lead_leaves_one_location_and_comes_to_the_other_in_one_page(
    make_device: MakeDevice, stamp: Stamp
) -> None:
    phone, desk, here, there = await two(make_device)
    far = await make_device(locations=("Dallas",))
    lead = await new_lead(phone)
    await desk.push(*family(desk, lead, here))
    await desk.push(desk.mutation("patch", "leads", lead, {"stage": "offer"}, base_ver=1))
    await phone.push(phone.mutation("patch", "leads", lead, {"stage": "lost"}, base={"stage": "new"}))
    await stamp()
    for device in (phone, desk, far):
        await device.pull()
    tables = {"leads", "conflicts", *CHILDREN}
    assert {table for table, _ in phone.rows} >= tables

    result = await move(desk, lead, there, base_ver=2)

    await stamp()
    assert result.status is wire.Status.APPLIED
    (left,), (came,) = await phone.pull(), await far.pull()
    assert {table for table, _ in left.removed} == {block.table for block in came.blocks} == tables
    await desk.pull()
    for table in tables:
        assert not phone.ids(table)
        assert far.ids(table)
        assert {row[2] for key, row in desk.rows.items() if key[0] == table and key[0] != "leads"} <= {there}


async def test_only_managers_of_both_locations_move_a_lead(make_device: MakeDevice, deps: Deps) -> None:
    phone, desk, here, there = await two(make_device)
    wide = await make_device("agent", PLACES)
    narrow = await make_device("manager")
    lead = await new_lead(phone)

    for device in (wide, narrow):
        assert (await move(device, lead, there)).code == "forbidden"
    assert (await move(desk, lead, ids.new_id())).code == "forbidden"
    assert (await move(desk, lead, None)).code == "bad_value"  # type: ignore[arg-type]
    assert (await stored(deps, "leads", lead)).scope == here


@pytest.mark.parametrize("table", CHILDREN)
async def test_what_belongs_to_a_lead_is_not_moved_alone(make_device: MakeDevice, table: str) -> None:
    _, desk, here, there = await two(make_device)
    lead = await new_lead(desk, location_id=here)
    made = next(one for one in family(desk, lead, here) if one.table == table)
    await desk.push(made)

    (result,) = await desk.push(
        desk.mutation("patch", table, made.row_id, {"location_id": there}, base_ver=1)
    )

    assert result.code in ("fixed", "append_only")


async def test_an_agents_edit_of_a_lead_that_has_moved_counts(make_device: MakeDevice, deps: Deps) -> None:
    phone, desk, here, there = await two(make_device)
    lead = await new_lead(phone)
    edit = phone.mutation("patch", "leads", lead, {"name": "Ana R."}, base_ver=1)
    late = phone.mutation("patch", "leads", lead, {"name": "late"}, base_ver=1, seen_server_ms=1 << 50)
    visit = phone.mutation("put", "interactions", ids.new_id(), a_visit(here, lead))
    await move(desk, lead, there)

    results = await phone.push(edit, visit)
    (refused,) = await phone.push(late)

    assert [(r.status, r.row and r.row.deleted) for r in results] == [(wire.Status.MERGED, True)] * 2
    assert refused.code == "not_found"
    row = await stored(deps, "leads", lead)
    assert (row.scope, row.values["name"]) == (there, "Ana R.")
    assert (await stored(deps, "interactions", visit.row_id)).scope == there


async def test_a_child_with_the_old_location_follows_its_lead(make_device: MakeDevice) -> None:
    _, desk, here, there = await two(make_device)
    lead = await new_lead(desk, location_id=here)
    children = family(desk, lead, here)
    lonely = desk.mutation("put", "tasks", ids.new_id(), a_task(here, None))

    results = await desk.push(
        desk.mutation("patch", "leads", lead, {"location_id": there}, base_ver=1),
        *children,
        lonely,
        desk.mutation("patch", "tasks", lonely.row_id, {"lead_id": lead}, base_ver=1),
    )

    assert [r.row and r.row.values["location_id"] for r in results[1:6]] == [there] * 5
    assert [r.row and r.row.values["location_id"] for r in results[6:]] == [None, there]


async def test_nobody_gets_a_row_into_a_location_by_naming_a_lead_that_moves_there_later(
    make_device: MakeDevice, deps: Deps
) -> None:
    _, desk, here, there = await two(make_device)
    stranger = await make_device(locations=("Houston",))
    (outside,) = stranger.locations
    lead, task = await new_lead(desk, location_id=here), ids.new_id()
    await stranger.push(stranger.mutation("put", "tasks", task, a_task(outside, lead)))

    await move(desk, lead, there)

    assert (await stored(deps, "tasks", task)).scope == outside


async def test_nobody_gets_a_row_into_a_location_by_naming_a_lead_there(
    make_device: MakeDevice, deps: Deps
) -> None:
    far, stranger = await make_device(locations=("Dallas",)), await make_device()
    lead, task = await new_lead(far), ids.new_id()

    results = await stranger.push(
        stranger.mutation("put", "tasks", task, a_task(stranger.locations[0], lead)),
        stranger.mutation("patch", "tasks", task, {"lead_id": lead, "title": "x"}, base_ver=1),
    )

    assert {r.status for r in results} == {wire.Status.APPLIED}
    assert (await stored(deps, "tasks", task)).scope == stranger.locations[0]


async def test_making_a_lead_again_does_not_move_it_back(make_device: MakeDevice, deps: Deps) -> None:
    _, desk, here, there = await two(make_device)
    lead = ids.new_id()
    made = a_lead(desk, location_id=here)
    await desk.push(desk.mutation("put", "leads", lead, made))
    await move(desk, lead, there)

    (again,) = await desk.push(desk.mutation("put", "leads", lead, made, base_ver=5))

    assert again.row is not None
    assert again.row.values["location_id"] == (await stored(deps, "leads", lead)).scope == there


async def test_of_two_moves_the_later_one_counts_and_the_other_is_on_record(
    make_device: MakeDevice, deps: Deps, stamp: Stamp
) -> None:
    places = (*PLACES, "Austin")
    one, other = await make_device("manager", places), await make_device("manager", places)
    lead = await new_lead(one)
    home, second, third = one.locations
    base = {"location_id": home}
    await move(one, lead, second, base=base, edit_ms=1_000, seen_server_ms=0)

    result = await move(other, lead, third, base=base, edit_ms=2_000, seen_server_ms=0)

    assert (await stored(deps, "leads", lead)).scope == third
    assert result.status is wire.Status.MERGED
    await stamp()
    await one.pull()
    assert [row[2] for key, row in one.rows.items() if key[0] == "conflicts"] == [third]


async def test_a_move_that_cannot_be_is_refused_whole(make_device: MakeDevice, deps: Deps) -> None:
    _, desk, here, there = await two(make_device)
    await new_lead(desk, location_id=there, external_id="same")
    lead, task = await new_lead(desk, location_id=here, external_id="same"), ids.new_id()
    await desk.push(desk.mutation("put", "tasks", task, a_task(here, lead)))

    refused = await move(desk, lead, there)
    (after,) = await desk.push(desk.mutation("patch", "leads", lead, {"name": "b"}, base_ver=1))

    assert (refused.code, "external_id" in refused.message) == ("bad_value", True)
    assert after.status is wire.Status.APPLIED
    assert ((await stored(deps, "leads", lead)).scope, (await stored(deps, "tasks", task)).scope) == (
        here,
        here,
    )


async def test_a_child_that_comes_while_its_lead_moves_ends_beside_it(
    make_device: MakeDevice, deps: Deps
) -> None:
    phone, desk, here, there = await two(make_device)
    leads = [await new_lead(phone) for _ in range(8)]

    await asyncio.gather(
        *(move(desk, lead, there) for lead in leads),
        *(
            device.push(device.mutation("put", "tasks", ids.new_id(), a_task(here, lead)))
            for device in (phone, desk)
            for lead in leads
        ),
    )

    tasks = await all_of(deps, "tasks")
    assert len(tasks) == 16
    assert {task.scope for task in tasks} == {there}


async def test_a_recording_goes_with_its_note(make_device: MakeDevice, deps: Deps) -> None:
    phone, desk, here, there = await two(make_device)
    lead, note = await new_lead(phone), ids.new_id()
    row = {
        "location_id": here,
        "created_at": T0,
        "lead_id": lead,
        "agent_id": phone.user_id,
        "state": "saved",
    }
    await phone.push(phone.mutation("put", "notes", note, row))
    async with deps.pool.acquire() as connection:
        await connection.execute(
            """INSERT INTO uploads (id, user_id, location_id, note_id, sha256, size, done_at)
               VALUES ($1, $2, $3, $4, 'abc', 3, now())""",
            ids.new_id(),
            phone.user_id,
            here,
            note,
        )

    await move(desk, lead, there)

    async with deps.pool.acquire() as connection:
        found = [
            await uploads.finished(connection, location_ids=[place], note_id=note) for place in (here, there)
        ]
    assert [upload is not None for upload in found] == [False, True]
