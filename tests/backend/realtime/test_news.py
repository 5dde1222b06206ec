"""What happens reaches the screens: from the feed, from the processor, over several gateways, and without Valkey."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from redis import asyncio as redis

from backend import embedded
from backend.deps import Deps
from backend.embedded import process
from backend.realtime import gateway
from backend.settings import Settings
from backend.stream import entries
from tests.backend.events import samples
from tests.backend.realtime.installation import (
    add_hot_lead,
    another_server,
    key_of,
    place_of,
    two_screens,
)
from tests.backend.realtime.talking import heard, heard_of, opened, say, silence
from tests.serving import LiveServer, Login, MakeUser, SignedIn
from tests.waiting import until

pytestmark = pytest.mark.anyio
JSON = {"Content-Type": "application/json"}


async def hears_the_processor(server: LiveServer) -> None:
    """Its line to Valkey stands."""
    await until(lambda: not server.app.state.gateway.deaf)


def hot(frame: dict[str, Any]) -> object:
    return frame["data"]["metrics"]["hot_leads"]["value"]


async def test_a_change_in_a_synced_table_reaches_open_screens_of_every_gateway(
    deps: Deps, server_settings: Settings, live_server: LiveServer, boss: SignedIn
) -> None:
    async with (
        another_server(server_settings, deps) as there,
        two_screens(live_server, there, boss) as screens,
    ):
        await add_hot_lead(deps, place_of(boss))
        for socket in screens:
            while hot(await heard_of(socket, type="update")) != 1:
                pass


async def test_a_change_elsewhere_reaches_nobody_here(
    deps: Deps, live_server: LiveServer, boss: SignedIn, make_user: MakeUser, login: Login
) -> None:
    other = await login((await make_user(role="manager", locations=("Far away",))).email)
    async with opened(live_server, "/ws/dashboard/all", boss.headers) as socket:
        await heard(socket)
        await add_hot_lead(deps, place_of(other))
        assert await silence(socket, 1.5)


async def test_what_the_sink_touched_is_looked_at_again(
    deps: Deps, live_server: LiveServer, boss: SignedIn
) -> None:
    key = await key_of(deps, place_of(boss))
    async with opened(live_server, "/ws/dashboard/all", boss.headers) as socket:
        await heard(socket)
        await hears_the_processor(live_server)
        groups = list(live_server.app.state.gateway._groups.values())
        looked: list[str] = []
        for group in groups:
            group.touch = lambda: looked.append("touched")
        for tags in (
            [entries.stock_tag(key + 1000)],
            ["nonsense:x"],
            [entries.hour_tag(key, "2026112210"), entries.day_tag(-1, 20261122)],
        ):
            await deps.valkey.publish(deps.channel(entries.TOUCHED), orjson.dumps({"tags": tags}))
        await until(lambda: bool(looked))

    assert looked == ["touched"]


def tick(key: int, epoch: str, number: int, **values: float) -> bytes:
    return orjson.dumps(
        {
            "epoch": epoch,
            "offset": number,
            "as_of": "2026-11-22T16:00:00+00:00",
            "watermark": "2026-11-22T15:59:55+00:00",
            "complete": True,
            "rows": [
                {"location_key": key, "window": "5m", "rev": number, "values": values, "bots": {}},
                {"location_key": key + 1000, "window": "5m", "rev": number, "values": {"messages": 99}, "bots": {}},
            ],
        }
    )  # fmt: skip


async def test_analytics_sends_the_rows_that_moved_and_no_foreign_ones(
    deps: Deps, live_server: LiveServer, boss: SignedIn, make_user: MakeUser
) -> None:
    await make_user(role="manager", locations=("Far away",))  # so that this manager sees a part only
    place, key = place_of(boss), await key_of(deps, place_of(boss))
    async with opened(live_server, f"/ws/business-intelligence/{place}", boss.headers) as socket:
        await heard_of(socket, type="snapshot", channel="analytics")
        await hears_the_processor(live_server)
        channel = deps.channel(entries.DELTAS)
        await deps.valkey.publish(channel, b"no tick")
        await deps.valkey.publish(channel, tick(key, "test", 1, messages=3))
        first = await heard_of(socket, type="update", channel="analytics")
        await deps.valkey.publish(channel, tick(key, "test", 2, messages=4))
        second = await heard_of(socket, type="update", channel="analytics")

    row = {"location_id": place, "window": "5m", "rev": 1, "values": {"messages": 3}, "bots": {}}
    assert first["data"] == {f"{place}:5m": row}
    assert second["data"][f"{place}:5m"]["values"] == {"messages": 4}
    assert (second["watermark"], second["complete"]) == ("2026-11-22T15:59:55+00:00", True)


async def test_an_event_that_comes_in_is_on_the_open_screen(
    deps: Deps, live_server: LiveServer, boss: SignedIn, client: httpx.AsyncClient
) -> None:
    scored = samples.turn(location_id=place_of(boss), event_type="scored")
    async with opened(live_server, "/ws/business-intelligence/all", boss.headers) as socket:
        for _ in range(5):
            await heard(socket)
        answer = await client.post("/api/events", content=samples.body(scored), headers=boss.headers | JSON)
        assert answer.status_code < 300, answer.text

        waiting = {"dashboard", "analytics"}
        while waiting:
            frame = await heard_of(socket, type="update")
            if shows_a_scoring(frame):
                waiting.discard(frame["channel"])


def shows_a_scoring(frame: dict[str, Any]) -> bool:
    if frame["channel"] == "dashboard":
        return bool(frame["data"]["metrics"]["ml_response"]["n"] == 1)
    return frame["channel"] == "analytics" and any(
        row["values"].get("scored") == 1 for row in frame["data"].values()
    )


async def test_a_client_that_returns_to_its_gateway_goes_on_without_a_snapshot(
    deps: Deps, live_server: LiveServer, boss: SignedIn
) -> None:
    async with opened(live_server, "/ws/dashboard/all", boss.headers) as other:
        await heard(other)  # the group lives on while somebody looks
        async with opened(live_server, "/ws/dashboard/all", boss.headers) as socket:
            left = await heard(socket)
        point = {name: left[name] for name in ("channel", "timeframe", "epoch", "offset")}
        async with opened(live_server, "/ws/dashboard/all") as socket:
            await say(socket, token=boss.access_token, resume=[point])
            assert (await heard(socket))["type"] == "resumed"
        await add_hot_lead(deps, place_of(boss))
        while hot(await heard_of(other, type="update")) != 1:
            pass
        async with opened(live_server, "/ws/dashboard/all") as socket:
            await say(socket, token=boss.access_token, resume=[point])
            resumed = await heard(socket)
            assert (resumed["type"], resumed["offset"]) == ("resumed", point["offset"])
            assert hot(await heard(socket)) == 1
            await say(socket, type="resume", channel="dashboard", epoch="of another process", offset=1)
            assert (await heard(socket))["type"] == "snapshot"


@pytest.fixture
async def own_valkey(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[embedded.Engines]:
    """One that may be killed, and gateways that look for themselves soon when it is."""
    monkeypatch.setattr(gateway, "POLL_SECONDS", 0.2)
    engines = await asyncio.to_thread(embedded.start, tmp_path / "own", with_postgres=False, durable=False)
    yield engines
    await asyncio.to_thread(embedded.release, engines)


async def test_without_valkey_sockets_stay_and_hear_again_when_it_is_back(
    deps: Deps, server_settings: Settings, own_valkey: embedded.Engines, boss: SignedIn
) -> None:
    own = server_settings.model_copy(update={"redis_url": own_valkey.redis_url(0)})
    async with (
        another_server(own, deps) as server,
        opened(server, "/ws/dashboard/all", boss.headers) as socket,
    ):
        await heard(socket)
        await hears_the_processor(server)
        assert own_valkey.valkey is not None
        await asyncio.to_thread(process.stop, own_valkey.valkey.pid, politely=signal.SIGKILL)
        await until(lambda: bool(server.app.state.gateway.deaf))
        await add_hot_lead(deps, place_of(boss))
        while hot(await heard_of(socket, type="update")) != 1:
            pass
        await asyncio.to_thread(embedded.revive, own_valkey)
        await hears_the_processor(server)
        await say(socket, type="heartbeat")
        assert await heard_of(socket, type="heartbeat_ack")


async def test_presence_counts_the_lines_of_all_gateways(
    deps: Deps, server_settings: Settings, live_server: LiveServer, boss: SignedIn, redis_url: str
) -> None:
    async with another_server(server_settings, deps) as there, two_screens(live_server, there, boss):
        for server in (live_server, there):
            await server.app.state.gateway._show()
        async with redis.Redis.from_url(redis_url) as valkey:
            members: Any = await valkey.zrange("bi:ws:presence:dashboard", 0, -1)
            assert len(members) == 2
            assert all(member.decode().startswith(boss.user["id"]) for member in members)
