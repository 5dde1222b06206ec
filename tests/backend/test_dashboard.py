"""Live tiles: one count for many viewers, at most one frame a second, nothing of other locations."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import orjson
import pytest
import websockets

from backend.deps import Deps
from backend.realtime import dashboard
from backend.services import demo, kpis
from backend.stream import sequencer
from tests.serving import LiveServer, Login, MakeUser

pytestmark = pytest.mark.anyio


@pytest.fixture
async def places(deps: Deps) -> list[str]:
    await demo.run_demo(deps, lead_count=60)
    async with deps.pool.acquire() as connection:
        return [row["id"] for row in await connection.fetch("SELECT id FROM locations ORDER BY name")]


@pytest.fixture
async def stamped(deps: Deps) -> AsyncIterator[None]:
    job = asyncio.create_task(sequencer.run(deps))
    yield
    job.cancel()
    await asyncio.gather(job, return_exceptions=True)


async def _change(deps: Deps, place: str) -> None:
    async with deps.pool.acquire() as connection:
        await connection.execute(
            "UPDATE leads SET motivation = gen_random_uuid()::text WHERE location_id = $1", place
        )


async def _frames(mailbox: Any, seconds: float) -> list[Any]:
    found = []
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        try:
            found.append(await asyncio.wait_for(mailbox.get(), left))
        except TimeoutError:
            break
    return found


async def test_many_viewers_share_one_watcher_and_it_ends_with_the_last(
    deps: Deps, places: list[str]
) -> None:
    board = dashboard.Board(deps)
    question = kpis.Ask(locations=(places[0],))
    for _ in range(3):
        board.open(question)
    watchers = deps.hub.count(sequencer.CHANNEL)
    await asyncio.sleep(0)
    assert deps.hub.count(sequencer.CHANNEL) == watchers + 1

    for _ in range(3):
        await board.close(question)

    assert deps.hub.count(sequencer.CHANNEL) == watchers


@pytest.mark.usefixtures("stamped")
async def test_a_storm_of_changes_makes_at_most_a_frame_a_second(deps: Deps, places: list[str]) -> None:
    board = dashboard.Board(deps)
    question = kpis.Ask(locations=(places[0],))
    board.open(question)

    with deps.hub.subscribe(board.channel, [question.key]) as mailbox:
        reading = asyncio.create_task(_frames(mailbox, 2.6))
        for _ in range(24):
            await _change(deps, places[0])
            await asyncio.sleep(0.1)
        frames = await reading
    await board.close(question)

    assert 2 <= len(frames) <= 4


@pytest.mark.usefixtures("stamped")
async def test_a_change_elsewhere_makes_no_frame(deps: Deps, places: list[str]) -> None:
    board = dashboard.Board(deps)
    question = kpis.Ask(locations=(places[0],))
    await asyncio.sleep(0.5)  # the demo's own rows are stamped
    board.open(question)
    await asyncio.sleep(0)

    with deps.hub.subscribe(board.channel, [question.key]) as mailbox:
        await _change(deps, places[1])
        assert await _frames(mailbox, 1.2) == []
    await board.close(question)


async def test_all_shows_each_manager_only_their_own_locations(
    live_server: LiveServer, login: Login, make_user: MakeUser
) -> None:
    values = []
    for office in (("North",), ("North", "South")):
        signed_in = await login((await make_user(role="manager", locations=office)).email)
        async with websockets.connect(
            f"{live_server.ws_url}/ws/dashboard/all", additional_headers=signed_in.headers
        ) as socket:
            values.append(orjson.loads(await asyncio.wait_for(socket.recv(), 5))["locations"])

    assert [len(found) for found in values] == [1, 2]
    assert set(values[0]) < set(values[1])


async def test_a_strangers_socket_is_closed_with_not_allowed(
    places: list[str], live_server: LiveServer, login: Login, make_user: MakeUser
) -> None:
    signed_in = await login((await make_user(role="manager", locations=("Elsewhere",))).email)

    async with websockets.connect(
        f"{live_server.ws_url}/ws/dashboard/{places[0]}", additional_headers=signed_in.headers
    ) as socket:
        with pytest.raises(websockets.ConnectionClosed) as closed:
            await asyncio.wait_for(socket.recv(), 5)

    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 4403
