"""Who gets a live socket, by which ticket or token, and how many; everybody else is told why not."""

from __future__ import annotations

import asyncio

import httpx
import pytest
from websockets.exceptions import InvalidStatus

from backend.deps import Deps
from backend.realtime import codes, gateway, session
from backend.services import auth
from tests.backend.realtime.talking import closing_code, heard, heard_of, opened, say
from tests.serving import LiveServer, Login, MakeUser, SignedIn

pytestmark = pytest.mark.anyio


async def test_a_token_may_come_in_the_first_message(live_server: LiveServer, boss: SignedIn) -> None:
    async with opened(live_server, "/ws/dashboard/all") as socket:
        await say(socket, token=boss.access_token)
        assert (await heard(socket))["type"] == "snapshot"


async def test_a_ticket_opens_one_socket_and_no_second(
    live_server: LiveServer, boss: SignedIn, client: httpx.AsyncClient
) -> None:
    answer = await client.post("/ws/ticket", headers=boss.headers)
    assert answer.status_code == 200
    assert answer.json()["expires_in"] == 30
    ticket = answer.json()["ticket"]

    async with opened(live_server, "/ws/dashboard/all") as socket:
        await say(socket, ticket=ticket)
        assert (await heard(socket))["type"] == "snapshot"
    async with opened(live_server, "/ws/dashboard/all") as socket:
        await say(socket, ticket=ticket)
        assert await closing_code(socket) == codes.SIGN_IN


async def test_a_ticket_lies_in_valkey_as_a_hash_that_ends(
    deps: Deps, boss: SignedIn, client: httpx.AsyncClient
) -> None:
    ticket = (await client.post("/ws/ticket", headers=boss.headers)).json()["ticket"]

    (key,) = await deps.valkey.keys("bi:ws:ticket:*")
    held = await deps.valkey.get(key)

    assert ticket.encode() not in key
    assert held == auth.hash_of(boss.access_token)
    assert 0 < await deps.valkey.ttl(key) <= 30


async def test_nobody_gets_a_ticket_without_signing_in(client: httpx.AsyncClient) -> None:
    assert (await client.post("/ws/ticket")).status_code == 401


@pytest.mark.parametrize("first", ['{"token": "not mine"}', '{"ticket": "made up"}', "{}", "[", '"x"'])
async def test_who_says_nothing_of_use_is_closed_with_4401(live_server: LiveServer, first: str) -> None:
    async with opened(live_server, "/ws/dashboard/all") as socket:
        await socket.send(first)
        assert await closing_code(socket) == codes.SIGN_IN


async def test_a_silent_client_is_closed_with_4401(
    live_server: LiveServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert session.FIRST_MESSAGE_SECONDS == 10
    monkeypatch.setattr(session, "FIRST_MESSAGE_SECONDS", 0.2)
    async with opened(live_server, "/ws/dashboard/all") as socket:
        assert await closing_code(socket) == codes.SIGN_IN


async def test_an_agent_is_not_let_in_and_that_is_written_down(
    live_server: LiveServer, login: Login, make_user: MakeUser, deps: Deps
) -> None:
    agent = await login((await make_user()).email)
    for path in ("/ws/dashboard/all", "/ws/business-intelligence/all"):
        async with opened(live_server, path, agent.headers) as socket:
            assert await closing_code(socket) == codes.NOT_ALLOWED

    refused = "SELECT count(*) FROM audit_log WHERE action = 'live' AND outcome = 'refused' AND actor_id = $1"
    found = 0
    async with asyncio.timeout(20):
        while found < 2:
            await asyncio.sleep(0.05)
            found = await deps.pool.fetchval(refused, agent.user["id"])


async def test_a_foreign_page_gets_403_before_the_handshake(live_server: LiveServer, boss: SignedIn) -> None:
    with pytest.raises(InvalidStatus) as refused:
        async with opened(live_server, "/ws/dashboard/all", boss.headers, origin="https://evil.example"):
            pass
    assert refused.value.response.status_code == 403
    async with opened(live_server, "/ws/dashboard/all", boss.headers, origin=live_server.url) as socket:
        assert (await heard(socket))["type"] == "snapshot"


async def test_one_more_than_the_most_gets_503_and_when_to_come_back(
    live_server: LiveServer, boss: SignedIn
) -> None:
    async with opened(live_server, "/ws/dashboard/all", boss.headers) as first:
        await heard(first)
        live_server.app.state.gateway.most = 1
        with pytest.raises(InvalidStatus) as refused:
            async with opened(live_server, "/ws/dashboard/all", boss.headers):
                pass
        assert refused.value.response.status_code == 503
        assert int(refused.value.response.headers["Retry-After"]) > 0
        await say(first, type="heartbeat")
        assert (await heard_of(first, type="heartbeat_ack"))["server_time"]


async def test_one_person_opens_no_more_than_their_share(live_server: LiveServer, boss: SignedIn) -> None:
    async with opened(live_server, "/ws/dashboard/all", boss.headers) as first:
        await heard(first)
        live_server.app.state.gateway.most_of_person = 1
        async with opened(live_server, "/ws/dashboard/all", boss.headers) as second:
            assert await closing_code(second) == codes.TOO_MANY


async def test_one_address_holds_no_more_than_its_share_but_this_machine_may(deps: Deps) -> None:
    door = gateway.Gateway(deps)
    door.addresses.update({"192.0.2.7": 200, "127.0.0.1": 500})

    far, near = (auth.Peer(address=at, on_this_machine=False) for at in ("192.0.2.7", "127.0.0.1"))

    assert door.crowded(far)
    assert not door.crowded(near)
