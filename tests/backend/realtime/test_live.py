"""A live socket's life: first frames, what a client may say, and when it is closed."""

from __future__ import annotations

import httpx
import pytest

from backend.deps import Deps
from backend.realtime import checks, codes, messages
from tests.backend.realtime.talking import closing_code, heard, heard_of, opened, say, silence
from tests.serving import LiveServer, Login, MakeUser, SignedIn
from tests.waiting import until

pytestmark = pytest.mark.anyio

ALL_CHANNELS = {"dashboard", "analytics", "alerts", "bot_performance", "revenue_intelligence"}


async def test_the_first_frame_of_every_channel_is_a_snapshot(
    live_server: LiveServer, boss: SignedIn
) -> None:
    async with opened(live_server, "/ws/business-intelligence/all", boss.headers) as socket:
        first = [await heard(socket) for _ in ALL_CHANNELS]

    assert {frame["channel"] for frame in first} == ALL_CHANNELS
    assert {frame["type"] for frame in first} == {"snapshot"}
    needed = {"epoch", "offset", "as_of", "watermark", "complete", "data"}
    assert all(needed <= frame.keys() for frame in first)


@pytest.mark.parametrize(
    ("path", "channel"),
    [
        ("/ws/dashboard/all", "dashboard"),
        ("/ws/bot-performance/all", "bot_performance"),
        ("/ws/bi/revenue-intelligence/all", "revenue_intelligence"),
    ],
)
async def test_a_route_opens_its_channel(
    live_server: LiveServer, boss: SignedIn, path: str, channel: str
) -> None:
    async with opened(live_server, path + "?timeframe=90d", boss.headers) as socket:
        first = await heard(socket)

    assert (first["channel"], first["timeframe"]) == (channel, "90d")


async def test_heartbeats_come_back_with_the_servers_time(live_server: LiveServer, boss: SignedIn) -> None:
    async with opened(live_server, "/ws/dashboard/all", boss.headers) as socket:
        await say(socket, type="heartbeat", sent_at="now, for me")
        answer = await heard_of(socket, type="heartbeat_ack")

    assert answer["sent_at"] == "now, for me"
    assert "T" in answer["server_time"]


async def test_a_client_subscribes_and_leaves_channels_and_components(
    live_server: LiveServer, boss: SignedIn
) -> None:
    async with opened(live_server, "/ws/dashboard/all", boss.headers) as socket:
        await heard(socket)
        await say(socket, type="subscribe_channel", channel="bot_performance", timeframe="24h")
        assert (await heard_of(socket, type="snapshot"))["timeframe"] == "24h"
        await say(socket, type="subscribe_component", component="leads", timeframe="7d")
        leads = await heard_of(socket, type="snapshot")
        assert (leads["channel"], leads["component"]) == ("dashboard", "leads")
        assert set(leads["data"]["metrics"]) == {"active_leads", "hot_leads"}
        await say(socket, type="ack", channel="dashboard", offset=1)
        await say(socket, type="unsubscribe_channel", channel="dashboard")
        assert (await heard_of(socket, type="unsubscribed"))["channel"] == "dashboard"
        counts = live_server.app.state.deps.live
        assert (counts.subscriptions["dashboard"], counts.subscriptions["bot_performance"]) == (0, 1)


@pytest.mark.parametrize(
    "said",
    [
        "no json",
        "[]",
        '{"type": "dance"}',
        '{"type": "subscribe_channel"}',
        '{"type": "subscribe_channel", "channel": "secrets"}',
        '{"type": "subscribe_channel", "channel": "bot_performance", "timeframe": "1y"}',
        '{"type": "resume", "channel": "dashboard", "epoch": "x", "offset": -1}',
        '{"type": "ack", "channel": "dashboard", "offset": 1e99}',
        b"\x00\x01",
    ],
)
async def test_what_is_wrong_gets_an_error_and_the_socket_stays(
    live_server: LiveServer, boss: SignedIn, said: str | bytes
) -> None:
    async with opened(live_server, "/ws/dashboard/all", boss.headers) as socket:
        await heard(socket)
        await socket.send(said)
        problem = await heard_of(socket, type="error")
        assert problem["code"]
        assert problem["message"]
        await say(socket, type="heartbeat")
        assert await heard_of(socket, type="heartbeat_ack")


async def test_who_goes_on_with_nonsense_is_closed(live_server: LiveServer, boss: SignedIn) -> None:
    async with opened(live_server, "/ws/dashboard/all", boss.headers) as socket:
        for _ in range(30):
            await say(socket, type="nonsense")
        assert await closing_code(socket) == 1008
    assert live_server.app.state.gateway.deps.live.strikes >= 10


async def test_a_message_beyond_64_kib_closes_with_1009(live_server: LiveServer, boss: SignedIn) -> None:
    for packing in ("deflate", None):  # a small frame that unpacks to much is no way around it
        async with opened(live_server, "/ws/dashboard/all", boss.headers, compression=packing) as socket:
            await heard(socket)
            await socket.send("[" + " " * 70_000 + "]")
            assert await closing_code(socket) == 1009


async def test_a_client_without_deflate_gets_the_same(live_server: LiveServer, boss: SignedIn) -> None:
    async with opened(live_server, "/ws/dashboard/all", boss.headers, compression=None) as plain:
        assert not plain.protocol.extensions
        one = await heard(plain)
        async with opened(live_server, "/ws/dashboard/all", boss.headers) as packed:
            assert packed.protocol.extensions
            other = await heard(packed)

    assert one == other


async def test_a_renewed_token_keeps_the_socket_when_the_old_one_ends(
    live_server: LiveServer, boss: SignedIn, login: Login, client: httpx.AsyncClient
) -> None:
    other = await login(boss.user["email"], device_id="another")
    async with opened(live_server, "/ws/dashboard/all", boss.headers) as socket:
        await heard(socket)
        await say(socket, token=other.access_token)
        await say(socket, type="heartbeat")
        await heard_of(socket, type="heartbeat_ack")
        await client.post("/api/auth/logout", headers=boss.headers)
        (connection,) = live_server.app.state.gateway.connections
        await checks.check(live_server.app.state.gateway, [connection])
        assert not connection.closed


async def test_signing_out_closes_with_4401(
    live_server: LiveServer, boss: SignedIn, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checks, "CHECK_SECONDS", 0.1)
    async with opened(live_server, "/ws/dashboard/all", boss.headers) as socket:
        await heard(socket)
        await client.post("/api/auth/logout", headers=boss.headers)
        assert await closing_code(socket) == codes.SIGN_IN


async def test_a_lost_role_closes_with_4403(
    deps: Deps, live_server: LiveServer, boss: SignedIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checks, "CHECK_SECONDS", 0.1)
    async with opened(live_server, "/ws/dashboard/all", boss.headers) as socket:
        await heard(socket)
        async with deps.pool.acquire() as connection:
            await connection.execute("UPDATE users SET role = 'agent' WHERE id = $1", boss.user["id"])
        assert await closing_code(socket) == codes.NOT_ALLOWED


async def test_other_locations_make_a_new_snapshot(
    deps: Deps, live_server: LiveServer, make_user: MakeUser, login: Login, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checks, "CHECK_SECONDS", 0.1)
    boss = await login((await make_user(role="manager", locations=("North", "South"))).email)
    async with opened(live_server, "/ws/dashboard/all", boss.headers) as socket:
        before = (await heard(socket))["data"]["locations"]
        async with deps.pool.acquire() as connection:
            await connection.execute("DELETE FROM user_locations WHERE location_id = $1", before[0])
        after = await heard_of(socket, type="snapshot")

    assert after["data"]["locations"] == before[1:]


async def test_a_location_that_was_taken_away_closes_its_socket(
    deps: Deps, live_server: LiveServer, boss: SignedIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checks, "CHECK_SECONDS", 0.1)
    place = boss.user["locations"][0]["id"]
    async with opened(live_server, f"/ws/dashboard/{place}", boss.headers) as socket:
        await heard(socket)
        async with deps.pool.acquire() as connection:
            await connection.execute("DELETE FROM user_locations WHERE location_id = $1", place)
        assert await closing_code(socket) == codes.NOT_ALLOWED


async def test_two_viewers_share_a_group_and_it_ends_with_the_last(
    live_server: LiveServer, boss: SignedIn
) -> None:
    live = live_server.app.state.deps.live
    async with opened(live_server, "/ws/dashboard/all", boss.headers) as one:
        await heard(one)
        async with opened(live_server, "/ws/dashboard/all", boss.headers) as two:
            await heard(two)
            assert (live.groups, live.connections, live.made["dashboard"]) == (1, 2, 1)
    await until(lambda: not live.connections)
    assert live.groups == 0
    assert not live_server.app.state.gateway.connections


async def test_health_is_for_everybody_and_metrics_for_operators(
    live_server: LiveServer, boss: SignedIn, login: Login, make_user: MakeUser, client: httpx.AsyncClient
) -> None:
    admin = await login((await make_user(role="admin")).email)
    async with opened(live_server, "/ws/business-intelligence/all", boss.headers) as socket:
        for _ in ALL_CHANNELS:
            await heard(socket)
        health = (await client.get("/ws/bi/health")).json()
        metrics = (await client.get("/ws/bi/metrics", headers=admin.headers)).json()

        assert (await client.get("/ws/bi/metrics", headers=boss.headers)).status_code == 403
        numbers = live_server.app.state.deps.live.numbers()
    assert (numbers["connections"], numbers['delivered_total{channel="dashboard"}']) == (1, 1)
    assert (health["status"], health["connections"]) == ("ok", 1)
    assert metrics["subscriptions"] == dict.fromkeys(ALL_CHANNELS, 1)
    assert metrics["delivered"]["dashboard"] == 1
    assert boss.user["id"] not in str(metrics)


async def test_the_schema_is_there_to_fetch(client: httpx.AsyncClient) -> None:
    assert (await client.get("/ws/bi/schema")).json() == messages.schema()


async def test_without_news_nothing_is_sent(live_server: LiveServer, boss: SignedIn) -> None:
    async with opened(live_server, "/ws/dashboard/all", boss.headers) as socket:
        await heard(socket)
        assert await silence(socket, 0.5)
