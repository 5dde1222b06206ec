"""What is old enough is forgotten, and who was away too long starts over instead of missing something."""

from __future__ import annotations

import asyncio

import pytest

from backend.deps import Deps
from backend.jobs import forgetting
from backend.storage import feed, pool
from tests.backend.sync.conftest import MakeDevice, Stamp, make_device, stamp
from tests.backend.sync.devices import new_lead
from tests.backend.sync.test_uploads import begin, send

__all__ = ["make_device", "stamp"]
pytestmark = pytest.mark.anyio


async def test_a_device_that_was_away_longer_than_the_feed_remembers_starts_over(
    make_device: MakeDevice, deps: Deps, stamp: Stamp
) -> None:
    away, desk = await make_device(), await make_device("manager")
    await stamp()
    await away.pull()
    old = await new_lead(desk)
    await stamp()
    await desk.pull()
    await deps.pool.execute("UPDATE change_log SET at = at - interval '181 days'")
    recent = await new_lead(desk)
    await stamp()
    await forgetting.once(deps)
    assert await deps.pool.fetchval("SELECT count(*) FROM change_log") == 1
    answer = await away.client.get("/api/sync/pull", params={"cursor": away.cursor}, headers=away.headers)
    assert answer.status_code == 410
    away.cursor = ""
    await away.pull()
    assert away.ids("leads") == {old, recent}
    assert not (await desk.page()).removed


async def test_what_is_recent_is_kept(make_device: MakeDevice, deps: Deps, stamp: Stamp) -> None:
    phone = await make_device()
    await stamp()
    await phone.pull()
    await new_lead(phone)
    await stamp()
    await forgetting.once(deps)
    await phone.pull()


async def test_what_is_being_numbered_at_that_moment_is_kept(make_device: MakeDevice, deps: Deps) -> None:
    await new_lead(await make_device())
    async with pool.transaction(deps.pool) as connection:
        stamped = await feed.stamp(connection)
        forgets = asyncio.create_task(forgetting.once(deps))
        await asyncio.sleep(0.3)
    await forgets
    assert stamped is not None
    assert await deps.pool.fetchval("SELECT count(*) FROM change_log") == stamped.count


async def test_an_upload_that_nobody_goes_on_with_leaves_no_file(make_device: MakeDevice, deps: Deps) -> None:
    phone = await make_device()
    url = (await begin(phone)).headers["Location"]
    await send(phone, url, 0, b"some")
    await deps.pool.execute("UPDATE uploads SET touched_at = touched_at - interval '8 days'")
    await forgetting.once(deps)
    assert not list((deps.settings.server_dir / "uploads").glob("*"))
    assert (await phone.client.head(url, headers=phone.headers)).status_code == 410
