"""Apps of other releases at a real server: within two releases all works, beyond that no work is shut up in a device."""

from __future__ import annotations

import dataclasses
from typing import Any

import httpx
import pytest

from backend.deps import Deps
from backend.services.auth import Peer, actor_of
from backend.services.conversation import InPlace
from domain import errors, ids, wire
from domain.wire.lenses import Add, Chain, Convert, Lens, Rename
from tests.backend.sync.conftest import MakeDevice, Stamp
from tests.backend.sync.devices import Device, a_lead, new_lead

pytestmark = pytest.mark.anyio

# As if `source` had been `origin` in schema 3, and `timeline_days` weeks until schema 4. `area` came with schema 5.
PLANTED = Chain(
    current=5,
    lenses=(
        Lens(schema=4, table="leads", steps=(Rename("origin", "source"),)),
        Lens(
            schema=5,
            table="leads",
            steps=(
                Convert("timeline_days", newer=lambda weeks: weeks * 7, older=lambda days: days // 7),
                Add("area", "unknown"),
            ),
        ),
    ),
)


async def talk_of(deps: Deps, device: Device, schema: int) -> InPlace:
    token = device.headers["Authorization"].removeprefix("Bearer ")
    actor = await actor_of(deps, token, Peer(address="", on_this_machine=True))
    return InPlace(deps=deps, actor=actor, schema=schema, lenses=PLANTED)


async def pushed(talk: InPlace, device: Device, mutation: wire.Mutation, schema: int) -> wire.Result:
    said = dataclasses.replace(mutation, schema=schema)
    answer = await talk.push(wire.Push(device_id=device.id, epoch="1", mutations=[said]))
    (result,) = answer.results
    return result


async def leads_of(talk: InPlace) -> dict[str, dict[str, Any]]:
    page = await talk.pull(wire.PullAsk(limit=5000))
    return {
        row[0]: dict(zip(block.columns, row, strict=True))
        for block in page.blocks
        if block.table == "leads"
        for row in block.rows
    }


async def test_an_app_two_releases_back_writes_and_reads_in_its_own_words(
    make_device: MakeDevice, deps: Deps
) -> None:
    phone, desk = await make_device(), await make_device("manager")
    old, new = await talk_of(deps, phone, 3), await talk_of(deps, desk, 5)
    lead = ids.new_id()
    put = phone.mutation("put", "leads", lead, a_lead(phone, origin="web", timeline_days=2))

    assert (await pushed(old, phone, put, 3)).status is wire.Status.APPLIED

    seen = (await leads_of(new))[lead]
    assert (seen["source"], seen["timeline_days"], seen["area"]) == ("web", 14, "unknown")
    theirs = (await leads_of(old))[lead]
    assert (theirs["origin"], theirs["timeline_days"]) == ("web", 2)
    assert not {"source", "area"} & theirs.keys()


async def test_an_edit_of_an_old_app_leaves_fields_alone_that_it_does_not_know(
    make_device: MakeDevice, deps: Deps
) -> None:
    phone = await make_device()
    old, new = await talk_of(deps, phone, 3), await talk_of(deps, phone, 5)
    lead = await new_lead(phone, area="north")

    await pushed(old, phone, phone.mutation("patch", "leads", lead, {"origin": "ad"}, base_ver=1), 3)

    seen = (await leads_of(new))[lead]
    assert (seen["source"], seen["area"]) == ("ad", "north")


async def test_the_row_in_an_answer_speaks_as_the_asking_app_does(
    make_device: MakeDevice, deps: Deps
) -> None:
    phone, desk = await make_device(), await make_device("manager")
    old = await talk_of(deps, phone, 3)
    lead = await new_lead(phone)
    await desk.push(desk.mutation("patch", "leads", lead, {"source": "desk"}, base_ver=1))

    result = await pushed(old, phone, phone.mutation("patch", "leads", lead, {"name": "B"}, base_ver=1), 3)

    assert result.row is not None
    assert (result.row.values["origin"], "source" in result.row.values) == ("desk", False)


@pytest.mark.parametrize("schema", [0, 2, 6])
async def test_an_app_out_of_reach_may_not_pull_and_still_sends_its_work(
    make_device: MakeDevice, deps: Deps, schema: int
) -> None:
    phone = await make_device()
    talk, lead = await talk_of(deps, phone, schema), ids.new_id()
    asks = (
        talk.pull(wire.PullAsk()),
        talk.digests(wire.DigestAsk()),
        talk.rows(wire.RowsAsk(scope=phone.locations[0], table="leads", ranges=[0])),
    )

    for ask in asks:
        with pytest.raises(errors.VersionMismatchError):
            await ask
    sent = await pushed(talk, phone, phone.mutation("put", "leads", lead, a_lead(phone)), schema)

    assert sent.status is wire.Status.APPLIED


@pytest.mark.parametrize(
    ("schema", "patch", "code"),
    [
        (6, {"mood": "good"}, "unknown_field"),
        (4, {"timeline_days": {"weeks": 2}}, "schema"),
        (0, {"fax": "9"}, "bad_value"),
    ],
)
async def test_what_fits_no_field_of_today_is_parked_and_the_others_go_through(
    make_device: MakeDevice, deps: Deps, schema: int, patch: dict[str, Any], code: str
) -> None:
    phone = await make_device()
    lead, other, talk = await new_lead(phone), await new_lead(phone), await talk_of(deps, phone, schema)

    bad = await pushed(talk, phone, phone.mutation("patch", "leads", lead, patch, base_ver=1), schema)
    good = await pushed(
        talk, phone, phone.mutation("patch", "leads", other, {"name": "B"}, base_ver=1), schema
    )

    assert (bad.status, bad.code) == (wire.Status.PARKED, code)
    assert good.status is wire.Status.APPLIED


async def test_an_app_that_was_updated_over_its_queue_is_told_the_row_that_its_former_words_made(
    make_device: MakeDevice, deps: Deps
) -> None:
    """It can't lay `origin` upon a row that has `source`: "applied" would leave it with the old value for ever."""
    phone = await make_device()
    lead = await new_lead(phone)
    older = phone.mutation("patch", "leads", lead, {"origin": "web"}, base_ver=1)
    newer = phone.mutation("patch", "leads", lead, {"source": "call"}, base_ver=1)
    mutations = [dataclasses.replace(older, schema=3), dataclasses.replace(newer, schema=5)]
    talk = await talk_of(deps, phone, 5)

    answer = await talk.push(wire.Push(device_id=phone.id, epoch="1", mutations=mutations))

    for result in answer.results:
        assert (result.status, result.ver) == (wire.Status.MERGED, 3)
        assert result.row is not None
        assert result.row.values["source"] == "call"


async def test_a_change_sent_again_after_the_servers_update_is_known(
    make_device: MakeDevice, deps: Deps
) -> None:
    phone = await make_device()
    lead = await new_lead(phone)
    said = phone.mutation("patch", "leads", lead, {"source": "x"}, base_ver=1)
    talk = await talk_of(deps, phone, 4)

    before = await pushed(dataclasses.replace(talk, lenses=Chain(current=4)), phone, said, 4)
    after = await pushed(talk, phone, said, 4)

    assert (before.status, after.status) == (wire.Status.APPLIED, wire.Status.DUPLICATE)


async def _asked(device: Device, schema: str) -> httpx.Response:
    headers = {**device.headers, wire.SCHEMA_HEADER: schema, wire.DEVICE_HEADER: device.id}
    return await device.client.get("/api/sync/pull", headers=headers)


@pytest.mark.parametrize(
    ("schema", "status"), [(str(wire.SCHEMA), 200), (str(wire.SCHEMA + 1), 426), ("0", 426), ("x", 422)]
)
async def test_the_header_says_which_tables_an_app_has(
    make_device: MakeDevice, stamp: Stamp, schema: str, status: int
) -> None:
    answer = await _asked(await make_device(), schema)

    assert answer.status_code == status


@pytest.mark.parametrize("schema", ["x", "-1", str(1 << 40), str(wire.SCHEMA + 1)])
async def test_a_push_is_taken_whatever_the_header_says(make_device: MakeDevice, schema: str) -> None:
    phone = await make_device()
    phone.headers = {**phone.headers, wire.SCHEMA_HEADER: schema}

    (result,) = await phone.push(phone.mutation("put", "leads", ids.new_id(), a_lead(phone)))

    assert result.status is wire.Status.APPLIED
