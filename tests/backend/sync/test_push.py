"""Pushing: what comes of one mutation, of a repeat, of a bad one among good ones."""

from __future__ import annotations

from typing import Any

import pytest

from backend.services import outcomes
from domain import ids, wire
from tests.backend.sync.conftest import MakeDevice, Stamp
from tests.backend.sync.devices import T0, a_lead, new_lead

pytestmark = pytest.mark.anyio


async def test_a_lead_made_on_one_device_comes_to_another(make_device: MakeDevice, stamp: Stamp) -> None:
    phone, desk = await make_device(), await make_device("manager")
    lead_id = await new_lead(phone, price_cents=50_000_000, tags=["pool"], price_on="2026-11-01")
    await stamp()
    await desk.pull()
    row = desk.rows[("leads", lead_id)]
    assert [row[1], row[3]] == [1, T0]
    assert {"Ana Ruiz", "2026-11-01", 50_000_000} <= {v for v in row if not isinstance(v, list)}


async def test_what_a_device_wrote_itself_is_not_sent_back_to_it(
    make_device: MakeDevice, stamp: Stamp
) -> None:
    phone = await make_device()
    await stamp()
    await phone.pull()
    await new_lead(phone)
    await stamp()
    (page,) = await phone.pull()
    assert not page.blocks
    assert not page.removed


async def test_changes_of_different_fields_both_stay(make_device: MakeDevice) -> None:
    phone, desk = await make_device(), await make_device("manager")
    lead_id = await new_lead(phone)
    await phone.push(phone.mutation("patch", "leads", lead_id, {"name": "Ana R."}, base_ver=1))
    (result,) = await desk.push(desk.mutation("patch", "leads", lead_id, {"source": "sign"}, base_ver=1))
    assert result.status is wire.Status.MERGED
    assert result.row is not None
    assert (result.row.values["name"], result.row.values["source"], result.ver) == ("Ana R.", "sign", 3)


async def test_two_edits_of_one_field_made_offline_are_no_conflict_with_oneself(
    make_device: MakeDevice,
) -> None:
    phone = await make_device()
    lead_id = await new_lead(phone)
    results = await phone.push(
        phone.mutation("patch", "leads", lead_id, {"stage": "contacted"}, base_ver=1, base={"stage": "new"}),
        phone.mutation(
            "patch", "leads", lead_id, {"stage": "qualified"}, base_ver=1, base={"stage": "contacted"}
        ),
        phone.mutation("patch", "leads", lead_id, {"stage": "new"}, base_ver=1),
    )
    assert [(r.status, r.ver) for r in results] == [(wire.Status.APPLIED, v) for v in (2, 3, 4)]


async def test_a_group_applies_whole_or_not_at_all(make_device: MakeDevice, stamp: Stamp) -> None:
    phone = await make_device()
    lead_id, task_id = ids.new_id(), ids.new_id()
    bad_task = {"location_id": phone.locations[0], "created_at": T0, "title": None, "kind": "call"}
    results = await phone.push(
        phone.mutation("put", "leads", lead_id, a_lead(phone), group="g"),
        phone.mutation("put", "tasks", task_id, bad_task, group="g"),
        phone.mutation("patch", "leads", lead_id, {"name": "x"}),
        phone.mutation("put", "leads", ids.new_id(), a_lead(phone)),
    )
    assert [r.code for r in results] == ["group", "bad_value", "depends", ""]
    await stamp()
    desk = await make_device("manager")
    await desk.pull()
    assert len(desk.ids("leads")) == 1


async def test_a_repeat_carries_a_row_once_however_many_changes_of_it_come_again(
    make_device: MakeDevice,
) -> None:
    phone = await make_device()
    first, other = await new_lead(phone), await new_lead(phone)
    again = [
        phone.mutation("patch", "leads", lead, {"motivation": f"said {n}"}, base_ver=1)
        for n in range(3)
        for lead in (first, other)
    ]
    await phone.push(*again)

    results = await phone.push(*again)

    assert {result.status for result in results} == {wire.Status.DUPLICATE}
    told = [(result.mid, result.row.id) for result in results if result.row]
    assert told == [(again[-2].mid, first), (again[-1].mid, other)]


def test_the_newest_of_a_rows_versions_is_the_one_that_an_answer_carries() -> None:
    """A repeat is told the row as it was when the push came, a new change before it may have gone further."""

    def told(mid: int, ver: int, **more: Any) -> wire.Result:
        row = wire.Row(table="leads", id="a", ver=ver, **more)
        return wire.Result(mid=mid, status=wire.Status.MERGED, ver=ver, row=row)

    said = [told(1, 8), told(2, 9), told(3, 8), told(4, 7, deleted=True), told(5, 9)]

    carried = outcomes.each_row_once(said)

    assert [result.mid for result in carried if result.row] == [4, 5]
    assert [result.ver for result in carried] == [8, 9, 8, 7, 9]
