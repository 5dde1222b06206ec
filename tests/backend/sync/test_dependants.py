"""What builds on a change that could not be applied waits with it, also when it comes in a later push."""

from __future__ import annotations

import pytest

from backend.deps import Deps
from domain import ids, wire
from tests.backend.sync.conftest import MakeDevice
from tests.backend.sync.devices import a_lead, new_lead
from tests.backend.sync.places import a_visit, all_of, stored

pytestmark = pytest.mark.anyio


async def test_a_later_change_that_started_from_the_parked_value_is_parked_too(
    make_device: MakeDevice, deps: Deps
) -> None:
    phone = await make_device()
    lead = await new_lead(phone, name="Ana", price_cents=100)
    bad = {"name": "Anna", "stage": "no such stage"}
    await phone.push(
        phone.mutation("patch", "leads", lead, bad, base_ver=1, base={"name": "Ana", "stage": "new"})
    )

    builds, other, again = [
        (await phone.push(phone.mutation("patch", "leads", lead, patch, base_ver=1, base=base)))[0]
        for patch, base in (
            ({"name": "Anna Ruiz"}, {"name": "Anna"}),
            ({"price_cents": 200}, {"price_cents": 100}),
            ({"name": "Ana Ruiz"}, {"name": "Ana"}),
        )
    ]

    assert builds.code == "depends"
    assert other.status is wire.Status.APPLIED
    assert again.status is wire.Status.APPLIED
    assert (await stored(deps, "leads", lead)).values["name"] == "Ana Ruiz"


async def test_once_the_parked_change_got_through_under_a_new_number_so_does_the_other(
    make_device: MakeDevice,
) -> None:
    phone = await make_device()
    lead = await new_lead(phone, name="Ana")
    base = {"name": "Ana"}
    await phone.push(
        phone.mutation("patch", "leads", lead, {"name": "Anna", "shoe_size": 4}, base_ver=1, base=base)
    )

    results = await phone.push(
        phone.mutation("patch", "leads", lead, {"name": "Anna"}, base_ver=1, base=base),
        phone.mutation("patch", "leads", lead, {"name": "Anna R."}, base_ver=1, base={"name": "Anna"}),
    )

    assert {r.status for r in results} == {wire.Status.APPLIED}


async def test_changes_of_a_row_whose_making_is_parked_say_so(make_device: MakeDevice) -> None:
    phone, lead = await make_device(), ids.new_id()
    await phone.push(phone.mutation("put", "leads", lead, a_lead(phone, stage="no such stage")))

    (later,) = await phone.push(phone.mutation("patch", "leads", lead, {"name": "b"}))
    (unknown,) = await phone.push(phone.mutation("patch", "leads", ids.new_id(), {"name": "b"}))
    retried, after = await phone.push(
        phone.mutation("put", "leads", lead, a_lead(phone)),
        phone.mutation("patch", "leads", lead, {"name": "b"}),
    )

    assert (later.code, unknown.code) == ("depends", "not_found")
    assert (retried.status, after.status) == (wire.Status.APPLIED, wire.Status.APPLIED)


async def test_what_another_store_parked_is_no_hindrance(make_device: MakeDevice) -> None:
    phone, desk = await make_device(), await make_device("manager")
    lead = await new_lead(phone, name="Ana")
    await phone.push(phone.mutation("patch", "leads", lead, {"name": "Anna", "shoe_size": 4}, base_ver=1))

    (result,) = await desk.push(
        desk.mutation("patch", "leads", lead, {"name": "Anna R."}, base_ver=1, base={"name": "Anna"})
    )

    assert result.status is not wire.Status.PARKED


async def test_a_poison_change_takes_twenty_children_along_and_nothing_else(make_device: MakeDevice) -> None:
    phone, lead = await make_device(), ids.new_id()
    poison = phone.mutation("put", "leads", lead, a_lead(phone, name=None))
    children = [phone.mutation("patch", "leads", lead, {"name": f"{n}"}) for n in range(20)]
    fine = phone.mutation("put", "leads", ids.new_id(), a_lead(phone))

    results = await phone.push(poison, *children, fine)

    assert [r.code for r in results] == ["bad_value", *["depends"] * 20, ""]


async def test_a_visit_of_a_deleted_lead_is_kept_and_somebody_is_told_once(
    make_device: MakeDevice, deps: Deps
) -> None:
    phone, desk = await make_device(), await make_device("manager")
    lead = await new_lead(phone)
    await desk.push(desk.mutation("delete", "leads", lead, base_ver=1))

    results = await phone.push(
        *(
            phone.mutation("put", "interactions", ids.new_id(), a_visit(phone.locations[0], lead))
            for _ in "ab"
        )
    )

    assert {r.status for r in results} == {wire.Status.APPLIED}
    (told,) = await all_of(deps, "conflicts")
    assert (told.values["tbl"], told.values["lead_id"], told.values["status"]) == (
        "interactions",
        lead,
        "open",
    )
    assert (told.values["winner"], told.values["loser_by"]) == ({"deleted": True}, phone.user_id)
