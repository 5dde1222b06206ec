"""How devices are doing: told to their person, and to managers of their locations and to nobody else."""

from __future__ import annotations

import dataclasses
from datetime import timedelta
from typing import Any

import pytest

from backend.deps import Deps
from backend.services import devices
from backend.storage import devices as stored
from backend.stream import sequencer
from domain import ids, wire
from tests import fakes
from tests.backend.sync.conftest import MakeDevice, Stamp
from tests.backend.sync.devices import Device, a_lead, new_lead, page_of

pytestmark = pytest.mark.anyio


@pytest.fixture
def clock() -> fakes.FakeClock:
    return fakes.FakeClock()


async def get(device: Device, path: str, **headers: str) -> Any:
    said = {**device.headers, wire.DEVICE_HEADER: device.id, **headers}
    answer = await device.client.get(path, headers=said)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def pulled(device: Device, queue: str = "") -> None:
    headers = {
        **device.headers,
        wire.DEVICE_HEADER: device.id,
        **({wire.QUEUE_HEADER: queue} if queue else {}),
    }
    answer = await device.client.get("/api/sync/pull", params={"cursor": device.cursor}, headers=headers)
    device.cursor = page_of(answer, device.cursor).cursor


async def listed(device: Device) -> list[dict[str, Any]]:
    return list((await get(device, "/api/sync/devices"))["devices"])


async def test_a_device_is_told_how_it_stands(make_device: MakeDevice, deps: Deps, stamp: Stamp) -> None:
    phone, desk = await make_device(), await make_device("manager")
    assert (await get(phone, "/api/sync/status"))["device"] is None
    await stamp()
    await pulled(phone)
    await pulled(phone, "3,1,1795363200000")
    await new_lead(desk)
    await new_lead(desk)
    await stamp()

    with deps.hub.subscribe(sequencer.CHANNEL, ["*"]):  # as a part of the server listens
        status = await get(phone, "/api/sync/status")

    assert status["sockets"] == 0
    mine = status["device"]
    assert {
        name: mine[name] for name in ("behind", "pending", "parked", "oldest_at", "loading", "schema")
    } == {
        "behind": 2,
        "pending": 3,
        "parked": 1,
        "oldest_at": "2026-11-22T16:00:00.000Z",
        "loading": False,
        "schema": wire.SCHEMA,
    }
    assert (mine["last_push"], bool(mine["last_pull"])) == (None, True)
    assert status["seq"] == mine["seq"] + 2


async def test_managers_see_the_devices_of_their_locations_the_furthest_behind_first(
    make_device: MakeDevice, stamp: Stamp
) -> None:
    near, far, desk = await make_device(), await make_device(), await make_device("manager")
    await stamp()
    await pulled(far)
    await new_lead(desk)
    await stamp()
    for device in (near, desk):
        await pulled(device)
        await pulled(device)

    found = await listed(desk)

    assert found[0]["user_id"] == far.user_id
    assert {one["user_id"] for one in found} == {near.user_id, far.user_id, desk.user_id}
    assert [one["behind"] for one in found] == sorted((one["behind"] for one in found), reverse=True)


async def test_devices_of_other_locations_and_real_device_ids_are_never_told(make_device: MakeDevice) -> None:
    stranger, boss = await make_device(locations=("Dallas",)), await make_device("admin", ())
    phone, desk = await make_device(), await make_device("manager")
    for device in (stranger, boss, phone, desk):
        await pulled(device)

    found = await listed(desk)

    assert {one["user_id"] for one in found} == {phone.user_id, desk.user_id}
    assert not {stranger.id, phone.id, desk.id} & set(str(found).replace("'", " ").split())
    assert {one["user_id"] for one in await listed(boss)} == {
        one.user_id for one in (stranger, boss, phone, desk)
    }


async def test_a_device_that_only_pushed_is_not_behind_and_is_forgotten_after_a_day(
    make_device: MakeDevice, stamp: Stamp, clock: fakes.FakeClock
) -> None:
    script = await make_device()
    await new_lead(script)
    await stamp()

    (one,) = [one for one in await listed(await make_device("manager")) if one["user_id"] == script.user_id]
    assert (one["behind"], one["last_pull"], bool(one["last_push"])) == (0, None, True)
    clock.advance(devices.LATELY.total_seconds() + 1)
    assert script.user_id not in {one["user_id"] for one in await listed(await make_device("manager"))}


async def test_a_copy_of_a_store_says_nothing_of_its_original_and_is_no_device_itself(
    make_device: MakeDevice,
) -> None:
    phone, desk = await make_device(), await make_device("manager")
    await new_lead(phone)
    await pulled(phone)
    copied = phone.mutation("put", "leads", ids.new_id(), a_lead(phone), mid=1)
    assert (await phone.send(copied)).json()["code"] == "device_forked"

    (one,) = [one for one in await listed(desk) if one["user_id"] == phone.user_id]

    assert one["error"] is None


@pytest.mark.parametrize(("queue", "days"), [("", 30), ("2,0,1795363200000", 180), ("0,1,0", 180)])
async def test_a_device_is_listed_for_a_month_and_longer_where_work_waits(
    make_device: MakeDevice, clock: fakes.FakeClock, queue: str, days: int
) -> None:
    phone = await make_device()
    await pulled(phone, queue)

    there = []
    for seconds in (days * 86_400 - 1, 2):
        clock.advance(seconds)
        found = await listed(await make_device("manager"))
        there.append(phone.user_id in {one["user_id"] for one in found})

    assert there == [True, False]


async def test_a_refusal_is_told_until_the_device_gets_through(
    make_device: MakeDevice, clock: fakes.FakeClock
) -> None:
    phone, desk = await make_device(), await make_device("manager")

    async def told() -> str | None:
        (one,) = [one for one in await listed(desk) if one["user_id"] == phone.user_id]
        return str(one["error"]) if one["error"] else None

    await pulled(phone, "1,0,1795363200000")
    mutation = phone.mutation("put", "leads", ids.new_id(), a_lead(phone))
    twice = dataclasses.replace(mutation, row_id=ids.new_id())
    assert (await phone.send(mutation, twice)).status_code == 422
    assert await told() == "input"
    clock.advance(devices.PERIOD_SECONDS)
    await pulled(phone, "1,0,1795363200000")
    assert await told() == "input", "its change still waits"
    await phone.push(mutation)
    assert await told() is None


async def test_of_one_person_the_last_hundred_devices_are_kept(deps: Deps, make_device: MakeDevice) -> None:
    phone, other = await make_device(), await make_device()
    await pulled(other)
    await devices.written(deps)
    async with deps.pool.acquire() as connection:
        now = deps.clock.now()
        for n in range(stored.MOST_OF_ONE_PERSON + 5):
            at = now + timedelta(seconds=n)
            report = stored.Report(user_id=phone.user_id, device=f"d{n:03}", at=at, schema=1)
            await stored.note(connection, [report])
        await stored.forget(connection, now - timedelta(days=1))
        left = await connection.fetch("SELECT user_id, device FROM devices ORDER BY device")

    assert {row["device"] for row in left if row["user_id"] == phone.user_id} == {
        f"d{n:03}" for n in range(5, stored.MOST_OF_ONE_PERSON + 5)
    }
    assert len(left) == stored.MOST_OF_ONE_PERSON + 1


@pytest.mark.parametrize("path", ["/api/sync/devices", "/api/metrics"])
async def test_agents_see_no_devices_but_their_own(make_device: MakeDevice, path: str) -> None:
    phone = await make_device()

    answer = await phone.client.get(path, headers=phone.headers)

    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")


async def test_what_a_device_was_refused_with_shows(make_device: MakeDevice) -> None:
    phone, desk = await make_device(), await make_device("manager")
    await pulled(phone)
    await phone.client.get(
        "/api/sync/pull", headers={**phone.headers, wire.DEVICE_HEADER: phone.id, wire.SCHEMA_HEADER: "9"}
    )

    (one,) = [one for one in await listed(desk) if one["user_id"] == phone.user_id]

    assert (one["error"], one["schema"]) == ("version_mismatch", 9)
    assert one["error_at"]


async def test_a_device_that_says_the_same_is_written_once_a_minute(
    make_device: MakeDevice, deps: Deps, clock: fakes.FakeClock
) -> None:
    phone = await make_device()

    async def written() -> int:
        await devices.written(deps)
        return int(await deps.pool.fetchval("SELECT xmin::text::bigint FROM devices"))

    await pulled(phone)
    await pulled(phone)
    first = await written()
    await pulled(phone)
    assert await written() == first
    await pulled(phone, "1,0,0")
    changed = await written()
    assert changed > first
    clock.advance(devices.PERIOD_SECONDS + 1)
    await pulled(phone, "1,0,0")
    assert await written() > changed


@pytest.mark.parametrize(
    "said", ["x", "1,2", "1,2,3,4", "-1,0,0", "9999999999,0,0", "1,1,99999999999999", "1,0,-5"]
)
async def test_nonsense_about_the_queue_counts_as_nothing_said(make_device: MakeDevice, said: str) -> None:
    phone = await make_device()
    await pulled(phone, said)

    assert (await get(phone, "/api/sync/status"))["device"]["pending"] == 0


async def test_numbers_for_machines_that_watch(make_device: MakeDevice, stamp: Stamp) -> None:
    phone, boss = await make_device(), await make_device("admin", ())
    await new_lead(phone)
    await stamp()
    await pulled(phone, "2,0,1795363200000")

    answer = await boss.client.get("/api/metrics", headers=boss.headers)

    lines = dict(line.rsplit(" ", 1) for line in answer.text.splitlines() if not line.startswith("#"))
    assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    assert float(lines["jorge_feed_head"]) > 0
    assert answer.text.count("# HELP jorge_") == len(lines)
    assert (lines["jorge_devices_with_unsent_work"], lines["jorge_devices_seen_last_day"]) == ("1", "1")
    assert ids.new_id() not in answer.text
