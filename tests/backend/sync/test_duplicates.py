"""One person entered twice: both are taken, people are asked, and a merge loses nothing."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from backend.deps import Deps
from backend.storage.pg_store import PgStores
from domain import ids, tables, wire
from tests.backend.sync.conftest import MakeDevice, Stamp
from tests.backend.sync.devices import Device, a_lead, new_lead
from tests.backend.sync.places import a_task, a_visit, all_of, stored

pytestmark = pytest.mark.anyio

PHONE = "+15125550147"
MERGE = {"status": "settled", "resolution": "merge"}
KEEP = {"status": "settled", "resolution": "keep_both"}


async def asked(device: Device, stamp: Stamp) -> list[dict[str, Any]]:
    """The undecided duplicates that `device` is told of."""
    await stamp()
    await device.pull()
    names = ("id", "ver", *tables.CONFLICTS.columns)
    found = [dict(zip(names, row, strict=True)) for key, row in device.rows.items() if key[0] == "conflicts"]
    return [one for one in found if one["unit"] == "duplicate" and one["status"] == "open"]


async def twins(device: Device, older: dict[str, Any], newer: dict[str, Any]) -> tuple[str, str]:
    """Two leads with the same number; older and newer."""
    return (
        await new_lead(device, phone=PHONE, created_at="2026-01-01T00:00:00.000Z", **older),
        await new_lead(device, phone=PHONE, created_at="2026-02-01T00:00:00.000Z", **newer),
    )


async def decide(device: Device, record: dict[str, Any], choice: dict[str, Any], **more: Any) -> wire.Result:
    """Pushed, and the answer taken over."""
    given = {"base_ver": record["ver"], **more}
    change = device.mutation("patch", "conflicts", record["id"], choice, **given)
    results = await device.push(change)
    device.confirm([change], results)
    return results[0]


async def merge(device: Device, stamp: Stamp) -> wire.Result:
    (record,) = await asked(device, stamp)
    return await decide(device, record, MERGE)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"phone": PHONE}, {"phone": "(512) 555 0147"}),
        ({"phone": "512-555-0147 ext. 12"}, {"phone": PHONE}),
        ({"email": "Ana@Example.org"}, {"email": "ana@example.org", "phone": PHONE}),
    ],
    ids=["written otherwise", "with an extension", "e-mail"],
)
async def test_two_phones_with_the_same_person_are_both_taken_and_people_asked(
    make_device: MakeDevice, stamp: Stamp, one: dict[str, str], other: dict[str, str]
) -> None:
    phone, desk = await make_device(), await make_device("manager")
    older = await new_lead(phone, **one, created_at="2026-01-01T00:00:00.000Z")
    newer = await new_lead(desk, **other, name="Ana R.")

    for device in (phone, desk):
        (record,) = await asked(device, stamp)
        assert record["winner"] == {"id": older, "name": "Ana Ruiz", "phone": one.get("phone")}
        assert record["loser"] == {"id": newer, "name": "Ana R.", "phone": other.get("phone")}
        assert (record["tbl"], record["row_id"], record["lead_id"]) == ("leads", newer, older)
        assert (record["policy"], record["status"]) == ("duplicate", "open")


async def test_nobody_is_asked_about_different_people_or_about_other_locations(
    make_device: MakeDevice, stamp: Stamp
) -> None:
    phone, far = await make_device(), await make_device(locations=("Dallas",))
    for device in (phone, far):
        await new_lead(device, phone=PHONE)
    for values in (
        {"phone": "+15125550148"},
        {"phone": "call me"},
        {"phone": "call me"},
        {"email": ""},
        {"email": " "},
    ):
        await new_lead(phone, **values)

    assert await asked(phone, stamp) == []
    assert await asked(far, stamp) == []


async def test_a_number_corrected_later_asks_too_and_only_once(make_device: MakeDevice, stamp: Stamp) -> None:
    phone = await make_device()
    first, second = await new_lead(phone, phone=PHONE), await new_lead(phone)
    change = {"phone": "512 555 0147"}
    await phone.push(phone.mutation("patch", "leads", second, change, base_ver=1))
    await phone.push(phone.mutation("patch", "leads", first, {"phone": "512.555.0147"}, base_ver=1))

    (record,) = await asked(phone, stamp)
    await decide(phone, record, KEEP)
    await phone.push(phone.mutation("patch", "leads", first, {"phone": PHONE}, base_ver=2))

    assert await asked(phone, stamp) == []


async def test_the_same_person_pushed_by_many_at_once_is_noticed(
    make_device: MakeDevice, stamp: Stamp
) -> None:
    devices = [await make_device() for _ in range(4)]

    await asyncio.gather(*(new_lead(device, phone=PHONE) for device in devices))

    assert len(await asked(devices[0], stamp)) == 3


async def test_who_looks_for_twins_waits_for_one_that_is_being_written(
    make_device: MakeDevice, deps: Deps
) -> None:
    phone, stores = await make_device(), PgStores(deps.pool)

    async def look() -> list[str]:
        async with stores.transaction() as store:
            return [lead.id for lead in await store.same_contact([PHONE])]

    async with stores.transaction() as store:
        lead = await store.insert(tables.LEADS, ids.new_id(), a_lead(phone, phone=PHONE))
        await store.same_contact([PHONE])
        looking = asyncio.create_task(look())
        waits = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
        while not looking.done() and not await deps.pool.fetchval(waits):  # noqa: ASYNC110 - it is PostgreSQL that waits
            await asyncio.sleep(0.005)

    assert await looking == [lead.id]


async def test_both_made_in_one_push_are_noticed(make_device: MakeDevice, stamp: Stamp) -> None:
    phone = await make_device()

    await phone.push(
        *(phone.mutation("put", "leads", ids.new_id(), a_lead(phone, phone=PHONE), group="g") for _ in "ab")
    )

    assert len(await asked(phone, stamp)) == 1


async def test_one_lead_of_both_has_what_each_knew(make_device: MakeDevice, deps: Deps, stamp: Stamp) -> None:
    phone, desk = await make_device(), await make_device("manager")
    older, newer = await twins(
        phone,
        {
            "tags": ["a"],
            "name": "Ana",
            "answers": {"why": "moves"},
            "last_touch_at": "2026-03-01T00:00:00.000Z",
        },
        {
            "tags": ["b", "a"],
            "name": "Ana Ruiz",
            "email": "ana@example.org",
            "address": "1 Elm",
            "city": "Upland",
            "answers": {"why": "other", "price": 5},
            "last_touch_at": "2026-04-01T00:00:00.000Z",
        },
    )
    task, visit = ids.new_id(), ids.new_id()
    await phone.push(
        phone.mutation("put", "tasks", task, a_task(phone.locations[0], newer)),
        phone.mutation("put", "interactions", visit, a_visit(phone.locations[0], newer)),
    )
    await desk.pull()

    result = await merge(phone, stamp)

    assert result.row is not None
    assert result.row.values["loser"]["name"] == "Ana Ruiz"
    assert result.row.values["loser"]["answers"] == {"why": "other", "price": 5}
    row = (await stored(deps, "leads", older)).values
    assert (row["name"], row["email"], row["address"], row["city"]) == (
        "Ana",
        "ana@example.org",
        "1 Elm",
        "Upland",
    )
    assert (row["tags"], row["answers"]) == (["a", "b"], {"why": "moves", "price": 5})
    assert row["last_touch_at"] == "2026-04-01T00:00:00.000Z"
    assert (await stored(deps, "leads", newer)).deleted
    for table, child in (("tasks", task), ("interactions", visit)):
        assert (await stored(deps, table, child)).values["lead_id"] == older
    await stamp()
    for device in (phone, desk):
        await device.pull()
        assert device.ids("leads") == {older}
        assert {
            row[2 + tables.TASKS.columns.index("lead_id")]
            for key, row in device.rows.items()
            if key[0] == "tasks"
        } == {older}
        assert dict(zip(tables.LEADS.columns, device.rows[("leads", older)][2:], strict=True)) == row


async def test_what_comes_later_for_the_old_lead_goes_to_the_new_one(
    make_device: MakeDevice, deps: Deps, stamp: Stamp
) -> None:
    phone, desk = await make_device(), await make_device("manager")
    older, newer = await twins(phone, {"source": "sign"}, {"motivation": "divorce"})
    await desk.pull()
    await merge(desk, stamp)
    visit = ids.new_id()

    results = await phone.push(
        phone.mutation(
            "patch", "leads", newer, {"motivation": "job"}, base_ver=1, base={"motivation": "divorce"}
        ),
        phone.mutation("put", "interactions", visit, a_visit(phone.locations[0], newer)),
        phone.mutation("delete", "leads", newer, base_ver=1),
    )

    old = wire.Row(table="leads", id=newer, ver=2, deleted=True)
    assert (results[0].status, results[0].row) == (wire.Status.MERGED, old)
    assert results[1].row is not None
    assert results[1].row.values["lead_id"] == older
    assert results[2].status is wire.Status.APPLIED
    lead = await stored(deps, "leads", older)
    assert (lead.deleted, lead.values["motivation"], lead.values["source"]) == (False, "job", "sign")
    await stamp()
    await phone.pull()
    assert phone.rows[("leads", older)][1] == lead.ver


async def test_an_edit_of_the_old_lead_does_not_silently_replace_what_the_new_one_says(
    make_device: MakeDevice, deps: Deps, stamp: Stamp
) -> None:
    phone = await make_device()
    older, newer = await twins(
        phone, {"name": "Ana", "price_cents": 100}, {"name": "Anna", "price_cents": 200}
    )
    await merge(phone, stamp)

    await phone.push(
        phone.mutation("patch", "leads", newer, {"name": "Anne"}, base_ver=1, base={"name": "Anna"}),
        phone.mutation("patch", "leads", newer, {"price_cents": 300}, base_ver=1, base={"price_cents": 200}),
    )

    lead = await stored(deps, "leads", older)
    records = {row.values["unit"]: row.values for row in await all_of(deps, "conflicts")}
    assert (lead.values["name"], lead.values["price_cents"]) == ("Anne", 100)
    assert (records["name"]["row_id"], records["name"]["loser"]) == (older, {"name": "Ana"})
    assert (records["price"]["status"], records["price"]["loser"]["price_cents"]) == ("open", 300)


async def test_three_of_one_person_become_one(make_device: MakeDevice, deps: Deps, stamp: Stamp) -> None:
    phone = await make_device()
    leads = [
        await new_lead(phone, phone=PHONE, created_at=f"2026-0{n}-01T00:00:00.000Z", tags=[str(n)])
        for n in (1, 2, 3)
    ]
    for record in await asked(phone, stamp):
        await decide(phone, record, MERGE)

    (result,) = await phone.push(phone.mutation("patch", "leads", leads[2], {"source": "sign"}, base_ver=1))

    assert result.status is wire.Status.MERGED
    row = await stored(deps, "leads", leads[0])
    assert (row.values["tags"], row.values["source"]) == (["1", "2", "3"], "sign")
    assert [(await stored(deps, "leads", lead)).deleted for lead in leads[1:]] == [True, True]


async def test_a_chain_of_merges_leads_to_its_end(make_device: MakeDevice, deps: Deps, stamp: Stamp) -> None:
    phone = await make_device()
    second, third = await twins(phone, {}, {})
    await merge(phone, stamp)
    first = await new_lead(phone, phone=PHONE, created_at="2025-01-01T00:00:00.000Z")
    await merge(phone, stamp)

    await phone.push(phone.mutation("patch", "leads", third, {"source": "sign"}, base_ver=1))

    assert (await stored(deps, "leads", first)).values["source"] == "sign"
    assert (await stored(deps, "leads", second)).deleted


async def test_two_who_decide_at_once_decide_once(make_device: MakeDevice, deps: Deps, stamp: Stamp) -> None:
    phone, desk = await make_device(), await make_device("manager")
    older, newer = await twins(phone, {}, {})
    (record,) = await asked(phone, stamp)
    await desk.pull()
    base = {"status": "open", "resolution": None}
    keep = {"status": "settled", "resolution": "keep_both"}
    await desk.push(desk.mutation("patch", "conflicts", record["id"], keep, base_ver=1, base=base))

    (late,) = await phone.push(
        phone.mutation("patch", "conflicts", record["id"], MERGE, base_ver=1, base=base)
    )
    (same,) = await phone.push(
        phone.mutation("patch", "conflicts", record["id"], keep, base_ver=1, base=base)
    )

    assert (late.status, late.code) == (wire.Status.PARKED, "decided")
    assert same.status is wire.Status.MERGED
    assert not (await stored(deps, "leads", newer)).deleted
    assert not (await stored(deps, "leads", older)).deleted


async def test_a_merge_pushed_twice_or_of_a_lead_that_is_gone_harms_nothing(
    make_device: MakeDevice, deps: Deps, stamp: Stamp
) -> None:
    phone = await make_device()
    older, newer = await twins(phone, {}, {})
    (record,) = await asked(phone, stamp)
    merging = phone.mutation("patch", "conflicts", record["id"], MERGE, base_ver=1)
    await phone.push(phone.mutation("delete", "leads", newer, base_ver=1))

    first, second = await phone.push(merging), await phone.push(merging)

    assert [r.status for r in (*first, *second)] == [wire.Status.MERGED, wire.Status.DUPLICATE]
    assert not (await stored(deps, "leads", older)).deleted


async def test_only_somebody_who_sees_both_merges_them(
    make_device: MakeDevice, deps: Deps, stamp: Stamp
) -> None:
    places = ("Rancho Cucamonga", "Dallas")
    phone, desk = await make_device(), await make_device("manager", places)
    _, newer = await twins(phone, {}, {})
    (record,) = await asked(phone, stamp)
    there = next(place for place in desk.locations if place != phone.locations[0])
    await desk.push(desk.mutation("patch", "leads", newer, {"location_id": there}, base_ver=1))

    refused, merged = await decide(phone, record, MERGE), await decide(desk, record, MERGE)

    assert refused.code == "forbidden"
    assert merged.status is wire.Status.MERGED
    assert (await stored(deps, "leads", newer)).deleted


async def test_the_same_external_id_made_twice_is_parked_in_words_and_nothing_else_is(
    make_device: MakeDevice,
) -> None:
    phone, desk = await make_device(), await make_device("manager")
    await new_lead(phone, external_id="x1")

    results = await desk.push(
        desk.mutation("put", "leads", ids.new_id(), a_lead(desk)),
        desk.mutation("put", "leads", ids.new_id(), a_lead(desk, external_id="x1")),
        desk.mutation("put", "leads", ids.new_id(), a_lead(desk)),
    )

    assert [r.code for r in results] == ["", "bad_value", ""]
    assert "external_id" in results[1].message
