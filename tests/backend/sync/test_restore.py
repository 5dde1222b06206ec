"""A database that was set back begins another life: noticed where PostgreSQL tells, or by the command, once each."""

from __future__ import annotations

import asyncio

import pytest

from backend.deps import Deps
from backend.services import restore
from backend.storage import feed
from domain import ids, wire
from tests.backend.sync.conftest import MakeDevice, Stamp
from tests.backend.sync.devices import a_lead, new_lead

pytestmark = pytest.mark.anyio


async def incarnation(deps: Deps) -> str:
    async with deps.pool.acquire() as connection:
        return (await feed.head(connection)).incarnation


async def test_the_running_database_tells_its_life(deps: Deps) -> None:
    async with deps.pool.acquire() as connection:
        life = await feed.life(connection)

    assert life is not None
    assert (life.system_id > 0, life.timeline) == (True, 1)


async def test_the_first_look_and_one_that_finds_the_same_change_nothing(deps: Deps) -> None:
    before = await incarnation(deps)

    found = [await restore.notice(deps.pool) for _ in range(3)]

    assert (found, await incarnation(deps)) == ([False] * 3, before)


@pytest.mark.parametrize("changed", ["timeline = timeline + 1", "system_id = system_id + 1"])
async def test_another_timeline_or_cluster_begins_another_life_once(deps: Deps, changed: str) -> None:
    await restore.notice(deps.pool)
    before = await incarnation(deps)
    await deps.pool.execute(f"UPDATE feed_state SET {changed}")  # noqa: S608 - as if it had run elsewhere

    found = await asyncio.gather(*(restore.notice(deps.pool) for _ in range(3)))

    assert sorted(found) == [False, False, True]
    assert await incarnation(deps) != before


async def test_a_device_of_the_former_life_starts_over_and_one_of_the_new_goes_on(
    make_device: MakeDevice, deps: Deps, stamp: Stamp
) -> None:
    phone = await make_device()
    await new_lead(phone)
    await stamp()
    await phone.pull()

    made = await restore.renew(deps.pool)

    answer = await phone.client.get("/api/sync/pull", params={"cursor": phone.cursor}, headers=phone.headers)
    assert (answer.status_code, answer.json()["code"]) == (410, "resync")
    phone.cursor = wire.FROM_NOW
    page = await phone.page()
    assert page.incarnation == made
    assert (await phone.page()).more is False


async def test_a_device_ahead_of_the_feed_is_proof_that_the_database_was_set_back(
    make_device: MakeDevice, deps: Deps, stamp: Stamp
) -> None:
    phone, other = await make_device(), await make_device()
    await stamp()
    await other.pull()
    await new_lead(phone)
    await stamp()
    await phone.pull()
    before = await incarnation(deps)
    await deps.pool.execute("UPDATE feed_state SET head = head - 1")

    answers = [
        await device.client.get("/api/sync/pull", params={"cursor": device.cursor}, headers=device.headers)
        for device in (other, phone, phone, other)
    ]

    assert [answer.status_code for answer in answers] == [204, 410, 410, 410]
    assert await incarnation(deps) != before


async def test_an_edit_upon_what_was_lost_has_not_seen_what_was_written_since(
    make_device: MakeDevice, deps: Deps, stamp: Stamp
) -> None:
    """Its version of the former life is above those of the new one, would these begin where the database was set back to."""
    phone, desk = await make_device(), await make_device("manager")
    lead = await new_lead(desk)
    await restore.renew(deps.pool)
    await desk.push(desk.mutation("patch", "leads", lead, {"name": "Made since"}, base_ver=1))

    (result,) = await phone.push(
        phone.mutation("patch", "leads", lead, {"name": "Made before"}, base={"name": "Lost"}, base_ver=9)
    )

    assert result.status is wire.Status.MERGED
    assert await deps.pool.fetchval("SELECT count(*) FROM conflicts WHERE row_id = $1", lead) == 1


async def test_the_first_edit_of_a_row_in_another_life_is_answered_with_the_row(
    make_device: MakeDevice, deps: Deps
) -> None:
    """Its author may still have what the former life lost."""
    phone = await make_device()
    lead = await new_lead(phone)
    await restore.renew(deps.pool)

    first, second = await phone.push(
        phone.mutation("patch", "leads", lead, {"name": "A"}, base_ver=1),
        phone.mutation("patch", "leads", lead, {"name": "B"}, base={"name": "A"}, base_ver=1),
    )

    assert first.row is not None
    assert (first.status, second.status) == (wire.Status.MERGED, wire.Status.APPLIED)


async def test_versions_go_on_above_those_of_every_former_life_also_for_a_row_made_and_changed_in_one_push(
    make_device: MakeDevice, deps: Deps
) -> None:
    desk = await make_device("manager")
    old = await new_lead(desk)
    vers: list[int] = []
    for _ in range(2):
        await restore.renew(deps.pool)
        lead = ids.new_id()
        results = await desk.push(
            desk.mutation("put", "leads", lead, a_lead(desk)),
            desk.mutation("patch", "leads", lead, {"name": "Newer"}),
            desk.mutation("patch", "leads", old, {"name": f"Again {len(vers)}"}, base_ver=1),
        )
        assert {result.status for result in results} <= {wire.Status.APPLIED, wire.Status.MERGED}, results
        vers.append(results[-1].ver)

    assert feed.VERSIONS_LOST <= vers[0]
    assert vers[0] + feed.VERSIONS_LOST <= vers[1]


async def test_the_first_change_in_another_life_is_told_whole_and_the_second_by_its_fields(
    make_device: MakeDevice, deps: Deps, stamp: Stamp
) -> None:
    phone, desk = await make_device(), await make_device("manager")
    phone.headers |= {wire.SCHEMA_HEADER: str(wire.SCHEMA)}
    lead = await new_lead(desk)
    await restore.renew(deps.pool)
    await stamp()
    await phone.pull()
    told = []
    for name in ("One", "Two"):
        await desk.push(desk.mutation("patch", "leads", lead, {"name": name}, base_ver=2**50))
        await stamp()
        page = await phone.page()
        told.append(
            (sum(len(block.rows) for block in page.blocks), [dict(one.values) for one in page.changes])
        )

    assert told == [(1, []), (0, [{"name": "Two"}])]
