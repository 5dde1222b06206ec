"""A row that somebody else made, or a version that it never had: what came with the row was seen by nobody who says so."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from backend.deps import Deps
from domain import ids, tables, wire
from tests.backend.sync.conftest import MakeDevice
from tests.backend.sync.devices import Device, a_lead, new_lead
from tests.backend.sync.places import a_task, all_of, stored

pytestmark = pytest.mark.anyio

OLD = 1_000_000_000_000


async def put(device: Device, table: str, row_id: str, values: Mapping[str, Any], **more: Any) -> wire.Result:
    (result,) = await device.push(device.mutation("put", table, row_id, values, **more))
    return result


async def told(deps: Deps) -> dict[str, tuple[Any, Any, Any, str]]:
    """The records: unit → who won, both values, and whether a person is asked."""
    return {
        row.values["unit"]: (
            row.values["winner_by"],
            row.values["winner"],
            row.values["loser"],
            row.values["status"],
        )
        for row in await all_of(deps, "conflicts")
    }


async def test_a_row_that_somebody_else_made_is_not_written_over(make_device: MakeDevice, deps: Deps) -> None:
    phone, other = await make_device(), await make_device("manager")
    lead = await new_lead(phone, name="Ana", price_cents=100, address="1 Elm", zip="1")

    result = await put(
        other,
        "leads",
        lead,
        a_lead(other, name="Eve", price_cents=999, stage="lost", stage_reason="x", zip="2", area="N"),
        edit_ms=OLD,
    )

    assert result.row is not None
    after = (await stored(deps, "leads", lead)).values
    assert result.row.values == after
    assert {
        name: after[name] for name in ("name", "price_cents", "stage", "stage_reason", "zip", "area")
    } == {
        "name": "Ana",
        "price_cents": 100,
        "stage": "new",
        "stage_reason": None,
        "zip": "1",
        "area": "N",
    }
    records = await told(deps)
    assert records["price"] == (
        phone.user_id,
        {"price_cents": 100, "price_on": None},
        {"price_cents": 999, "price_on": None},
        "open",
    )
    assert records["stage"][2:] == ({"stage": "lost", "stage_reason": "x"}, "open")
    assert records["name"] == (phone.user_id, {"name": "Ana"}, {"name": "Eve"}, "settled")
    assert records["address"][2]["address"] is None
    assert set(records) == {"price", "stage", "name", "address"}


async def test_the_later_of_two_makers_wins_and_both_texts_are_kept(
    make_device: MakeDevice, deps: Deps
) -> None:
    phone, other, task = await make_device(), await make_device("manager"), ids.new_id()
    place = phone.locations[0]
    await put(phone, "tasks", task, a_task(place, None, title="A", text="AAA", done_at=None))

    await put(other, "tasks", task, a_task(place, None, title="B", text="BBB"))

    after = (await stored(deps, "tasks", task)).values
    assert (after["title"], after["text"]) == ("B", "AAA\n\nBBB")
    assert set(await told(deps)) == {"title", "text"}


async def test_ones_own_put_again_is_silent_also_with_other_values(
    make_device: MakeDevice, deps: Deps
) -> None:
    phone = await make_device()
    lead = await new_lead(phone, price_cents=100, zip="1")
    await phone.push(phone.mutation("patch", "leads", lead, {"city": "X"}, base_ver=1))

    result = await put(phone, "leads", lead, a_lead(phone, price_cents=200, zip="2"))

    after = (await stored(deps, "leads", lead)).values
    assert (result.status, after["price_cents"], after["zip"], after["city"]) == (
        wire.Status.APPLIED,
        200,
        "2",
        "X",
    )
    assert await told(deps) == {}


async def test_what_a_copy_of_the_store_sends_again_under_its_new_name_is_silent(
    make_device: MakeDevice, deps: Deps
) -> None:
    phone, lead = await make_device(), ids.new_id()
    made = phone.mutation("put", "leads", lead, a_lead(phone, price_cents=100, tags=["a"], address="1 Elm"))
    first = phone.mutation(
        "patch", "leads", lead, {"price_cents": 200}, base={"price_cents": 100, "price_on": None}
    )
    await phone.push(made, first)
    copy = await make_device(email=await phone_email(deps, phone))

    results = await copy.push(
        copy.mutation("put", "leads", lead, made.patch),
        copy.mutation("patch", "leads", lead, first.patch, base=first.base),
        copy.mutation("patch", "leads", lead, {"name": "Ann"}, base={"name": "Ana Ruiz"}),
    )

    assert {one.status for one in results} == {wire.Status.MERGED}
    after = (await stored(deps, "leads", lead)).values
    assert (after["price_cents"], after["name"]) == (200, "Ann")
    assert set(await told(deps)) <= {"price"}
    # The copy's put says 100 again, after its original said 200: the only thing that a person may be asked.


async def phone_email(deps: Deps, phone: Device) -> str:
    return str(await deps.pool.fetchval("SELECT email FROM users WHERE id = $1", phone.user_id))


async def test_a_put_again_that_names_a_lead_which_was_merged_is_silent(
    make_device: MakeDevice, deps: Deps
) -> None:
    phone, desk = await make_device(), await make_device("manager")
    stays = await new_lead(phone, phone="+15125550147")
    goes = await new_lead(phone, phone="+15125550147")
    task = a_task(phone.locations[0], goes)
    task_id = ids.new_id()
    await put(phone, "tasks", task_id, task)
    (pair,) = await all_of(deps, "conflicts")
    choice = {"status": "settled", "resolution": "merge", "resolved_by": desk.user_id}
    await desk.push(desk.mutation("patch", "conflicts", pair.id, choice, base_ver=1))

    await put(desk, "tasks", task_id, task)

    assert (await stored(deps, "tasks", task_id)).values["lead_id"] == stays
    assert len(await all_of(deps, "conflicts")) == 1


@pytest.mark.parametrize("never", [999, -5])
async def test_a_version_that_the_row_never_had_is_not_believed(
    make_device: MakeDevice, deps: Deps, never: int
) -> None:
    phone, other = await make_device(), await make_device("manager")
    lead = await new_lead(phone, price_cents=100)
    await phone.push(phone.mutation("patch", "leads", lead, {"area": "N"}, base_ver=1))

    (result,) = await other.push(
        other.mutation("patch", "leads", lead, {"price_cents": 200, "area": "S"}, base_ver=never)
    )

    assert (result.status, result.row and result.row.values["price_cents"]) == (wire.Status.MERGED, 100)
    assert set(await told(deps)) == {"price", "area"}


async def test_a_version_that_the_row_never_had_with_the_values_that_it_has_is_silent(
    make_device: MakeDevice, deps: Deps
) -> None:
    phone, other = await make_device(), await make_device("manager")
    lead = await new_lead(phone, price_cents=100)

    base = {"price_cents": 100, "price_on": None}
    (result,) = await other.push(
        other.mutation("patch", "leads", lead, {"price_cents": 200}, base=base, base_ver=999)
    )

    assert (result.row and result.row.values["price_cents"], await told(deps)) == (200, {})


async def test_a_deletion_of_a_version_that_the_row_never_had_keeps_what_others_changed(
    make_device: MakeDevice, deps: Deps
) -> None:
    phone, other = await make_device(), await make_device("manager")
    lead = await new_lead(phone)
    await phone.push(phone.mutation("patch", "leads", lead, {"name": "Ann"}, base_ver=1))

    await other.push(other.mutation("delete", "leads", lead, base_ver=999))

    assert (await told(deps))["row"][2] == {"name": "Ann"}


async def test_a_row_from_before_makers_were_noted_is_not_written_over_by_a_put(
    make_device: MakeDevice, deps: Deps
) -> None:
    phone, other = await make_device(), await make_device("manager")
    lead = await new_lead(phone, price_cents=100)
    async with deps.pool.acquire() as connection, connection.transaction():
        await connection.execute("SET LOCAL session_replication_role = replica")
        await connection.execute("UPDATE leads SET _fver = '{}' WHERE id = $1", lead)

    await put(other, "leads", lead, a_lead(other, price_cents=999))
    (patched,) = await phone.push(phone.mutation("patch", "leads", lead, {"area": "N"}, base={"area": None}))

    assert (await stored(deps, "leads", lead)).values["price_cents"] == 100
    assert patched.status in (wire.Status.APPLIED, wire.Status.MERGED)
    assert set(await told(deps)) == {"price"}


def test_the_mark_of_the_maker_is_no_field() -> None:
    assert all("+" not in table.by_name for table in tables.ALL)
