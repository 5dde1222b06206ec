"""Live tiles over the socket: to everybody only their own locations, and again when something of them changed."""

from __future__ import annotations

import asyncio
from typing import Any

import orjson
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from backend.deps import Deps
from backend.services import demo
from tests.serving import LiveServer, Login, MakeUser

pytestmark = pytest.mark.anyio


async def frame(socket: ClientConnection, seconds: float = 5.0) -> dict[str, Any]:
    return dict(orjson.loads(await asyncio.wait_for(socket.recv(), seconds)))


async def test_the_first_frame_is_a_snapshot_of_the_tiles(
    live_server: LiveServer, login: Login, make_user: MakeUser
) -> None:
    boss = await login((await make_user(role="manager")).email)

    async with connect(f"{live_server.ws_url}/ws/dashboard/all", additional_headers=boss.headers) as socket:
        first = await frame(socket)

    assert (first["type"], first["channel"], first["timeframe"], first["complete"]) == (
        "snapshot",
        "dashboard",
        "30d",
        True,
    )
    assert set(first["data"]["metrics"]) == {
        "revenue_pipeline",
        "active_leads",
        "hot_leads",
        "ml_response",
        "bot_success",
    }


async def test_all_shows_each_manager_only_their_own_locations(
    live_server: LiveServer, login: Login, make_user: MakeUser
) -> None:
    seen = []
    for office in (("North",), ("North", "South")):
        boss = await login((await make_user(role="manager", locations=office)).email)
        async with connect(
            f"{live_server.ws_url}/ws/dashboard/all", additional_headers=boss.headers
        ) as socket:
            seen.append((await frame(socket))["data"]["locations"])

    assert [len(found) for found in seen] == [1, 2]
    assert set(seen[0]) < set(seen[1])


async def test_a_strangers_socket_is_closed_with_not_allowed(
    deps: Deps, live_server: LiveServer, login: Login, make_user: MakeUser
) -> None:
    await demo.run_demo(deps, lead_count=5)
    async with deps.pool.acquire() as connection:
        place = await connection.fetchval("SELECT id FROM locations LIMIT 1")
    boss = await login((await make_user(role="manager", locations=("Elsewhere",))).email)

    async with connect(
        f"{live_server.ws_url}/ws/dashboard/{place}", additional_headers=boss.headers
    ) as socket:
        with pytest.raises(ConnectionClosed) as closed:
            await frame(socket)

    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 4403
