"""No value whatever stops a push: what can't be applied is parked with a sentence, and its neighbours are applied."""

from __future__ import annotations

import json
import random
import string
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pytest

from backend.deps import Deps
from domain import ids, tables, wire
from tests.backend.sync.conftest import MakeDevice, Stamp
from tests.backend.sync.devices import T0, Device, a_lead, new_lead
from tests.backend.sync.places import a_task, revoke, stored

pytestmark = pytest.mark.anyio

_LETTERS = random.Random(7).choices(string.ascii_letters + string.digits, k=6000)
LONG = "".join(_LETTERS)
"""Random, so that a database can't pack it into the room of a shorter one."""
INFINITE = float("inf")


def nested(depth: int) -> list[Any]:
    found: list[Any] = []
    for _ in range(depth):
        found = [found]
    return found


_NUMBERS = (2**63 - 1, -(2**63), 2**64, 1e299, -1e299, 5e-324, float("nan"), INFINITE)
_TEXTS = (LONG, LONG[:2800], " " * 6000, "", "\x00", "\ud800", "\x01\x1b\u202e\uffff", "\U0010ffff" * 900)
_LISTS = (nested(30), nested(40), [LONG] * 3, ["\ud800"], [INFINITE], {"\x00": 1}, {"a": [2**63, 1e299]})
_TIMES = ("9999-12-31T23:59:59.999Z", "2200-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00", "2026-W01-1")
HOSTILE: Mapping[tables.Type, Sequence[Any]] = {
    tables.Type.TEXT: (*_TEXTS, 7, nested(40)),
    tables.Type.ID: (LONG, "\x00", "\ud800", "\uff11" * 36, 7, {}),
    tables.Type.INT: (*_NUMBERS, True, LONG),
    tables.Type.REAL: (*_NUMBERS, "NaN"),
    tables.Type.BOOL: (1, "true", INFINITE, nested(40)),
    tables.Type.TIME: (*_TIMES, LONG, "\x00", 1e299, "now"),
    tables.Type.DATE: (*_TIMES, "2200-12-31", "9999-12-31", "\ud800", -1, "infinity"),
    tables.Type.JSON: (*_LISTS, *_NUMBERS, LONG, "\x00", None),
}


def required(table: tables.Table, device: Device) -> dict[str, Any]:
    """What a new row must have, each of its kind."""
    of_kind = {tables.Type.ID: ids.new_id(), tables.Type.TIME: T0}
    known = {
        "location_id": device.locations[0], "stage": "new", "state": "waiting", "side_held": "listing",
        ("leads", "kind"): "seller",
    }  # fmt: skip
    return {
        one.name: known.get((table.name, one.name), known.get(one.name, of_kind.get(one.type, "x")))
        for one in table.fields
        if one.required
    }


def hostile(device: Device, table: tables.Table, known: Sequence[str]) -> Iterator[list[wire.Mutation]]:
    """Each field with each hostile value: in a new row, or written over the value of a row that is there.

    `known`: rows to change, where a device can't make any.
    """
    cases = [(one.name, value) for one in table.fields for value in HOSTILE[one.type]]
    for number, (name, value) in enumerate(cases):
        row_id, sound = ids.new_id(), required(table, device)
        if known:
            row_id = known[number % len(known)]
            yield [device.mutation("patch", table.name, row_id, {name: value}, base_ver=1)]
        elif table.append_only or number % 2:
            yield [device.mutation("put", table.name, row_id, {**sound, name: value})]
        else:
            made = device.mutation("put", table.name, row_id, sound)
            said = {name: value}
            yield [made, device.mutation("patch", table.name, row_id, said, base=said, base_ver=1)]


async def records(desk: Device, stamp: Stamp) -> list[str]:
    """Conflicts, which only the server makes: of leads with one number."""
    twins = [a_lead(desk, phone="909 555 0142") for _ in range(150)]
    await sent(desk, [desk.mutation("put", "leads", ids.new_id(), lead) for lead in twins])
    await stamp()
    await desk.pull()
    return sorted(desk.ids("conflicts"))


def a_push(device: Device, mutations: Sequence[object]) -> dict[str, Any]:
    return wire.Push(device_id=device.id, epoch="1", mutations=()).as_json() | {"mutations": mutations}


async def sent(
    device: Device, mutations: Sequence[wire.Mutation | Mapping[str, Any]]
) -> dict[int, wire.Result]:
    """As JSON of Python, which writes what JSON has no words for."""
    each = [one.as_json() if isinstance(one, wire.Mutation) else one for one in mutations]
    return await posted(device, json.dumps(a_push(device, each)))


async def posted(device: Device, body: str) -> dict[int, wire.Result]:
    answer = await device.client.post("/api/sync/push", content=body.encode(), headers=device.headers)
    assert answer.status_code == 200, answer.text
    return {result.mid: result for result in wire.PushAnswer.from_json(answer.json()).results}


@pytest.mark.parametrize(
    "table", [table for table in tables.ALL if table.writers], ids=lambda table: table.name
)
async def test_no_value_of_any_field_stops_its_neighbours_or_the_next_pull(
    make_device: MakeDevice, stamp: Stamp, table: tables.Table
) -> None:
    desk = await make_device("manager")
    cases = list(hostile(desk, table, await records(desk, stamp) if table is tables.CONFLICTS else []))
    for some in (cases[at : at + 90] for at in range(0, len(cases), 90)):
        tasks = [a_task(desk.locations[0], None)] * 5
        near = [desk.mutation("put", "tasks", ids.new_id(), task) for task in tasks]
        results = await sent(desk, [*near[:2], *(one for case in some for one in case), *near[2:]])
        assert {results[one.mid].status for one in near} == {wire.Status.APPLIED}
        for result in results.values():
            assert (result.status is wire.Status.PARKED) == bool(result.message), result
    await stamp()
    assert await desk.pull()
    answer = await desk.client.get("/api/sync/digests", params={"content": True}, headers=desk.headers)
    assert answer.status_code == 200


_OF = ("base_ver", "edit_ms", "seen_server_ms", "schema")
ENVELOPES: Sequence[Mapping[str, Any]] = (
    *({"row_id": said} for said in (LONG * 5, f"{ids.new_id()}{LONG}", "\x00", "\ud800", "", 7, None)),
    *({"table": said} for said in (LONG * 5, "\x00", "\ud800", nested(40))),
    *({"group": said} for said in (LONG, "\x00", "\ud800", nested(40))),
    *({"op": said} for said in ("\ud800", 1e299, nested(800))),
    *({name: said} for name in _OF for said in (*_NUMBERS, "1")),
    *({name: said} for name in ("patch", "base") for said in ([], nested(800), {"\ud800": 1}, {LONG: LONG})),
)


async def test_nothing_that_a_change_says_of_itself_stops_its_neighbours_however_often_it_is_sent(
    make_device: MakeDevice,
) -> None:
    phone = await make_device()
    near = [phone.mutation("put", "tasks", ids.new_id(), a_task(phone.locations[0], None)) for _ in range(2)]
    leads = [a_lead(phone), a_lead(phone, opted_out=True, phone="9095550142", email="\ud800@x.example")]
    odd = [
        {**phone.mutation("put", "leads", ids.new_id(), lead).as_json(), **said}
        for lead in leads
        for said in ENVELOPES
    ]
    mutations = [near[0].as_json(), *odd, near[1].as_json()]
    first = await sent(phone, mutations)
    again = await sent(phone, mutations)
    assert {first[one.mid].status for one in near} == {wire.Status.APPLIED}
    assert {again[one.mid].status for one in near} == {wire.Status.DUPLICATE}
    assert {mid: one.code for mid, one in first.items()} == {mid: one.code for mid, one in again.items()}


async def test_a_version_beyond_all_versions_of_a_row_that_went_away_is_answered_again_and_again(
    make_device: MakeDevice, deps: Deps
) -> None:
    phone = await make_device()
    lead = await new_lead(phone)
    late = phone.mutation("patch", "leads", lead, {"name": "B"}, base_ver=2**62 - 1)
    beyond = phone.mutation("patch", "leads", lead, {"name": "C"}, base_ver=2**63 - 1)
    await revoke(deps, phone)
    first, again = [await sent(phone, [late, beyond]) for _ in range(2)]
    assert [one.status.value for one in first.values()] == ["merged", "parked"]
    assert [one.status.value for one in again.values()] == ["duplicate", "parked"]


async def test_a_change_is_the_same_one_whatever_came_with_it(make_device: MakeDevice) -> None:
    """Numbers beyond JSON make the whole body be read in another way, which must not read other numbers."""
    phone = await make_device()
    numbers = (
        "[18446744073709551615, 18446744073709551616, -9223372036854775809, -0, -0.0, 1e22, 5e-324, 0.1]"
    )
    lead = phone.mutation("put", "leads", ids.new_id(), a_lead(phone, answers="HERE")).as_json()
    odd = phone.mutation("put", "leads", ids.new_id(), a_lead(phone, score="THERE")).as_json()
    bodies = [json.dumps(a_push(phone, some)) for some in ([lead], [lead, odd])]
    alone, both = [
        await posted(phone, body.replace('"HERE"', numbers).replace('"THERE"', "-1e400")) for body in bodies
    ]
    assert [one.status.value for one in (alone[1], both[1])] == ["merged", "duplicate"]
    assert (both[2].code, both[2].message) == ("bad_value", "score must be a number, not -inf.")


async def test_what_only_the_database_refuses_is_parked_alone_and_an_opt_out_in_it_counts(
    make_device: MakeDevice, deps: Deps
) -> None:
    """An index that somebody adds one day may hold less than a field."""
    async with deps.pool.acquire() as connection:
        await connection.execute("CREATE INDEX ON leads (area)")
    phone = await make_device()
    lead, other = await new_lead(phone), ids.new_id()
    said = {"area": LONG, "opted_out": True, "opted_out_at": T0, "opted_out_words": "STOP"}
    results = await phone.push(
        phone.mutation("patch", "leads", lead, said, base_ver=1),
        phone.mutation("put", "leads", other, a_lead(phone)),
    )
    assert [(one.status.value, one.code) for one in results] == [("parked", "bad_value"), ("applied", "")]
    row = await stored(deps, "leads", lead)
    assert (row.values["opted_out"], row.values["area"]) == (True, None)


async def test_a_row_with_a_longer_number_than_is_taken_now_is_changed_elsewhere_and_read(
    make_device: MakeDevice, deps: Deps, stamp: Stamp
) -> None:
    phone = await make_device()
    lead, number = await new_lead(phone), LONG[:400]
    async with deps.pool.acquire() as connection:
        await connection.execute("UPDATE leads SET phone = $2 WHERE id = $1", lead, number)
    seen = {"name": "Ana Ruiz", "phone": number}
    (result,) = await phone.push(phone.mutation("patch", "leads", lead, {"name": "B"}, base=seen, base_ver=2))
    assert result.status is wire.Status.APPLIED
    await stamp()
    await phone.pull()
    assert number in phone.rows["leads", lead]
