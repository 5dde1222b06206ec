"""An opt-out belongs to the number and the e-mail: who has them is out, wherever, however written, whenever entered."""

from __future__ import annotations

from typing import Any

import pytest

from backend.deps import Deps
from backend.storage.kin import EARLIER
from domain import ids, wire
from tests.backend.sync.conftest import MakeDevice, Stamp
from tests.backend.sync.devices import Device, a_lead, new_lead
from tests.backend.sync.places import stored

pytestmark = pytest.mark.anyio

STOP = {"opted_out": True, "opted_out_words": "stop", "opted_out_at": "2026-11-22T16:00:00.000Z"}
PHONE = "+15125550147"
BOTH = ("Rancho Cucamonga", "Dallas")


async def words(deps: Deps, lead: str) -> str | None:
    """By which this lead is out; None: it is not."""
    values = (await stored(deps, "leads", lead)).values
    return str(values["opted_out_words"]) if values["opted_out"] else None


def stop(device: Device, lead: str, **more: Any) -> wire.Mutation:
    return device.mutation("patch", "leads", lead, STOP, **{"base_ver": 1, **more})


async def test_on_a_deleted_lead_it_reaches_its_living_twins(make_device: MakeDevice, deps: Deps) -> None:
    phone, desk = await make_device(), await make_device("manager")
    gone, twin = await new_lead(phone, phone=PHONE), await new_lead(phone, phone="512-555-0147")
    await desk.push(desk.mutation("delete", "leads", gone, base_ver=1))

    (result,) = await phone.push(stop(phone, gone))

    assert result.code == "row_deleted"
    assert await words(deps, twin) == "stop"


FAULTY: dict[str, dict[str, Any]] = {
    "a latitude that is none": {"lat": 91},
    "a kind that is none": {"kind": "cat"},
    "a field that nobody knows": {"shoe_size": 44},
    "without a kind": {"kind": None},
}


@pytest.mark.parametrize("what", FAULTY)
async def test_in_a_new_lead_that_is_refused_it_reaches_those_with_the_number_and_the_next_one(
    make_device: MakeDevice, deps: Deps, what: str
) -> None:
    phone = await make_device()
    twin = await new_lead(phone, phone=PHONE)
    by_mail = await new_lead(phone, email="Jo@x.com")
    given = a_lead(phone, phone="512 555 0147", email="jo@X.com ", **STOP) | FAULTY[what]

    (result,) = await phone.push(phone.mutation("put", "leads", ids.new_id(), given))
    again = await new_lead(phone, phone="(512) 555-0147")

    assert result.status is wire.Status.PARKED
    assert [await words(deps, lead) for lead in (twin, by_mail)] == ["stop", "stop"]
    assert await words(deps, again) == "stop"


async def test_where_nobody_has_the_number_yet_the_refused_lead_is_remembered(
    make_device: MakeDevice, deps: Deps
) -> None:
    phone = await make_device()
    given = a_lead(phone, phone=PHONE, **STOP) | {"lat": 91}
    await phone.push(phone.mutation("put", "leads", ids.new_id(), given))

    assert await words(deps, await new_lead(phone, phone=PHONE)) == EARLIER
    assert await words(deps, await new_lead(phone, phone="+15125550148")) is None


async def test_it_is_kept_of_a_lead_whose_making_waits(make_device: MakeDevice, deps: Deps) -> None:
    phone, lead = await make_device(), ids.new_id()
    twin = await new_lead(phone, phone=PHONE)
    await phone.push(phone.mutation("put", "leads", lead, a_lead(phone, phone=PHONE) | {"lat": 91}))

    (result,) = await phone.push(stop(phone, lead))

    assert result.code == "depends"
    assert await words(deps, twin) == "stop"


async def test_a_refused_lead_of_a_location_that_one_may_not_write_to_opts_nobody_out(
    make_device: MakeDevice, deps: Deps
) -> None:
    phone, stranger = await make_device(), await make_device(locations=("Dallas",))
    lead = await new_lead(phone, phone=PHONE)

    await stranger.push(
        stranger.mutation("put", "leads", ids.new_id(), a_lead(phone, phone=PHONE, **STOP)),
        stranger.mutation("patch", "leads", lead, {**STOP, "phone": PHONE}),
    )

    assert await words(deps, lead) is None


UNREADABLE: dict[str, dict[str, Any]] = {
    "half a millisecond": {"edit_ms": 1.5},
    "no time": {"edit_ms": None},
    "an operation that nobody knows": {"op": "explode"},
    "a base that is none": {"base": 7},
    "another field nested too deeply": {},
}


def deep(levels: int) -> Any:
    return [deep(levels - 1)] if levels else []


@pytest.mark.parametrize("what", UNREADABLE)
async def test_it_counts_in_a_change_that_cannot_be_read_itself(
    make_device: MakeDevice, deps: Deps, what: str
) -> None:
    phone = await make_device()
    lead, twin = await new_lead(phone, phone=PHONE), await new_lead(phone, phone="512 555 0147")
    broken = {**stop(phone, lead).as_json(), **UNREADABLE[what]}
    if not UNREADABLE[what]:
        broken["patch"] = {**broken["patch"], "answers": deep(40)}

    answer = await sent(phone, broken)

    assert [(one["status"], one["code"]) for one in answer["results"]] == [("parked", "unreadable")]
    assert [await words(deps, one) for one in (lead, twin)] == ["stop", "stop"]


@pytest.mark.parametrize("patch", [{"opted_out": False}, {"opted_out": "no"}, {"name": "x"}, 7])
async def test_a_change_that_cannot_be_read_and_says_no_such_thing_opts_nobody_out(
    make_device: MakeDevice, deps: Deps, patch: Any
) -> None:
    phone = await make_device()
    lead = await new_lead(phone, phone=PHONE)

    await sent(phone, {**stop(phone, lead).as_json(), "edit_ms": 1.5, "patch": patch})

    assert await words(deps, lead) is None


async def sent(device: Device, *mutations: dict[str, Any]) -> dict[str, Any]:
    body = wire.Push(device_id=device.id, epoch="1", mutations=[]).as_json() | {"mutations": list(mutations)}
    answer = await device.client.post("/api/sync/push", json=body, headers=device.headers)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"email": "jo@x.com "}, {"email": " JO@x.com"}),
        ({"email": "jan@x.com"}, {"email": "Jan <jan@x.com>"}),
        ({"phone": "９０９－５５５－１００５"}, {"phone": "+19095551005"}),
        ({"phone": "Cell: 909-555-1005"}, {"phone": "909.555.1005"}),
        ({"phone": "909-555-1006 / 909-555-1007"}, {"phone": "+19095551007"}),
        ({"phone": "+19095551006"}, {"phone": "home 909-555-1006, work 909-555-1007"}),
    ],
)
async def test_it_is_one_number_or_e_mail_however_it_is_written(
    make_device: MakeDevice, deps: Deps, one: dict[str, str], other: dict[str, str]
) -> None:
    phone = await make_device()
    first, second = await new_lead(phone, **one), await new_lead(phone, **other)

    await phone.push(stop(phone, first))

    assert await words(deps, second) == "stop"
    assert await words(deps, await new_lead(phone, **other)) == "stop"


async def test_what_stands_for_no_number_makes_nobody_a_twin(make_device: MakeDevice, deps: Deps) -> None:
    phone = await make_device()
    first, second = await new_lead(phone, phone="555-555-5555"), await new_lead(phone, phone="5555555555")

    await phone.push(stop(phone, first))

    assert await words(deps, second) is None


async def test_it_holds_in_every_office_and_tells_the_others_nothing_else(
    make_device: MakeDevice, deps: Deps, stamp: Stamp
) -> None:
    phone, far = await make_device(), await make_device(locations=("Dallas",))
    there = await new_lead(far, phone=PHONE, name="Ana in Dallas")
    await stamp()
    await far.pull()

    here = await new_lead(phone, phone=PHONE)
    await phone.push(stop(phone, here))
    later = await new_lead(far, phone=PHONE)
    await stamp()
    await far.pull()

    assert await words(deps, there) == EARLIER
    assert await words(deps, later) == EARLIER
    assert far.ids("leads") == {there, later}
    row = await stored(deps, "leads", there)
    assert row.values["name"] == "Ana in Dallas"
    assert {entry[2] for name, entry in row.fver.items() if name.startswith("opted_out")} == {None}
    assert "stop" not in str(far.rows)
    assert here not in str(far.rows)


async def test_it_holds_where_its_lead_was_moved_from(make_device: MakeDevice, deps: Deps) -> None:
    phone, desk = await make_device(), await make_device("manager", BOTH)
    lead, twin = await new_lead(phone, phone=PHONE), await new_lead(phone, phone=PHONE)
    there = next(place for place in desk.locations if place != phone.locations[0])
    await desk.push(desk.mutation("patch", "leads", lead, {"location_id": there}, base_ver=1))

    await desk.push(stop(desk, lead, base_ver=2))

    assert await words(deps, twin) == "stop" or await words(deps, twin) == EARLIER


@pytest.mark.parametrize("pushes", [1, 2])
async def test_a_number_stays_out_when_its_lead_gets_another_one(
    make_device: MakeDevice, deps: Deps, pushes: int
) -> None:
    phone = await make_device()
    lead = await new_lead(phone, phone=PHONE)
    said = stop(phone, lead)
    changed = phone.mutation("patch", "leads", lead, {"phone": "+15125550148"}, base_ver=1)
    for some in [(said, changed)] if pushes == 1 else [(said,), (changed,)]:
        await phone.push(*some)

    assert await words(deps, await new_lead(phone, phone=PHONE)) == EARLIER
    assert await words(deps, await new_lead(phone, phone="+15125550148")) == "stop"


async def test_a_lead_that_comes_back_with_such_a_number_is_out(make_device: MakeDevice, deps: Deps) -> None:
    phone, desk = await make_device(), await make_device("manager")
    lead, other = await new_lead(phone), await new_lead(phone, phone=PHONE)
    await desk.push(desk.mutation("delete", "leads", lead, base_ver=1))
    await phone.push(stop(phone, other))

    await desk.push(desk.mutation("put", "leads", lead, {"phone": PHONE, "name": "Ana"}, base_ver=9))

    assert not (await stored(deps, "leads", lead)).deleted
    assert await words(deps, lead) == "stop"


async def test_a_merged_lead_takes_its_number_and_its_opt_out_to_all_others(
    make_device: MakeDevice, deps: Deps, stamp: Stamp
) -> None:
    phone = await make_device()
    winner = await new_lead(phone, email="a@b.org", created_at="2026-01-01T00:00:00.000Z")
    loser = await new_lead(phone, email="a@b.org", phone=PHONE, created_at="2026-02-01T00:00:00.000Z")
    await stamp()
    await phone.pull()
    (record,) = phone.ids("conflicts")
    merging = {"status": "settled", "resolution": "merge"}
    await phone.push(phone.mutation("patch", "conflicts", record, merging, base_ver=1))

    await phone.push(stop(phone, loser))

    assert await words(deps, winner) == "stop"
    assert await words(deps, await new_lead(phone, phone=PHONE)) == "stop"


async def test_it_goes_on_from_a_number_to_an_e_mail(make_device: MakeDevice, deps: Deps) -> None:
    phone = await make_device()
    first = await new_lead(phone, phone=PHONE)
    last = await new_lead(phone, email="a@b.org", phone="+15125550199")
    between = await new_lead(phone, phone=PHONE, email="a@b.org")
    same = await new_lead(phone, phone="+15125550199")

    await phone.push(stop(phone, first))

    assert [await words(deps, lead) for lead in (between, last, same)] == ["stop"] * 3


async def test_where_the_database_refuses_a_lead_its_opt_out_reaches_the_others(
    make_device: MakeDevice, deps: Deps
) -> None:
    phone = await make_device()
    twin = await new_lead(phone, phone=PHONE)
    await deps.pool.execute("ALTER TABLE leads ADD CONSTRAINT no_x CHECK (name <> 'x')")

    (result,) = await phone.push(
        phone.mutation("put", "leads", ids.new_id(), a_lead(phone, name="x", phone=PHONE, **STOP))
    )

    assert result.code == "bad_value"
    assert await words(deps, twin) == "stop"
