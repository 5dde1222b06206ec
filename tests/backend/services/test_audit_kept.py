"""What was recorded is in the log exactly once, whatever dies on the way."""

from __future__ import annotations

import asyncio
import random

import httpx
import pytest

from backend.deps import Deps
from backend.jobs import audit_desk, audit_writer
from backend.services import audit, audit_proof
from backend.stream import entries
from tests.serving import LiveServer, Login, MakeUser

pytestmark = pytest.mark.anyio


async def kept(deps: Deps) -> list[str]:
    rows = await deps.pool.fetch("SELECT resource FROM audit_log ORDER BY chain, seq")
    return [row["resource"] for row in rows]


@pytest.mark.parametrize("seed", range(6))
async def test_desks_and_writers_cut_off_anywhere_lose_and_repeat_nothing(deps: Deps, seed: int) -> None:
    chance = random.Random(seed)
    names = [f"r{n}" for n in range(300)]
    cut = 0
    for start in range(0, len(names), 20):
        for name in names[start : start + 20]:
            await audit.record(deps, None, action="test", resource=name)
        tasks = [asyncio.create_task(audit_desk.once(deps)), asyncio.create_task(_drained(deps))]
        for _ in range(chance.randrange(40)):
            await asyncio.sleep(0)
        cut += sum(task.cancel() for task in tasks)
        await asyncio.gather(*tasks, return_exceptions=True)

    await audit.flush(deps)
    await _drained(deps)

    found = await kept(deps)
    assert cut > 0
    assert sorted(found) == sorted(names)
    assert (await audit_proof.verify(deps.pool, deps.settings.server_dir)).faults == []


async def test_group_that_valkey_lost_is_made_anew_and_the_rest_is_written(deps: Deps) -> None:
    await audit.record(deps, None, action="test", resource="before")
    await audit.flush(deps)
    await _drained(deps)
    await deps.valkey.flushdb()
    writer = asyncio.create_task(audit_writer.run(deps))
    await audit.record(deps, None, action="test", resource="after")
    await audit.flush(deps)

    async with asyncio.timeout(30):
        found: list[str] = []
        while "after" not in found:
            await asyncio.sleep(0.05)
            found = await kept(deps)

    writer.cancel()
    await asyncio.gather(writer, return_exceptions=True)
    assert found == ["before", "after"]


async def test_server_that_stops_hands_on_the_last_look(
    live_server: LiveServer, deps: Deps, make_user: MakeUser, login: Login
) -> None:
    boss = await login((await make_user("admin")).email)
    async with httpx.AsyncClient(base_url=live_server.url) as client:
        answer = await client.get("/api/admin/ws", headers=boss.headers)
    await live_server.stop()

    await _drained(deps)
    assert answer.status_code == 200
    assert await kept(deps) == ["GET /api/admin/ws"]
    assert await deps.valkey.xlen(entries.AUDIT) == 0


async def _drained(deps: Deps) -> None:
    await audit_writer.ready(deps)
    for after in ("0", ">"):
        while await audit_writer.once(deps, after=after):
            pass
