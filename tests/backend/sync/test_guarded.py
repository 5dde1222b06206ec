"""States move by their rules, and a word that this server does not know stops nobody."""

from __future__ import annotations

from typing import Any

import pytest

from backend.deps import Deps
from domain import ids, wire
from tests.backend.sync.conftest import MakeDevice
from tests.backend.sync.devices import T0, Device, a_lead, new_lead
from tests.backend.sync.places import a_task, all_of, stored

pytestmark = pytest.mark.anyio

MADE_MS, MADE_AT = 1_795_363_200_000, "2026-11-22T16:00:00.000Z"


async def a_note(device: Device, **values: Any) -> str:
    note = ids.new_id()
    row = {
        "location_id": device.locations[0],
        "created_at": T0,
        "agent_id": device.user_id,
        "state": "waiting",
    }
    await device.push(device.mutation("put", "notes", note, {**row, **values}))
    return note


@pytest.mark.parametrize("first", ["transcribed", "saved"])
async def test_a_reviewed_note_is_not_to_be_reviewed_again(
    make_device: MakeDevice, deps: Deps, first: str
) -> None:
    phone, desk = await make_device(), await make_device("manager")
    note = await a_note(phone)
    second = {"transcribed": "saved", "saved": "transcribed"}[first]
    base = {"state": "waiting"}
    await phone.push(phone.mutation("patch", "notes", note, {"state": first}, base_ver=1, base=base))

    await desk.push(desk.mutation("patch", "notes", note, {"state": second}, base_ver=1, base=base))

    assert (await stored(deps, "notes", note)).values["state"] == "saved"
    assert await all_of(deps, "conflicts") == []


async def test_done_twice_is_done_and_nobodys_conflict(make_device: MakeDevice, deps: Deps) -> None:
    phone, desk = await make_device(), await make_device("manager")
    task, base = ids.new_id(), {"done_at": None}
    await phone.push(phone.mutation("put", "tasks", task, a_task(phone.locations[0], None)))
    for device, when in ((phone, "2026-11-22T17:00:00.000Z"), (desk, "2026-11-22T18:00:00.000Z")):
        await device.push(device.mutation("patch", "tasks", task, {"done_at": when}, base_ver=1, base=base))

    assert (await stored(deps, "tasks", task)).values["done_at"] == "2026-11-22T17:00:00.000Z"
    assert await all_of(deps, "conflicts") == []


async def test_done_here_and_put_back_there_is_told(make_device: MakeDevice, deps: Deps) -> None:
    phone, desk = await make_device(), await make_device("manager")
    done, later = "2026-11-22T17:00:00.000Z", "2026-11-22T18:00:00.000Z"
    task = ids.new_id()
    await phone.push(phone.mutation("put", "tasks", task, a_task(phone.locations[0], None, done_at=done)))
    await phone.push(
        phone.mutation("patch", "tasks", task, {"done_at": later}, base_ver=1, base={"done_at": done})
    )

    await desk.push(
        desk.mutation("patch", "tasks", task, {"done_at": None}, base_ver=1, base={"done_at": done})
    )

    assert (await stored(deps, "tasks", task)).values["done_at"] is None
    assert [row.values["unit"] for row in await all_of(deps, "conflicts")] == ["done_at"]


async def test_a_decision_is_turned_round_by_somebody_who_saw_it(make_device: MakeDevice, deps: Deps) -> None:
    phone, desk = await make_device(), await make_device("manager")
    lead = await new_lead(phone, price_cents=1)
    for device, price in ((phone, 2), (desk, 3)):
        await device.push(
            device.mutation(
                "patch", "leads", lead, {"price_cents": price}, base_ver=1, base={"price_cents": 1}
            )
        )
    (record,) = await all_of(deps, "conflicts")
    kept = {"status": "resolved", "resolution": "kept"}
    await desk.push(desk.mutation("patch", "conflicts", record.id, kept, base_ver=1))

    (turned,) = await phone.push(
        phone.mutation("patch", "conflicts", record.id, {"resolution": "restored"}, base_ver=2, base=kept)
    )

    assert turned.row is not None  # with who decided, and when
    assert (await stored(deps, "conflicts", record.id)).values["resolution"] == "restored"
    for taken_back in ({"status": "open"}, {"resolution": None}):
        (late,) = await desk.push(
            desk.mutation("patch", "conflicts", record.id, taken_back, base_ver=3, base=kept)
        )
        assert (late.status, late.code) == (wire.Status.PARKED, "decided")


async def test_who_decided_and_when_is_what_the_server_knows(make_device: MakeDevice, deps: Deps) -> None:
    phone, desk = await make_device(), await make_device("manager")
    lead = await new_lead(phone, price_cents=1)
    for device, price in ((phone, 2), (desk, 3)):
        await device.push(
            device.mutation(
                "patch", "leads", lead, {"price_cents": price}, base_ver=1, base={"price_cents": 1}
            )
        )
    (record,) = await all_of(deps, "conflicts")
    forged = {"resolved_by": phone.user_id, "resolved_at": "1999-01-01T00:00:00.000Z"}
    kept = {"status": "resolved", "resolution": "kept"}
    decided = {**kept, **forged}

    def say(values: dict[str, str], **more: Any) -> wire.Mutation:
        return desk.mutation("patch", "conflicts", record.id, values, **more)

    (alone,) = await desk.push(say(forged, base_ver=1))
    (merging,) = await desk.push(say({**decided, "resolution": "merge"}, base_ver=1))
    (said,) = await desk.push(say(decided, base_ver=1, edit_ms=MADE_MS, base={"status": "open"}))
    (again,) = await desk.push(say(decided, base_ver=2, edit_ms=MADE_MS + 9, base=kept))

    assert alone.row is not None
    assert (alone.ver, alone.row.values["resolved_by"]) == (1, None)
    assert (merging.status, merging.code) == (wire.Status.PARKED, "bad_value")
    for told in (said, again):
        assert told.row is not None
        assert (told.row.values["resolved_by"], told.row.values["resolved_at"]) == (desk.user_id, MADE_AT)


async def test_of_two_decisions_at_once_the_second_changes_nothing_with_all_of_its_group(
    make_device: MakeDevice, deps: Deps
) -> None:
    phone, desk = await make_device(), await make_device("manager")
    lead = await new_lead(phone, price_cents=1)
    for device, price in ((phone, 2), (desk, 3)):
        await device.push(
            device.mutation(
                "patch", "leads", lead, {"price_cents": price}, base_ver=1, base={"price_cents": 1}
            )
        )
    (record,) = await all_of(deps, "conflicts")
    base = {"status": "open", "resolution": None}

    for device, word, price in ((desk, "kept", 2), (phone, "restored", 3)):
        choice = {"status": "resolved", "resolution": word, "resolved_by": device.user_id}
        results = await device.push(
            device.mutation(
                "patch", "leads", lead, {"price_cents": price}, base_ver=2, base={"price_cents": 2}, group="g"
            ),
            device.mutation("patch", "conflicts", record.id, choice, base_ver=1, base=base, group="g"),
        )

    assert [r.code for r in results] == ["group", "decided"]
    assert (await stored(deps, "leads", lead)).values["price_cents"] == 2


WORDS = {
    "leads": ("temperature", "lava"),
    "notes": ("state", "dreaming"),
    "deals": ("side_held", "outside"),
    "conflicts": ("resolution", "shrug"),
}


@pytest.mark.parametrize("table", WORDS)
async def test_a_word_of_another_version_is_parked_with_the_words_that_are_known(
    make_device: MakeDevice, deps: Deps, table: str
) -> None:
    desk = await make_device("manager")
    lead = await new_lead(desk, phone="+15125550147")
    await new_lead(desk, phone="+15125550147")
    (record,) = await all_of(deps, "conflicts")
    name, word = WORDS[table]
    row = {"leads": lead, "conflicts": record.id}.get(table, ids.new_id())
    op = "patch" if table in ("leads", "conflicts") else "put"
    deal = {"location_id": desk.locations[0], "created_at": T0, "stage": "new", "agent_id": desk.user_id}
    given = {**(deal if op == "put" else {}), name: word}
    if table == "notes":
        del given["stage"]

    bad, fine = await desk.push(
        desk.mutation(op, table, row, given, base_ver=1),
        desk.mutation("put", "leads", ids.new_id(), a_lead(desk)),
    )

    assert (bad.code, fine.status) == ("bad_value", wire.Status.APPLIED)
    assert "one of " in bad.message
