"""What is old enough is forgotten, and who was away too long starts over instead of missing something."""

from __future__ import annotations

import asyncio

import pytest

from backend.deps import Deps
from backend.jobs import forgetting
from backend.storage import feed, pool
from domain import ids
from tests.backend.sync.conftest import MakeDevice, Stamp, make_device, stamp
from tests.backend.sync.devices import T0, Device, new_lead
from tests.backend.sync.test_uploads import begin, send, whole

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


async def test_the_recording_of_a_deleted_note_is_not_heard_any_more_and_leaves_the_disk_after_a_month(
    make_device: MakeDevice, deps: Deps
) -> None:
    phone = await make_device()
    kept, gone = await new_note(phone), await new_note(phone)
    urls = [await whole(phone, note_id=note_id) for note_id in (kept, gone)]
    await phone.push(phone.mutation("delete", "notes", gone))
    assert [await heard(phone, url) for url in urls] == [200, 404]

    await deps.pool.execute("UPDATE notes SET _deleted_at = _deleted_at - interval '31 days'")
    await forgetting.once(deps)
    assert len(await deps.pool.fetch("SELECT 1 FROM uploads")) == 1
    assert await heard(phone, urls[0]) == 200  # the same content, of a note that is there

    await phone.push(phone.mutation("delete", "notes", kept))
    await deps.pool.execute("UPDATE notes SET _deleted_at = _deleted_at - interval '31 days'")
    await forgetting.once(deps)
    assert not [path for path in (deps.settings.server_dir / "uploads").rglob("*") if path.is_file()]


async def new_note(phone: Device) -> str:
    note_id = ids.new_id()
    note = {"location_id": phone.locations[0], "created_at": T0, "agent_id": phone.user_id, "state": "saved"}
    await phone.push(phone.mutation("put", "notes", note_id, note))
    return note_id


async def heard(phone: Device, url: str) -> int:
    return (await phone.client.get(url, headers=phone.headers)).status_code
