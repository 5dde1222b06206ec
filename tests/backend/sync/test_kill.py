"""The server process is killed with -9 while devices push; what it acknowledged stays, nothing is applied twice."""

from __future__ import annotations

import asyncio
import os
import re
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import httpx
import pytest

from backend.deps import Deps
from backend.settings import Settings
from domain import ids, wire
from tests.backend.sync.devices import Device, a_lead
from tests.serving import PASSWORD, MakeUser

pytestmark = pytest.mark.anyio

Serve = Callable[[], Awaitable[tuple[asyncio.subprocess.Process, str]]]


@pytest.fixture
async def serve(server_settings: Settings) -> AsyncIterator[Serve]:
    """Starts `python -m backend serve`: the process and its address. What still runs at the end is killed."""
    started = []
    env = {
        **os.environ,
        "DATABASE_URL": str(server_settings.database_url),
        "REDIS_URL": str(server_settings.redis_url),
        "JORGE_DATA_DIR": str(server_settings.data_dir),
        "JORGE_SERVER_PORT": "0",
    }

    async def run() -> tuple[asyncio.subprocess.Process, str]:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "backend", "serve", env=env, stderr=asyncio.subprocess.PIPE
        )
        started.append(process)
        assert process.stderr is not None
        while line := (await asyncio.wait_for(process.stderr.readline(), 60)).decode():
            if found := re.search(r"http://[\d.]+:\d+", line):
                process.drain = asyncio.create_task(process.stderr.read())  # type: ignore[attr-defined]
                return process, found[0]
        raise AssertionError("the server did not start")

    yield run
    for process in started:
        if process.returncode is None:
            process.kill()
        await process.wait()
        await process.drain  # type: ignore[attr-defined]


@asynccontextmanager
async def at(url: str, device: Device) -> AsyncIterator[Device]:
    """`device`, talking to the server at `url`."""
    async with httpx.AsyncClient(base_url=url, timeout=30) as client:
        device.client = client
        yield device


async def signed_in(url: str, email: str) -> Device:
    async with httpx.AsyncClient(base_url=url, timeout=30) as client:
        answer = (await client.post("/api/auth/login", data={"username": email, "password": PASSWORD})).json()
        return Device(
            client=client,
            headers={"Authorization": f"Bearer {answer['access_token']}"},
            user_id=answer["user"]["id"],
            locations=[place["id"] for place in answer["user"]["locations"]],
        )


def work(device: Device, lead_id: str, **values: str) -> list[wire.Mutation]:
    """A new lead, changed to and fro: a version too many would tell of anything applied twice."""
    return [
        device.mutation("put", "leads", lead_id, a_lead(device, name="a", **values)),
        *(device.mutation("patch", "leads", lead_id, {"name": name}) for name in "bab"),
    ]


async def versions(deps: Deps) -> dict[str, int]:
    async with deps.pool.acquire() as connection:
        return {row["id"]: row["_ver"] for row in await connection.fetch("SELECT id, _ver FROM leads")}


async def test_server_killed_in_the_middle_of_a_push_loses_nothing_and_applies_nothing_twice(
    make_user: MakeUser, deps: Deps, serve: Serve
) -> None:
    process, url = await serve()
    phone = await signed_in(url, (await make_user()).email)
    first, second, third = ids.new_id(), ids.new_id(), ids.new_id()
    waiting = work(phone, second) + work(phone, third, external_id="x")
    async with at(url, phone):
        await phone.push(*work(phone, first))
        async with deps.pool.acquire() as connection:
            blocker = connection.transaction()
            await blocker.start()
            await connection.execute(  # the push will stand still between its second and its third lead
                "INSERT INTO leads (id, location_id, kind, name, stage, external_id) VALUES ($1, $2, '', '', '', 'x')",
                ids.new_id(),
                phone.locations[0],
            )
            pushing = asyncio.create_task(phone.send(*waiting))
            await blocked(deps)
            process.kill()
            await process.wait()
            with pytest.raises(httpx.HTTPError):
                await pushing
            await blocker.rollback()
    assert await versions(deps) == {first: 4}
    _, url = await serve()
    async with at(url, phone):
        assert {result.status for result in await phone.push(*waiting)} == {wire.Status.APPLIED}
        assert {result.status for result in await phone.push(*waiting)} == {wire.Status.DUPLICATE}
    assert await versions(deps) == {first: 4, second: 4, third: 4}


async def blocked(deps: Deps) -> None:
    """Returns once a transaction of the server waits for another one."""
    async with asyncio.timeout(30), deps.pool.acquire() as connection:
        while not await connection.fetchval(  # noqa: ASYNC110 - the server is another process
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        ):
            await asyncio.sleep(0.02)


async def test_killed_again_and_again_under_load_everything_arrives_exactly_once(
    make_user: MakeUser, deps: Deps, serve: Serve
) -> None:
    process, url = await serve()
    phone = await signed_in(url, (await make_user()).email)
    outbox = [work(phone, ids.new_id()) for _ in range(300)]
    leads = [batch[0].row_id for batch in outbox]
    killed = 0
    while outbox:
        if killed < 2:
            asyncio.get_running_loop().call_later(0.2 + 0.15 * killed, process.kill)
        async with at(url, phone):
            try:
                while outbox:
                    batch = [mutation for some in outbox[:3] for mutation in some]
                    results = await phone.push(*batch)
                    assert {r.status for r in results} <= {wire.Status.APPLIED, wire.Status.DUPLICATE}
                    del outbox[:3]
            except httpx.HTTPError:
                killed += 1
                await process.wait()
                process, url = await serve()
    assert killed == 2
    assert await versions(deps) == dict.fromkeys(leads, 4)
