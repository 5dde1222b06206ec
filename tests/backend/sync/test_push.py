"""Pushing: what comes of one mutation, of a repeat, of a bad one among good ones."""

from __future__ import annotations

import pytest

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
