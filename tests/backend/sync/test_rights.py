"""An edit is judged by the moment it was made: work on the road is not lost with a location, and nobody gains one."""

from __future__ import annotations

import pytest

from backend.deps import Deps
from domain import ids, wire
from tests.backend.sync.conftest import MakeDevice, Stamp
from tests.backend.sync.devices import Device, a_lead, new_lead
from tests.backend.sync.places import (
    DAY_MS,
    a_visit,
    age_grants,
    all_of,
    grant,
    now_ms,
    revoke,
    stored,
)

pytestmark = pytest.mark.anyio


async def gone(device: Device, *mutations: wire.Mutation) -> list[wire.Result]:
    """Pushed, taken, and answered without a word of the rows."""
    results = await device.push(*mutations)
    for mutation, result in zip(mutations, results, strict=True):
        told = wire.Row(table=mutation.table, id=mutation.row_id, ver=mutation.base_ver + 1, deleted=True)
        assert (result.status, result.row) == (wire.Status.MERGED, told), result
    return results


async def test_what_was_edited_while_the_location_was_theirs_counts_and_nothing_is_told(
    make_device: MakeDevice, deps: Deps
) -> None:
    phone, desk = await make_device(), await make_device("manager")
    lead = await new_lead(phone)
    await desk.push(desk.mutation("patch", "leads", lead, {"motivation": "secret"}, base_ver=1))
    edits = [
        phone.mutation("patch", "leads", lead, {"name": "Ana R."}, base_ver=1, base={"name": "Ana Ruiz"}),
        phone.mutation("put", "interactions", ids.new_id(), a_visit(phone.locations[0], lead)),
    ]
    await revoke(deps, phone)

    await gone(phone, *edits)

    assert (await stored(deps, "leads", lead)).values["name"] == "Ana R."
    assert len(await all_of(deps, "interactions")) == 1


async def test_a_repeat_of_it_is_told_as_little(make_device: MakeDevice, deps: Deps) -> None:
    phone = await make_device()
    edit = phone.mutation("patch", "leads", await new_lead(phone), {"name": "Ana R."}, base_ver=1)
    await revoke(deps, phone)

    await gone(phone, edit)
    (again,) = await phone.push(edit)

    assert (again.status, again.row and again.row.deleted) == (wire.Status.DUPLICATE, True)


async def test_what_was_edited_afterwards_is_parked(make_device: MakeDevice, deps: Deps) -> None:
    phone = await make_device()
    lead = await new_lead(phone)
    await revoke(deps, phone)

    results = await phone.push(
        phone.mutation("patch", "leads", lead, {"name": "later"}, base_ver=1),
        phone.mutation("put", "leads", ids.new_id(), a_lead(phone)),
    )

    assert [(r.code, r.ver, r.row) for r in results] == [("not_found", 0, None), ("forbidden", 0, None)]
    assert (await stored(deps, "leads", lead)).values["name"] == "Ana Ruiz"


@pytest.mark.parametrize(("days", "taken"), [(29.9, True), (30.1, False)])
async def test_thirty_days_after_the_end_no_edit_counts_any_more(
    make_device: MakeDevice, deps: Deps, days: float, taken: bool
) -> None:
    phone = await make_device()
    lead = await new_lead(phone)
    edit_ms = now_ms() - int(days * DAY_MS)
    edit = phone.mutation("patch", "leads", lead, {"name": "Ana R."}, base_ver=1, edit_ms=edit_ms)
    await revoke(deps, phone)
    await age_grants(deps, days)

    (result,) = await phone.push(edit)

    assert (result.status is wire.Status.MERGED) is taken


async def test_a_location_that_was_theirs_for_a_day_gives_no_right_for_the_day_before(
    make_device: MakeDevice, deps: Deps
) -> None:
    phone, far = await make_device(), await make_device("manager", locations=("Dallas",))
    lead = await new_lead(far)
    await grant(deps, phone, far.locations[0])
    await revoke(deps, phone, far.locations[0])

    for edit_ms, seen_ms in ((now_ms() - DAY_MS, 0), (5, 0), (-5, -9), (5, now_ms())):
        (result,) = await phone.push(
            phone.mutation(
                "patch",
                "leads",
                lead,
                {"name": "forged"},
                base_ver=1,
                edit_ms=edit_ms,
                seen_server_ms=seen_ms,
            )
        )
        assert result.code == "not_found"


async def test_who_has_heard_from_the_server_since_did_not_edit_before(
    make_device: MakeDevice, deps: Deps
) -> None:
    phone = await make_device()
    lead = await new_lead(phone)
    before = now_ms()
    await revoke(deps, phone)

    (result,) = await phone.push(
        phone.mutation("patch", "leads", lead, {"name": "x"}, edit_ms=before, seen_server_ms=now_ms() + 5)
    )

    assert result.code == "not_found"


async def test_nothing_is_deleted_or_brought_back_by_somebody_who_does_not_see_it(
    make_device: MakeDevice, deps: Deps
) -> None:
    phone, desk = await make_device(), await make_device("manager")
    lives, dead = await new_lead(phone), await new_lead(phone)
    await desk.push(desk.mutation("delete", "leads", dead, base_ver=1))
    edits = [
        phone.mutation("delete", "leads", lives, base_ver=1),
        phone.mutation("put", "leads", dead, a_lead(phone), base_ver=9),
    ]
    await revoke(deps, phone)

    results = await phone.push(*edits)

    assert [(r.code, r.ver) for r in results] == [("not_found", 0)] * 2
    assert not (await stored(deps, "leads", lives)).deleted
    assert (await stored(deps, "leads", dead)).deleted


async def test_their_edit_of_a_deleted_row_is_on_record_for_those_who_are_there(
    make_device: MakeDevice, deps: Deps, stamp: Stamp
) -> None:
    phone, desk = await make_device(), await make_device("manager")
    lead = await new_lead(phone)
    edit = phone.mutation("patch", "leads", lead, {"name": "mine"}, base_ver=1)
    await desk.push(desk.mutation("delete", "leads", lead, base_ver=1))
    await revoke(deps, phone)

    await phone.push(edit)

    await stamp()
    await desk.pull()
    assert len(desk.ids("conflicts")) == 1


async def test_fixed_fields_are_no_oracle(make_device: MakeDevice, deps: Deps) -> None:
    phone, desk = await make_device(), await make_device("manager")
    lead = await new_lead(desk, external_id="secret")
    guesses = [
        phone.mutation("patch", "leads", lead, {"external_id": guess}, base_ver=1)
        for guess in ("a", "secret")
    ]
    await revoke(deps, phone)

    wrong, right = await gone(phone, *guesses)

    assert (wrong.ver, wrong.code, wrong.message) == (right.ver, right.code, right.message)


async def test_history_of_a_row_they_do_not_see_is_not_rewritten(make_device: MakeDevice, deps: Deps) -> None:
    phone = await make_device()
    visit = ids.new_id()
    await phone.push(phone.mutation("put", "interactions", visit, a_visit(phone.locations[0], ids.new_id())))
    edit = phone.mutation(
        "put", "interactions", visit, a_visit(phone.locations[0], ids.new_id(), body="other")
    )
    await revoke(deps, phone)

    (result,) = await phone.push(edit)

    assert result.code == "not_found"
    assert (await stored(deps, "interactions", visit)).values["body"] is None


async def test_the_role_is_that_of_today(make_device: MakeDevice, deps: Deps) -> None:
    desk = await make_device("manager")
    edit = desk.mutation("put", "deals", ids.new_id(), {"stage": "new"})
    async with deps.pool.acquire() as connection:
        await connection.execute("UPDATE users SET role = 'agent' WHERE id = $1", desk.user_id)

    (result,) = await desk.push(edit)

    assert result.code == "forbidden"


async def test_a_location_given_back_is_theirs_as_if_nothing_had_been(
    make_device: MakeDevice, deps: Deps, stamp: Stamp
) -> None:
    phone = await make_device()
    lead = await new_lead(phone)
    await stamp()
    await phone.pull()
    edit = phone.mutation("patch", "leads", lead, {"name": "Ana R."}, base_ver=1)
    await revoke(deps, phone)
    phone.confirm([edit], await gone(phone, edit))
    assert ("leads", lead) not in phone.rows

    await grant(deps, phone, phone.locations[0])
    await stamp()
    await phone.pull()

    assert phone.rows[("leads", lead)][1] == 2
