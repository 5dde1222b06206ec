"""How devices are doing: told to their person, and to managers of their locations and to nobody else."""

from __future__ import annotations

from typing import Any

import pytest

from backend.deps import Deps
from backend.services import devices
from domain import ids, wire
from tests import fakes
from tests.backend.sync.conftest import MakeDevice, Stamp
from tests.backend.sync.devices import Device, new_lead, page_of

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


async def test_a_device_is_told_how_it_stands(make_device: MakeDevice, stamp: Stamp) -> None:
    phone, desk = await make_device(), await make_device("manager")
    assert (await get(phone, "/api/sync/status"))["device"] is None
    await stamp()
    await pulled(phone)
    await pulled(phone, "3,1,1795363200000")
    await new_lead(desk)
    await new_lead(desk)
    await stamp()

    status = await get(phone, "/api/sync/status")

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
    assert (lines["jorge_devices_with_unsent_work"], lines["jorge_devices_seen_last_day"]) == ("1", "1")
    assert ids.new_id() not in answer.text
