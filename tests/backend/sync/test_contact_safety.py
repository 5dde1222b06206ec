"""An opt-out counts, whatever becomes of the change it came with, and nothing undoes it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from backend.deps import Deps
from backend.storage import pool
from domain import ids, wire
from tests.backend.sync.conftest import MakeDevice, Stamp
from tests.backend.sync.devices import Device, a_lead, new_lead
from tests.backend.sync.places import age_grants, all_of, now_ms, revoke, stored

pytestmark = pytest.mark.anyio

STOP = {"opted_out": True, "opted_out_words": "stop", "opted_out_at": "2026-11-22T16:00:00.000Z"}
PHONE = "+15125550147"


async def is_out(deps: Deps, lead: str) -> bool:
    values = (await stored(deps, "leads", lead)).values
    return (values["opted_out"], values["opted_out_words"]) == (True, "stop")


def stop(device: Device, lead: str, **more: Any) -> wire.Mutation:
    return device.mutation("patch", "leads", lead, STOP, **{"base_ver": 1, **more})


REFUSED: dict[str, dict[str, Any]] = {
    "a bad value beside it": {"stage": "no such stage"},
    "an unknown field beside it": {"shoe_size": 44},
    "a fixed field beside it": {"created_at": "2020-01-01T00:00:00.000Z"},
    "a move that is not allowed": {"location_id": ids.new_id()},
}


@pytest.mark.parametrize("what", REFUSED)
async def test_it_counts_where_the_rest_of_its_change_is_refused(
    make_device: MakeDevice, deps: Deps, stamp: Stamp, what: str
) -> None:
    phone = await make_device()
    lead = await new_lead(phone)
    await stamp()
    await phone.pull()

    (result,) = await phone.push(
        phone.mutation("patch", "leads", lead, {**STOP, **REFUSED[what]}, base_ver=1)
    )

    assert result.status is wire.Status.PARKED
    assert await is_out(deps, lead)
    await stamp()
    await phone.pull()
    assert True in phone.rows[("leads", lead)]


@pytest.mark.parametrize("place", [0, 1])
async def test_it_counts_in_a_group_that_is_refused(make_device: MakeDevice, deps: Deps, place: int) -> None:
    phone = await make_device()
    lead = await new_lead(phone)
    bad = phone.mutation("patch", "leads", lead, {"stage": "no such stage"}, base_ver=1, group="g")
    group = [bad]
    group.insert(place, stop(phone, lead, group="g"))

    results = await phone.push(*group, phone.mutation("patch", "leads", lead, {"name": "x"}, group="h"))

    assert {r.status for r in results} == {wire.Status.PARKED}
    assert await is_out(deps, lead)


async def test_it_counts_in_a_group_with_something_that_cannot_be_read(
    make_device: MakeDevice, deps: Deps
) -> None:
    phone = await make_device()
    lead = await new_lead(phone)
    push = wire.Push(
        device_id=phone.id,
        epoch="1",
        mutations=[
            stop(phone, lead, group="g"),
            phone.mutation("patch", "leads", lead, {"name": "x"}, group="g"),
        ],
    ).as_json()
    push["mutations"][1]["op"] = "explode"

    answer = await phone.client.post("/api/sync/push", json=push, headers=phone.headers)

    assert answer.status_code == 200, answer.text
    assert await is_out(deps, lead)
    assert (await stored(deps, "leads", lead)).values["name"] == "Ana Ruiz"


async def test_it_counts_after_a_change_of_the_same_lead_that_is_parked(
    make_device: MakeDevice, deps: Deps
) -> None:
    phone = await make_device()
    lead = await new_lead(phone)

    results = await phone.push(
        phone.mutation("patch", "leads", lead, {"stage": "no such stage"}, base_ver=1), stop(phone, lead)
    )

    assert [r.code for r in results] == ["bad_value", "depends"]
    assert await is_out(deps, lead)


async def test_it_counts_where_the_database_refuses_its_group(make_device: MakeDevice, deps: Deps) -> None:
    phone = await make_device()
    lead = await new_lead(phone)
    async with pool.transaction(deps.pool) as connection:
        await connection.execute("ALTER TABLE tasks ADD CONSTRAINT no_x CHECK (title <> 'x')")
    task = {
        "location_id": phone.locations[0],
        "created_at": "2026-11-22T16:00:00.000Z",
        "title": "x",
        "kind": "todo",
    }

    results = await phone.push(
        stop(phone, lead, group="g"), phone.mutation("put", "tasks", ids.new_id(), task, group="g")
    )

    assert {r.code for r in results} == {"bad_value"}
    assert await is_out(deps, lead)


async def test_it_counts_on_a_deleted_lead_and_is_there_when_it_comes_back(
    make_device: MakeDevice, deps: Deps
) -> None:
    phone, desk = await make_device(), await make_device("manager")
    lead = await new_lead(phone)
    await desk.push(desk.mutation("delete", "leads", lead, base_ver=1))

    (result,) = await phone.push(stop(phone, lead))
    await desk.push(desk.mutation("put", "leads", lead, {"opted_out": False, "name": "Ana"}, base_ver=9))

    assert result.code == "row_deleted"
    assert not (await stored(deps, "leads", lead)).deleted
    assert await is_out(deps, lead)


@pytest.mark.parametrize("days", [0, 400])
async def test_it_counts_from_somebody_who_lost_the_location_however_long_ago(
    make_device: MakeDevice, deps: Deps, days: int
) -> None:
    phone = await make_device()
    lead = await new_lead(phone)
    await revoke(deps, phone)
    await age_grants(deps, days)

    (result,) = await phone.push(stop(phone, lead, seen_server_ms=now_ms() + 1000))

    assert (result.code, result.row) == ("not_found", None)
    assert await is_out(deps, lead)


async def test_it_counts_on_a_lead_that_moved_away(make_device: MakeDevice, deps: Deps) -> None:
    phone, desk = await make_device(), await make_device("manager", ("Rancho Cucamonga", "Dallas"))
    lead = await new_lead(phone)
    there = next(place for place in desk.locations if place != phone.locations[0])
    await desk.push(desk.mutation("patch", "leads", lead, {"location_id": there}, base_ver=1))

    await phone.push(stop(phone, lead, seen_server_ms=now_ms() + 1000))

    assert await is_out(deps, lead)


async def test_it_does_not_count_from_somebody_who_never_had_anything_to_do_with_it(
    make_device: MakeDevice, deps: Deps
) -> None:
    phone, stranger = await make_device(), await make_device(locations=("Dallas",))
    lead = await new_lead(phone)

    await stranger.push(stop(stranger, lead, edit_ms=5))

    assert not (await stored(deps, "leads", lead)).values["opted_out"]


@pytest.mark.parametrize("out", ["older", "newer"])
async def test_it_stays_when_two_leads_become_one(
    make_device: MakeDevice, deps: Deps, stamp: Stamp, out: str
) -> None:
    phone = await make_device()
    leads = {
        "older": await new_lead(phone, phone=PHONE, created_at="2026-01-01T00:00:00.000Z"),
        "newer": await new_lead(phone, phone="(512) 555-0147", created_at="2026-02-01T00:00:00.000Z"),
    }
    (record,) = await all_of(deps, "conflicts")
    merging = {"status": "settled", "resolution": "merge"}
    late = stop(phone, leads[out])

    await phone.push(phone.mutation("patch", "conflicts", record.id, merging, base_ver=1), late)

    assert await is_out(deps, leads["older"])


async def test_it_counts_for_every_lead_with_that_number_and_for_the_next_one(
    make_device: MakeDevice, deps: Deps, stamp: Stamp
) -> None:
    phone = await make_device()
    one, other = await new_lead(phone, phone=PHONE), await new_lead(phone, phone="512 555 0147")
    await phone.push(stop(phone, one))
    await phone.push(*(phone.mutation("delete", "leads", lead, base_ver=2) for lead in (one, other)))

    again = await new_lead(phone, phone=PHONE)

    assert await is_out(deps, other)
    assert await is_out(deps, again)
    await stamp()
    await phone.pull()
    assert phone.rows[("leads", again)][1] == 2


@pytest.mark.parametrize("group", ["", "g"])
async def test_leads_with_one_number_that_come_together_are_all_out_when_one_is(
    make_device: MakeDevice, deps: Deps, group: str
) -> None:
    phone = await make_device()
    there = await new_lead(phone, phone=PHONE)
    leads = [ids.new_id() for _ in range(3)]
    given = [a_lead(phone, phone=PHONE, **more) for more in ({}, STOP, {})]

    results = await phone.push(
        *(
            phone.mutation("put", "leads", lead, row, group=group)
            for lead, row in zip(leads, given, strict=True)
        )
    )

    assert {r.status for r in results} == {wire.Status.APPLIED}
    assert [await is_out(deps, lead) for lead in (there, *leads)] == [True] * 4
    assert {(await stored(deps, "leads", lead)).ver for lead in leads} == {1, 2}


@pytest.mark.parametrize(
    "patch",
    [
        {"opted_out": False},
        {"opted_out": None, "opted_out_at": None, "opted_out_words": None},
        {
            "consent_text": True,
            "consent_call": True,
            "consent_words": "yes",
            "consent_at": "2026-11-23T16:00:00.000Z",
        },
    ],
    ids=["taken back", "emptied", "a consent given later"],
)
async def test_nothing_undoes_it(make_device: MakeDevice, deps: Deps, patch: dict[str, Any]) -> None:
    phone, desk = await make_device(), await make_device("manager")
    lead = await new_lead(phone)
    await phone.push(stop(phone, lead))

    await desk.push(
        desk.mutation("patch", "leads", lead, patch, base_ver=2),
        desk.mutation("put", "leads", lead, a_lead(desk, opted_out=False), base_ver=2),
    )

    assert await is_out(deps, lead)


async def test_it_counts_when_a_deadlock_undoes_it_beside_a_change_that_cannot_be_read(
    make_device: MakeDevice, deps: Deps
) -> None:
    phone = await make_device()
    lead = await new_lead(phone, phone=PHONE)
    whole = [stop(phone, lead, group="g").as_json(), {"mid": next(phone.mids), "group": "g", "op": "explode"}]
    body = wire.Push(device_id=phone.id, epoch="1", mutations=[]).as_json() | {"mutations": whole}

    async with pool.transaction(deps.pool) as other:
        await other.execute("SELECT pg_advisory_xact_lock(hashtextextended('contacts', 5))")
        sending = asyncio.create_task(phone.client.post("/api/sync/push", json=body, headers=phone.headers))
        waits = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'advisory' AND datname = current_database()"
        async with asyncio.timeout(20):
            while not await deps.pool.fetchval(waits):  # noqa: ASYNC110 - it is PostgreSQL that waits
                await asyncio.sleep(0.02)
        await other.execute(
            "SELECT 1 FROM leads WHERE id = $1 FOR UPDATE", lead
        )  # it waited first and gives way

    answer = await sending
    assert (answer.status_code, [one["code"] for one in answer.json()["results"]]) == (
        200,
        ["group", "unreadable"],
    )
    assert await is_out(deps, lead)
