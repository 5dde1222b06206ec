"""Recordings whose note went to another office, or whose office was taken away, before they came: none is lost."""

from __future__ import annotations

import hashlib

import pytest

from backend.deps import Deps
from domain import ids
from tests.backend.sync.conftest import MakeDevice
from tests.backend.sync.devices import Device, new_lead, new_note
from tests.backend.sync.places import age_grants, revoke
from tests.backend.sync.test_uploads import AUDIO, begin, offset_of, send, whole

pytestmark = pytest.mark.anyio

BOTH = ("Rancho Cucamonga", "Dallas")
CONTENT = f"/api/uploads/{hashlib.sha256(AUDIO).hexdigest()}"


async def hears(device: Device) -> bool:
    answer = await device.client.get(CONTENT, headers=device.headers)
    return answer.status_code == 200 and answer.content == AUDIO


async def test_the_recording_of_a_note_that_moved_comes_to_its_new_office_and_back_to_nobody(
    make_device: MakeDevice, deps: Deps
) -> None:
    phone, mate = await make_device(), await make_device()
    desk, far = await make_device("manager", BOTH), await make_device(locations=("Dallas",))
    lead = await new_lead(phone)
    note, begun = await new_note(phone, lead_id=lead), await new_note(phone, lead_id=lead)
    (there,) = far.locations
    url = (await begin(phone, AUDIO[:9], note_id=begun)).headers["Location"]
    await desk.push(desk.mutation("patch", "leads", lead, {"location_id": there}, base_ver=1))
    after = ids.new_id()  # made before the move, pushed after it: it follows its lead
    row = {"location_id": phone.locations[0], "created_at": "2026-11-22T16:00:00.000Z", "lead_id": lead}
    await phone.push(
        phone.mutation(
            "put", "notes", after, {**row, "agent_id": phone.user_id, "state": "waiting"}, edit_ms=1
        )
    )

    assert offset_of(await send(phone, url, 0, AUDIO[:9])) == 9
    for late in (note, after):
        url = await whole(phone, note_id=late)
        assert offset_of(await begin(phone, note_id=late)) == len(AUDIO)

    assert [await hears(one) for one in (far, desk, phone, mate)] == [True, True, False, False]
    assert (await phone.client.get(url, headers=phone.headers)).status_code == 404


@pytest.mark.parametrize(("days", "taken"), [(29, True), (31, False)])
async def test_a_recording_of_an_office_that_was_taken_away_is_taken_for_a_month(
    make_device: MakeDevice, deps: Deps, days: int, taken: bool
) -> None:
    phone, mate = await make_device(), await make_device()
    url = (await begin(phone, note_id=await new_note(phone))).headers["Location"]
    await send(phone, url, 0, AUDIO[:10])
    note, others = await new_note(phone), await new_note(mate)
    await revoke(deps, phone)
    await age_grants(deps, days)
    await whole(mate, note_id=others)

    created = await begin(phone, note_id=note)
    rest = await send(phone, url, 10, AUDIO[10:])

    if not taken:
        assert (created.status_code, rest.status_code) == (403, 404)
        return
    assert (created.status_code, offset_of(created)) == (201, 0)  # what others sent there does not show
    assert offset_of(rest) == len(AUDIO)
    assert offset_of(await send(phone, created.headers["Location"], 0, AUDIO)) == len(AUDIO)
    asked = await phone.client.head(created.headers["Location"], headers=phone.headers)
    assert offset_of(asked) == len(AUDIO)
    assert [await hears(one) for one in (mate, phone)] == [True, False]
    for not_mine in (others, ids.new_id()):
        assert (await begin(phone, note_id=not_mine, location_id=mate.locations[0])).status_code == 403


async def test_a_note_of_another_office_is_like_one_that_there_is_not(
    make_device: MakeDevice, deps: Deps
) -> None:
    phone, far = await make_device(), await make_device(locations=("Dallas",))
    theirs = await new_note(far)

    for note in (theirs, ids.new_id()):
        url = await whole(phone, note_id=note)
        again = await begin(phone, note_id=note)
        assert (again.status_code, again.headers["Location"], offset_of(again)) == (201, url, len(AUDIO))

    assert not await hears(far)
    assert not await deps.pool.fetchval("SELECT count(*) FROM uploads WHERE note_id = $1", theirs)
