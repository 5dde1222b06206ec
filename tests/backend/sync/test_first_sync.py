"""The first sync: today's work first, every row once or more and none left out, and no crowd of it stops the others."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from backend.deps import Deps
from backend.services import page as pages
from domain import ids, values, wire
from tests.backend.sync.conftest import MakeDevice, Stamp
from tests.backend.sync.devices import T0, Device, new_lead

pytestmark = pytest.mark.anyio


async def a_task(device: Device, lead_id: str, *, due: timedelta, agent_id: str, **more: Any) -> str:
    task_id = ids.new_id()
    task = {
        "location_id": device.locations[0],
        "created_at": T0,
        "lead_id": lead_id,
        "agent_id": agent_id,
        "title": "Visit",
        "kind": "visit",
        "due_at": values.time_text(datetime.now(UTC) + due),
        **more,
    }
    (result,) = await device.push(device.mutation("put", "tasks", task_id, task))
    assert result.status is wire.Status.APPLIED, result
    return task_id


async def a_home(device: Device, lead_id: str) -> str:
    home_id = ids.new_id()
    home = {"location_id": device.locations[0], "created_at": T0, "lead_id": lead_id, "status": "owned"}
    (result,) = await device.push(device.mutation("put", "properties", home_id, home))
    assert result.status is wire.Status.APPLIED, result
    return home_id


async def test_what_is_due_today_comes_first_with_its_leads_and_homes(
    make_device: MakeDevice, stamp: Stamp
) -> None:
    desk, agent = await make_device("manager"), await make_device()
    leads = [await new_lead(desk) for _ in range(4)]
    homes = [await a_home(desk, lead) for lead in leads]
    soon = await a_task(desk, leads[0], due=timedelta(hours=2), agent_id=agent.user_id)
    late = await a_task(desk, leads[1], due=-timedelta(days=3), agent_id=agent.user_id)
    await a_task(desk, leads[2], due=timedelta(days=3), agent_id=agent.user_id)
    await a_task(desk, leads[3], due=timedelta(hours=2), agent_id=desk.user_id)
    await a_task(desk, leads[3], due=timedelta(hours=2), agent_id=agent.user_id, done_at=T0)
    await stamp()

    first = await agent.page(limit=200)

    assert [block.table for block in first.blocks] == ["leads", "tasks", "properties"]
    assert agent.ids("tasks") == {soon, late}
    assert agent.ids("leads") == {leads[0], leads[1]}
    assert agent.ids("properties") == {homes[0], homes[1]}
    assert (first.done, first.more) == (0, True)
    await agent.pull()
    assert (agent.ids("leads"), agent.ids("properties")) == (set(leads), set(homes))


async def test_the_count_reaches_its_total_although_rows_came_twice(
    make_device: MakeDevice, stamp: Stamp
) -> None:
    desk, agent = await make_device("manager"), await make_device()
    await a_task(desk, await new_lead(desk), due=timedelta(hours=1), agent_id=agent.user_id)
    await stamp()

    loading = [page for page in await agent.pull(limit=2) if page.total]

    assert [page.done for page in loading] == sorted(page.done for page in loading)
    assert loading[0].done == 0
    assert loading[-1].done == loading[-1].total


async def test_a_load_goes_on_after_the_app_was_killed_and_misses_no_change_meanwhile(
    make_device: MakeDevice, stamp: Stamp
) -> None:
    desk, agent = await make_device("manager"), await make_device()
    leads = [await new_lead(desk) for _ in range(9)]
    await stamp()
    await agent.page(limit=3)
    await agent.page(limit=3)

    await desk.push(*(desk.mutation("patch", "leads", lead, {"name": "new"}, base_ver=1) for lead in leads))
    late = await new_lead(desk, name="new")
    await stamp()
    await agent.pull(limit=3)

    names = {row[0]: row for (table, _), row in agent.rows.items() if table == "leads"}
    assert set(names) == {*leads, late}
    assert all("new" in row for row in names.values())


async def test_a_page_of_large_rows_ends_early(make_device: MakeDevice, stamp: Stamp) -> None:
    desk, agent = await make_device("manager"), await make_device()
    large = "x" * (pages.MOST_BYTES // 4)
    for _ in range(9):
        await new_lead(desk, area=large)
    await stamp()

    loading = await agent.pull(limit=5000)

    sizes: list[int] = [
        sum(pages.size_of(list(row)) for b in page.blocks for row in b.rows) for page in loading
    ]
    assert len(agent.ids("leads")) == 9
    assert max(sizes) <= pages.MOST_BYTES
    assert sum(size > pages.MOST_BYTES / 2 for size in sizes) == 3


async def test_one_row_larger_than_a_page_comes_all_the_same(make_device: MakeDevice, stamp: Stamp) -> None:
    desk, agent = await make_device("manager"), await make_device()
    half = "x" * (pages.MOST_BYTES // 2)
    leads = {await new_lead(desk, area=half, motivation=half) for _ in range(2)}
    await stamp()

    await agent.pull()

    assert agent.ids("leads") == leads


async def test_a_crowd_of_first_syncs_waits_while_news_and_changes_go_on(
    make_device: MakeDevice, deps: Deps, stamp: Stamp
) -> None:
    phone = await make_device()
    await phone.pull()
    fresh = await make_device()

    async def hold() -> None:
        async with deps.loads.passed():
            await asyncio.Event().wait()

    crowd = [asyncio.create_task(hold()) for _ in range(deps.loads.width + deps.loads.waiting)]
    while deps.loads.standing < deps.loads.waiting:  # noqa: ASYNC110 - until all stand in line
        await asyncio.sleep(0)
    async with asyncio.timeout(20):  # one that may wait here, too, waits for ever
        refused = await fresh.client.get("/api/sync/pull", headers=fresh.headers)
    lead_id = await new_lead(phone)
    await stamp()
    await phone.page()
    for one in crowd:
        one.cancel()
    await asyncio.gather(*crowd, return_exceptions=True)

    assert (refused.status_code, refused.json()["code"]) == (503, "first_sync_busy")
    assert int(refused.headers["Retry-After"]) >= 1
    await fresh.pull()
    assert fresh.ids("leads") == {lead_id}
    assert (deps.loads.inside, deps.loads.standing) == (0, 0)


async def test_who_waits_for_a_place_gets_it(make_device: MakeDevice, deps: Deps) -> None:
    phones = [await make_device() for _ in range(4)]

    async with deps.loads.passed(), deps.loads.passed(), deps.loads.passed():
        pulling = [asyncio.create_task(phone.page()) for phone in phones]
        while deps.loads.standing < 4:  # noqa: ASYNC110 - until all stand in line
            await asyncio.sleep(0)
    loaded = await asyncio.gather(*pulling)

    assert all(page.total for page in loaded)
