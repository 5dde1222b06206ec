"""What goes wrong between device and server, and that nothing is lost or done twice by it."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Callable
from typing import Any

import pytest

from backend.deps import Deps
from domain import ids, tables, wire
from tests.backend.sync.conftest import MakeDevice, Stamp
from tests.backend.sync.devices import T0, Device, a_lead, new_lead

pytestmark = pytest.mark.anyio


async def test_a_push_whose_answer_was_lost_is_answered_again(make_device: MakeDevice) -> None:
    phone, desk, lead_id = await make_device(), await make_device("manager"), ids.new_id()
    mutation = phone.mutation("put", "leads", lead_id, a_lead(phone))
    await phone.push(mutation)
    await desk.push(desk.mutation("patch", "leads", lead_id, {"name": "B"}, base_ver=1))
    for _ in range(2):
        (again,) = await phone.push(mutation)
        assert (again.status, again.ver) == (wire.Status.DUPLICATE, 2)
        assert again.row is not None
        assert again.row.values["name"] == "B"


async def test_what_was_parked_stays_parked_when_it_comes_again(make_device: MakeDevice) -> None:
    phone = await make_device()
    mutation = phone.mutation("patch", "leads", ids.new_id(), {"name": "x"})
    first = await phone.push(mutation)
    assert [(r.status, r.code) for r in first] == [(wire.Status.PARKED, "not_found")]
    assert await phone.push(mutation) == first


async def test_a_copied_store_is_told_to_take_a_new_name_and_then_loses_nothing(
    make_device: MakeDevice,
) -> None:
    phone = await make_device()
    await phone.push(phone.mutation("put", "leads", ids.new_id(), a_lead(phone), mid=7))
    copied = phone.mutation("put", "leads", ids.new_id(), a_lead(phone), mid=7)
    answer = await phone.send(copied)
    assert (answer.status_code, answer.json()["code"]) == (409, "device_forked")
    phone.id = ids.new_id()
    (result,) = await phone.push(copied)
    assert result.status is wire.Status.APPLIED


async def test_an_expired_token_is_told_apart_and_the_same_push_goes_through_after_it(
    make_device: MakeDevice, deps: Deps
) -> None:
    phone = await make_device()
    mutation = phone.mutation("put", "leads", ids.new_id(), a_lead(phone))
    async with deps.pool.acquire() as connection:
        await connection.execute("UPDATE access_tokens SET expires_at = now() - interval '1 second'")
        answer = await phone.send(mutation)
        assert (answer.status_code, answer.json()["code"]) == (401, "token_expired")
        await connection.execute("UPDATE access_tokens SET expires_at = now() + interval '1 hour'")
    (result,) = await phone.push(mutation)
    assert result.status is wire.Status.APPLIED


async def test_another_version_of_the_protocol_is_refused_in_words(make_device: MakeDevice) -> None:
    phone = await make_device()
    body = {**wire.Push(device_id="d", epoch="1", mutations=()).as_json(), "protocol": 99}
    pushed = await phone.client.post("/api/sync/push", json=body, headers=phone.headers)
    pulled = await phone.client.get("/api/sync/pull", headers={**phone.headers, wire.PROTOCOL_HEADER: "99"})
    for answer in (pushed, pulled):
        assert (answer.status_code, answer.json()["code"]) == (426, "version_mismatch")
        assert "Update" in answer.json()["hint"]


async def test_a_body_that_is_too_large_is_refused(make_device: MakeDevice) -> None:
    phone = await make_device()
    answer = await phone.send(
        phone.mutation("put", "leads", ids.new_id(), a_lead(phone, name="x" * 5_000_000))
    )
    assert answer.status_code == 422
    assert "fewer" in answer.json()["hint"]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b'{"protocol": 1}',
        b"\xff",
        b'{"protocol":1,"mutations":[7]}',
        b'{"protocol":1,"x":"\\ud83d"}',
    ],
)
async def test_what_is_no_push_is_refused(make_device: MakeDevice, body: bytes) -> None:
    phone = await make_device()
    answer = await phone.client.post("/api/sync/push", content=body, headers=phone.headers)
    assert 400 <= answer.status_code < 500
    assert answer.json()["message"]


BAD_LEADS: dict[str, Callable[[Device], dict[str, Any]]] = {
    "no name": lambda d: a_lead(d, name=None),
    "unknown field": lambda d: a_lead(d, shoe_size=44),
    "text for a number": lambda d: a_lead(d, price_cents="much"),
    "number too large": lambda d: a_lead(d, timeline_days=1 << 70),
    "NUL in text": lambda d: a_lead(d, source="a\x00b"),
    "NUL in a list": lambda d: a_lead(d, tags=["a\x00b"]),
    "no such day": lambda d: a_lead(d, price_on="2026-02-30"),
    "a time without a zone": lambda d: a_lead(d, consent_at="2026-11-22T16:00:00"),
    "the last moment of all": lambda d: a_lead(d, consent_at="9999-12-31T23:59:59-12:00"),
    "an id that is none": lambda d: a_lead(d, agent_id="x" * 36),
    "tags that are no list": lambda d: a_lead(d, tags=5),
    "taken external id": lambda d: a_lead(d, external_id="taken"),
}


@pytest.mark.parametrize("what", BAD_LEADS)
async def test_one_bad_change_is_parked_and_the_others_go_through(make_device: MakeDevice, what: str) -> None:
    phone = await make_device()
    await new_lead(phone, external_id="taken")
    bad_id = ids.new_id()
    results = await phone.push(
        phone.mutation("put", "leads", ids.new_id(), a_lead(phone)),
        phone.mutation("put", "leads", bad_id, BAD_LEADS[what](phone)),
        phone.mutation("patch", "leads", bad_id, {"name": "builds on it"}),
        phone.mutation("put", "leads", ids.new_id(), a_lead(phone)),
    )
    assert [r.status.value for r in results] == ["applied", "parked", "parked", "applied"]
    assert (results[1].code, results[2].code) == ("bad_value", "depends")


async def test_a_mutation_that_cannot_be_read_does_not_stop_the_others(make_device: MakeDevice) -> None:
    phone = await make_device()
    push = wire.Push(
        device_id=phone.id, epoch="1", mutations=[phone.mutation("put", "leads", ids.new_id(), a_lead(phone))]
    )
    body = push.as_json()
    body["mutations"].append({**body["mutations"][0], "mid": 2, "op": "explode"})
    answer = await phone.client.post("/api/sync/push", json=body, headers=phone.headers)
    results = wire.PushAnswer.from_json(answer.json()).results
    assert [(r.mid, r.code) for r in results] == [(1, ""), (2, "unreadable")]


async def test_two_requests_with_the_same_mutations_at_once_apply_them_once(make_device: MakeDevice) -> None:
    phone, lead_id = await make_device(), ids.new_id()
    push = [phone.mutation("put", "leads", lead_id, a_lead(phone))]
    push += [phone.mutation("patch", "leads", lead_id, {"name": name}) for name in "abab"]
    answers = await asyncio.gather(*(phone.push(*push) for _ in range(6)))
    kinds = sorted({r.status.value for r in results} for results in answers)
    assert sorted(map(sorted, kinds)) == [["applied"]] + [["duplicate"]] * 5
    assert answers[0][-1].ver == 5


async def test_two_devices_that_lock_the_same_rows_crosswise_both_get_through(
    make_device: MakeDevice,
) -> None:
    phone, desk = await make_device(), await make_device("manager")
    leads = [await new_lead(phone) for _ in range(6)]

    async def edit(device: Device, order: list[str]) -> None:
        for number in range(5):
            some = [
                device.mutation("patch", "leads", row, {"source": f"{device.id}{number}"}) for row in order
            ]
            results = await device.push(*some)
            assert not {r.status for r in results} & {wire.Status.PARKED, wire.Status.RETRY}

    await asyncio.gather(edit(phone, leads), edit(desk, leads[::-1]))


@pytest.mark.parametrize(
    "cursor",
    [
        "nonsense",
        "feed.",
        "feed.e30",
        "snap.e30",
        "feed.eyJpIjoieCIsInEiOjEsInMiOltdfQ",
        "x.y",
        "feed.\u00e9",
    ],
)
async def test_a_cursor_that_leads_nowhere_means_start_over(make_device: MakeDevice, cursor: str) -> None:
    phone = await make_device()
    answer = await phone.client.get("/api/sync/pull", params={"cursor": cursor}, headers=phone.headers)
    assert (answer.status_code, answer.json()["code"]) == (410, "resync")


async def test_a_server_restored_to_an_earlier_day_means_start_over(
    make_device: MakeDevice, deps: Deps, stamp: Stamp
) -> None:
    phone = await make_device()
    await new_lead(phone)
    await stamp()
    await phone.pull()
    async with deps.pool.acquire() as connection:
        await connection.execute("UPDATE feed_state SET head = head - 1")
    answer = await phone.client.get("/api/sync/pull", params={"cursor": phone.cursor}, headers=phone.headers)
    assert answer.status_code == 410


async def test_what_was_made_once_can_be_put_again_and_nothing_set_once_changes(
    make_device: MakeDevice,
) -> None:
    phone, lead_id = await make_device(), ids.new_id()
    lead = a_lead(phone)
    await phone.push(phone.mutation("put", "leads", lead_id, lead))
    (again,) = await phone.push(
        phone.mutation("put", "leads", lead_id, {**lead, "created_at": "2020-01-01T00:00:00Z"})
    )
    assert again.row is not None
    assert (again.ver, again.row.values["created_at"]) == (1, T0)
    (fixed,) = await phone.push(
        phone.mutation("patch", "leads", lead_id, {"created_at": "2020-01-01T00:00:00Z"})
    )
    assert fixed.code == "fixed"


async def test_history_is_only_added_to(make_device: MakeDevice) -> None:
    phone, row_id = await make_device(), ids.new_id()
    call = {
        "location_id": phone.locations[0],
        "created_at": T0,
        "lead_id": ids.new_id(),
        "kind": "call",
        "occurred_at": T0,
    }
    results = await phone.push(
        phone.mutation("put", "interactions", row_id, call),
        phone.mutation("delete", "interactions", row_id, base_ver=1),
    )
    assert [r.code for r in results] == ["", "append_only"]
    (patched,) = await phone.push(
        phone.mutation("patch", "interactions", row_id, {"body": "other"}, base_ver=1)
    )
    assert patched.code == "append_only"


async def test_the_mutation_with_the_same_number_twice_in_a_push_counts_once(make_device: MakeDevice) -> None:
    phone = await make_device()
    mutation = phone.mutation("put", "leads", ids.new_id(), a_lead(phone))
    assert len(await phone.push(mutation, mutation)) == 1
    other = dataclasses.replace(mutation, row_id=ids.new_id(), mid=9)
    answer = await phone.send(other, dataclasses.replace(other, row_id=ids.new_id()))
    assert answer.status_code == 422


async def test_every_table_comes_in_the_first_sync_page_by_page(
    make_device: MakeDevice, stamp: Stamp
) -> None:
    desk = await make_device("manager")
    leads = {await new_lead(desk) for _ in range(5)}
    await stamp()
    fresh = await make_device("manager")
    pages = await fresh.pull(limit=2)
    assert fresh.ids("leads") == leads
    assert fresh.ids("people")
    assert fresh.ids("locations")
    loading = [page for page in pages if page.total]
    total = loading[-1].total
    assert [page.done for page in loading] == [min(2 * n, total) for n in range(1, len(loading) + 1)]
    assert loading[-1].done == total
    assert next(b.table for p in pages for b in p.blocks) == tables.ALL[0].name


async def test_a_database_that_goes_away_in_the_middle_means_later_and_not_twice(
    make_device: MakeDevice, deps: Deps
) -> None:
    phone = await make_device()
    lead_id = await new_lead(phone)
    change = phone.mutation("patch", "leads", lead_id, {"name": "b"}, base_ver=1)
    async with deps.pool.acquire() as connection, connection.transaction():
        await connection.execute("SELECT 1 FROM leads WHERE id = $1 FOR UPDATE", lead_id)
        pushing = asyncio.create_task(phone.send(change))
        cut = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
        async with asyncio.timeout(10):
            while not await deps.pool.fetchval(cut):  # noqa: ASYNC110 - it is PostgreSQL that waits
                await asyncio.sleep(0.02)
        answer = await pushing
    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
    assert int(answer.headers["Retry-After"]) > 0
    (result,) = await phone.push(change)
    assert (result.status, result.ver) == (wire.Status.APPLIED, 2)


async def test_one_location_can_be_read_alone(make_device: MakeDevice, stamp: Stamp) -> None:
    desk = await make_device("manager", ("A", "B"))
    leads = [await new_lead(desk, location_id=place) for place in desk.locations]
    await stamp()
    page = await desk.page(scope=desk.locations[1])
    assert desk.ids("leads") == {leads[1]}
    assert set(page.scopes or ()) == set(desk.locations)
    answer = await desk.client.get("/api/sync/pull", params={"scope": ids.new_id()}, headers=desk.headers)
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
