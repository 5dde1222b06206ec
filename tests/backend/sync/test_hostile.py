"""A client that does everything wrong gets an answer that says so, and harms neither the server nor its own queue."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import pytest

from domain import ids, wire
from tests.backend.sync.conftest import MakeDevice
from tests.backend.sync.devices import T0, a_lead

pytestmark = pytest.mark.anyio


def nested(depth: int) -> list[Any]:
    found: list[Any] = []
    for _ in range(depth):
        found = [found]
    return found


@pytest.mark.parametrize("part", ["patch", "base"])
async def test_values_nested_without_end_are_parked_and_the_others_go_through(
    make_device: MakeDevice, part: str
) -> None:
    phone = await make_device()
    deep = phone.mutation("put", "leads", ids.new_id(), a_lead(phone)).as_json()
    deep[part] = {**deep.get(part, {}), "answers": nested(900)}
    fine = phone.mutation("put", "leads", ids.new_id(), a_lead(phone)).as_json()
    body = wire.Push(device_id=phone.id, epoch="1", mutations=[]).as_json() | {"mutations": [deep, fine]}
    answer = await phone.client.post("/api/sync/push", json=body, headers=phone.headers)
    results = wire.PushAnswer.from_json(answer.json()).results
    assert {r.mid: r.code for r in results} == {1: "unreadable", 2: ""}


async def test_nothing_of_a_group_is_applied_when_one_of_it_cannot_be_read(make_device: MakeDevice) -> None:
    phone = await make_device()
    whole = [
        phone.mutation("put", "leads", ids.new_id(), a_lead(phone), group=group).as_json()
        for group in ("a", "b", "b", "b", "")
    ]
    whole[2]["op"] = "explode"
    body = wire.Push(device_id=phone.id, epoch="1", mutations=[]).as_json() | {"mutations": whole}
    answer = await phone.client.post("/api/sync/push", json=body, headers=phone.headers)
    codes = {r.mid: r.code for r in wire.PushAnswer.from_json(answer.json()).results}
    assert codes == {1: "", 2: "group", 3: "unreadable", 4: "group", 5: ""}


async def test_an_id_that_is_none_is_named_as_the_reason(make_device: MakeDevice) -> None:
    phone = await make_device()
    (result,) = await phone.push(phone.mutation("patch", "leads", "x\x00", {"name": "A"}))
    assert (result.code, result.message) == ("bad_value", "The row's id is no UUID.")


async def test_a_push_with_a_number_below_one_is_refused_and_nothing_of_it_is_taken(
    make_device: MakeDevice,
) -> None:
    phone, lead = await make_device(), ids.new_id()
    good = phone.mutation("put", "leads", lead, a_lead(phone))
    answer = await phone.send(good, phone.mutation("patch", "leads", lead, {"name": "B"}, mid=-5))
    assert (answer.status_code, answer.json()["where"]) == (422, "mutations.mid")
    (result,) = await phone.push(good)
    assert result.status is wire.Status.APPLIED


@pytest.mark.parametrize(
    ("table", "patch", "message"),
    [
        ("lead's", {}, 'This server has no table "lead\'s".'),
        ("leads", {"kind": ["buyer"]}, "kind must be text, not a list."),
        ("leads", {"kind": "'x'\x00"}, "kind must be text, not \"'x'\ufffd\"."),
        ("leads", {"shoe\x00": 44}, 'leads has no field "shoe\ufffd".'),
    ],
)
async def test_why_a_change_is_parked_is_said_in_the_words_that_people_read(
    make_device: MakeDevice, table: str, patch: dict[str, Any], message: str
) -> None:
    phone = await make_device()
    (result,) = await phone.push(phone.mutation("put", table, ids.new_id(), {**a_lead(phone), **patch}))
    assert (result.status, result.message) == (wire.Status.PARKED, message)


FORGED: dict[str, Callable[[bytes], bytes]] = {
    "cut off": lambda packed: packed[:-1],
    "longer": lambda packed: packed + b"x",
    "with another seal": lambda packed: bytes(8) + packed[8:],
    "with nothing but a seal": lambda packed: packed[:8],
    "of another format": lambda packed: packed[:8] + b"\x09" + packed[9:],
    "with a load that is not there": lambda packed: packed[:9] + b"\x07" + packed[10:],
    "with a number without end": lambda packed: packed[:10] + b"\xff" * 40,
    "ahead of the feed": lambda packed: packed[:10] + b"\xff\xff\xff\x7f" + packed[11:],
}


@pytest.mark.parametrize("what", FORGED)
async def test_a_forged_cursor_means_start_over(make_device: MakeDevice, what: str) -> None:
    phone = await make_device()
    await phone.pull()
    packed = base64.urlsafe_b64decode(phone.cursor + "=" * (-len(phone.cursor) % 4))
    cursor = base64.urlsafe_b64encode(FORGED[what](packed)).decode().rstrip("=")
    answer = await phone.client.get("/api/sync/pull", params={"cursor": cursor}, headers=phone.headers)
    assert (answer.status_code, answer.json()["code"]) == (410, "resync")


@pytest.mark.parametrize(
    ("method", "path"), [("POST", "sync/push"), ("GET", "sync/pull"), ("POST", "uploads")]
)
async def test_another_version_in_the_header_is_refused_everywhere(
    make_device: MakeDevice, method: str, path: str
) -> None:
    phone = await make_device()
    headers = {**phone.headers, "X-Jorge-Protocol": "2"}
    answer = await phone.client.request(method, f"/api/{path}", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (426, "version_mismatch")


@pytest.mark.parametrize(
    "wrong",
    [{"stage": "nonsense"}, {"gross_cents": 2**63 - 1, "net_cents": 2**63 - 1}],
    ids=["stage", "money"],
)
async def test_a_deal_that_cannot_be_counted_is_parked_and_the_tiles_go_on(
    make_device: MakeDevice, wrong: dict[str, Any]
) -> None:
    desk = await make_device("manager")
    deal = {"location_id": desk.locations[0], "created_at": T0, "side_held": "listing", "stage": "new"}
    results = await desk.push(*(desk.mutation("put", "deals", ids.new_id(), deal | wrong) for _ in range(2)))
    assert {result.code for result in results} == {"bad_value"}
    answer = await desk.client.get("/api/bi/dashboard-kpis", headers=desk.headers)
    assert answer.status_code == 200
