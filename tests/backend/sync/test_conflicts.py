"""Two people, one row: who wins, what is kept, and who is told."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import pytest

from domain import ids, tables, wire
from tests.backend.sync.conftest import MakeDevice, Stamp
from tests.backend.sync.devices import Device, new_lead

pytestmark = pytest.mark.anyio

NOW = time.time_ns() // 1_000_000


async def records(device: Device, stamp: Stamp) -> list[dict[str, Any]]:
    """The conflicts that `device` is told of."""
    await stamp()
    await device.pull()
    names = ("id", "ver", *tables.CONFLICTS.columns)
    return [dict(zip(names, row, strict=True)) for key, row in device.rows.items() if key[0] == "conflicts"]


async def patch(device: Device, row_id: str, values: Mapping[str, Any], **more: Any) -> wire.Result:
    (result,) = await device.push(device.mutation("patch", "leads", row_id, values, **more))
    return result


async def both(make_device: MakeDevice) -> tuple[Device, Device, str]:
    phone, desk = await make_device(), await make_device("manager")
    return phone, desk, await new_lead(phone, price_cents=100, price_on="2026-01-01", tags=["a", "b"])


async def test_the_newer_edit_wins_and_both_are_told_with_both_values(
    make_device: MakeDevice, stamp: Stamp
) -> None:
    phone, desk, lead = await both(make_device)
    for device in (phone, desk):
        assert await records(device, stamp) == []
    await patch(phone, lead, {"name": "newer"}, base_ver=1, edit_ms=NOW)
    result = await patch(
        desk, lead, {"name": "older"}, base_ver=1, base={"name": "Ana Ruiz"}, edit_ms=NOW - 9
    )
    assert (result.status, result.row and result.row.values["name"]) == (wire.Status.MERGED, "newer")
    for device in (phone, desk):
        (told,) = await records(device, stamp)
        assert (told["winner"], told["loser"]) == ({"name": "newer"}, {"name": "older"})
        assert (told["winner_by"], told["loser_by"]) == (phone.user_id, desk.user_id)
        assert (told["status"], told["row_id"], told["lead_id"]) == ("settled", lead, lead)


async def test_a_clock_in_the_future_counts_as_now(make_device: MakeDevice) -> None:
    phone, desk, lead = await both(make_device)
    await patch(phone, lead, {"name": "tomorrow"}, base_ver=1, edit_ms=NOW + 86_400_000)
    result = await patch(desk, lead, {"name": "today"}, base_ver=1, edit_ms=NOW + 99_000_000)
    assert result.row is not None
    assert result.row.values["name"] == "today"


async def test_a_clock_in_the_past_cannot_be_older_than_what_it_saw(make_device: MakeDevice) -> None:
    phone, desk, lead = await both(make_device)
    await patch(phone, lead, {"name": "first"}, base_ver=1, edit_ms=NOW - 5000)
    result = await patch(desk, lead, {"name": "second"}, base_ver=1, edit_ms=5, seen_server_ms=NOW)
    assert result.row is not None
    assert result.row.values["name"] == "second"


async def test_money_waits_for_a_person(make_device: MakeDevice, stamp: Stamp) -> None:
    phone, desk, lead = await both(make_device)
    await patch(phone, lead, {"price_cents": 200, "price_on": "2026-02-02"}, base_ver=1)
    base = {"price_cents": 100, "price_on": "2026-01-01"}
    result = await patch(desk, lead, {"price_cents": 300}, base_ver=1, base=base)
    assert result.row is not None
    assert result.row.values["price_cents"] == 200
    (told,) = await records(phone, stamp)
    assert (told["status"], told["unit"]) == ("open", "price")
    assert told["loser"] == {"price_cents": 300, "price_on": "2026-01-01"}
    choice = {"status": "resolved", "resolution": "kept", "resolved_by": desk.user_id}
    (settled,) = await desk.push(desk.mutation("patch", "conflicts", told["id"], choice, base_ver=1))
    assert settled.row is not None
    assert settled.row.values["status"] == "resolved"


async def test_tags_of_both_stay(make_device: MakeDevice) -> None:
    phone, desk, lead = await both(make_device)
    await patch(phone, lead, {"tags": ["a", "c"]}, base_ver=1, base={"tags": ["a", "b"]})
    result = await patch(desk, lead, {"tags": ["a", "b", "d"]}, base_ver=1, base={"tags": ["a", "b"]})
    assert result.row is not None
    assert result.row.values["tags"] == ["a", "c", "d"]


async def test_an_opt_out_is_never_undone(make_device: MakeDevice) -> None:
    phone, desk, lead = await both(make_device)
    await patch(phone, lead, {"opted_out": True, "opted_out_words": "stop"}, base_ver=1)
    result = await patch(desk, lead, {"opted_out": False, "opted_out_words": None}, base_ver=2)
    assert result.row is not None
    assert (result.row.values["opted_out"], result.row.values["opted_out_words"]) == (True, "stop")


async def test_an_edit_of_a_deleted_row_is_kept_and_can_bring_it_back(
    make_device: MakeDevice, stamp: Stamp
) -> None:
    phone, desk, lead = await both(make_device)
    await desk.push(desk.mutation("delete", "leads", lead, base_ver=1))
    result = await patch(phone, lead, {"name": "still here", "opted_out": True}, base_ver=1)
    assert (result.status, result.code, result.row) == (wire.Status.PARKED, "row_deleted", None)
    (told,) = await records(phone, stamp)
    assert told["loser"] == {"name": "still here", "opted_out": True}
    (back,) = await phone.push(
        phone.mutation("put", "leads", lead, {"name": "still here"}, base_ver=result.ver + 1)
    )
    assert back.row is not None
    assert (back.row.values["name"], back.row.values["opted_out"], back.row.deleted) == (
        "still here",
        True,
        False,
    )


async def test_a_deletion_that_did_not_see_an_edit_keeps_the_edit_on_record(
    make_device: MakeDevice, stamp: Stamp
) -> None:
    phone, desk, lead = await both(make_device)
    await patch(phone, lead, {"name": "better"}, base_ver=1)
    (result,) = await desk.push(desk.mutation("delete", "leads", lead, base_ver=1))
    assert result.status is wire.Status.APPLIED
    (told,) = await records(phone, stamp)
    assert (told["winner"], told["loser"]) == ({"deleted": True}, {"name": "better"})
    assert ("leads", lead) not in phone.rows


async def test_a_visit_to_a_lead_that_was_deleted_is_kept(make_device: MakeDevice) -> None:
    phone, desk, lead = await both(make_device)
    await desk.push(desk.mutation("delete", "leads", lead, base_ver=1))
    visit = {
        "location_id": phone.locations[0],
        "created_at": "2026-11-22T16:00:00.000Z",
        "lead_id": lead,
        "kind": "visit",
        "occurred_at": "2026-11-22T16:00:00.000Z",
    }
    (result,) = await phone.push(phone.mutation("put", "interactions", ids.new_id(), visit))
    assert result.status is wire.Status.APPLIED


async def test_no_record_where_nothing_diverged(make_device: MakeDevice, stamp: Stamp) -> None:
    phone, desk, lead = await both(make_device)
    await patch(phone, lead, {"name": "same", "source": "sign"}, base_ver=1)
    await patch(desk, lead, {"name": "same", "motivation": "divorce"}, base_ver=1)
    assert await records(desk, stamp) == []
