"""For every live socket and role: nothing of another office comes, whatever is asked for and whatever happens there."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, get_args
from uuid import UUID

import orjson
import pytest
from fastapi.routing import APIWebSocketRoute
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from backend.deps import Deps
from backend.events import BotPerformance, CommissionEvent, Event, LeadInteraction
from backend.realtime import codes, messages
from backend.services.bi import alerts
from backend.services.bi.alerts import Finding, State
from backend.stream import ingest
from domain import ids
from tests.backend.isolation import places
from tests.backend.isolation.places import Place
from tests.backend.realtime.installation import add_hot_lead
from tests.backend.realtime.talking import heard, opened, say
from tests.routes import every_route
from tests.serving import LiveServer, Login, MakeUser
from tests.waiting import until

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(600)]

SOCKETS = sorted(one.path for one in every_route() if isinstance(one.route, APIWebSocketRoute))
NOT_OF_CHANNELS = {"/ws/sync": "a number when something of one's own changed; its own test below"}
LIVE = [path for path in SOCKETS if path not in NOT_OF_CHANNELS]
CHANNELS = get_args(messages.Channel)
AMOUNT = 777_000_000_00
"""Of each deal in the foreign office; all others are smaller."""


def test_the_exceptions_are_sockets_that_there_are() -> None:
    assert set(NOT_OF_CHANNELS) <= set(SOCKETS)
    assert all("{location_id}" in path for path in LIVE), "say what this socket is asked with"


async def offices(deps: Deps, make_user: MakeUser) -> tuple[Place, Place]:
    own = await places.opened(deps, make_user, "Ontario", places.OWN)
    return own, await places.opened(deps, make_user, places.NAME, places.FOREIGN)


def happened(place: Place, amount: int) -> Sequence[Event]:
    """Something of each kind, just now."""
    now, at = datetime.now(UTC), UUID(place.office.id)
    common: dict[str, Any] = {"occurred_at": now, "location_id": at}
    return [
        LeadInteraction(event_id=UUID(ids.new_id()), event_type="message", direction="inbound", lead_id=UUID(place.id_of("lead")), **common),
        CommissionEvent(event_id=UUID(ids.new_id()), deal_id=UUID(ids.new_id()), stage="offer", side_held="listing", price_cents=amount, rate_bp=300, **common),
        BotPerformance(event_id=UUID(ids.new_id()), event_type="turn", bot_id="lead-bot", processing_ms=7, **common),
    ]  # fmt: skip


async def cause(deps: Deps, place: Place, amount: int) -> None:
    """Events through streams, processor and sink; rows that devices sync; an alert."""
    sent = await ingest.send(deps, happened(place, amount), source_key=None, wait=20)
    assert sent.stored
    await add_hot_lead(deps, place.office.id, place.name)
    finding = Finding(rule="of the test", subject=str(amount), location_key=place.office.key, state=State.FIRING, title=place.name)  # fmt: skip
    await alerts.apply(deps, [finding], rules=[], places={place.office.key: place.office.id})


class Ear:
    """All that comes over a socket."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.frames: list[dict[str, Any]] = []
        self._task = asyncio.ensure_future(self._listen())

    async def _listen(self) -> None:
        with contextlib.suppress(ConnectionClosed):
            async for text in self.socket:
                self.frames.append(orjson.loads(text))

    async def until(self, *channels: str, kind: str) -> None:
        """Each of these channels has said something of this kind."""
        await until(lambda: {f["channel"] for f in self.frames if f["type"] == kind} >= set(channels), 40)

    async def close(self) -> str:
        await self.socket.close()
        await self._task
        return orjson.dumps(self.frames).decode()


@pytest.mark.parametrize("path", LIVE)
async def test_who_asks_for_a_foreign_office_is_turned_away(
    deps: Deps, live_server: LiveServer, make_user: MakeUser, login: Login, path: str
) -> None:
    _, foreign = await offices(deps, make_user)
    wanted = path.format(location_id=foreign.office.id)
    for email, code in (
        ("ontario-manager@brokerage.example", codes.NOT_ALLOWED),
        ("ontario-agent@brokerage.example", codes.NOT_ALLOWED),
        ("", codes.SIGN_IN),
    ):
        headers = (await login(email)).headers if email else {}
        async with opened(live_server, wanted, headers) as socket:
            if not email:
                await say(socket, token="nobody's")
            ear = Ear(socket)
            await socket.wait_closed()
            assert socket.close_code == code
            assert await ear.close() == "[]"


async def test_an_agent_and_nobody_hear_nothing_of_any_office(
    deps: Deps, live_server: LiveServer, make_user: MakeUser, login: Login
) -> None:
    await offices(deps, make_user)
    agent = (await login("ontario-agent@brokerage.example")).headers
    for path in LIVE:
        for headers, code in ((agent, codes.NOT_ALLOWED), ({}, codes.SIGN_IN)):
            async with opened(live_server, path.format(location_id="all"), headers) as socket:
                if not headers:
                    await say(socket, token="nobody's")
                ear = Ear(socket)
                await socket.wait_closed()
                assert (socket.close_code, await ear.close()) == (code, "[]")


@pytest.mark.parametrize("path", LIVE)
async def test_what_happens_in_a_foreign_office_reaches_nobody_else(
    deps: Deps, live_server: LiveServer, make_user: MakeUser, login: Login, path: str
) -> None:
    """All channels are open, of `all` and of the own office. Then something happens there, and then here."""
    own, foreign = await offices(deps, make_user)
    headers = (await login("ontario-manager@brokerage.example")).headers
    theirs = (await login("zanzibar-manager@brokerage.example")).headers
    async with contextlib.AsyncExitStack() as stack:
        ears = [
            Ear(await stack.enter_async_context(opened(live_server, path.format(location_id=place), who, max_size=None)))
            for place, who in (("all", headers), (own.office.id, headers), ("all", theirs))
        ]  # fmt: skip
        for ear in ears:
            for channel in CHANNELS:
                await say(ear.socket, type="subscribe_channel", channel=channel)
            await ear.until(*CHANNELS, kind="snapshot")

        await cause(deps, foreign, AMOUNT)
        await ears[2].until(*CHANNELS, kind="update")
        between = [len(ear.frames) for ear in ears[:2]]
        await cause(deps, own, 1_000_00)
        for ear in ears[:2]:
            await ear.until(*CHANNELS, kind="update")
        *said, seen = [await ear.close() for ear in ears]

    assert places.leaks(foreign, seen)
    assert str(AMOUNT // 100 * 3) in seen, "the commission of the foreign deal"
    for text in said:
        assert places.leaks(foreign, text) == []
        assert str(AMOUNT)[:6] not in text
        assert str(AMOUNT * 3 // 100)[:6] not in text
        assert counts_of(orjson.loads(text)) <= {0, 1}
    assert [len(orjson.loads(text)) >= n for text, n in zip(said, between, strict=True)] == [True, True]


def counts_of(frames: Sequence[dict[str, Any]]) -> set[int]:
    """How many interactions the windows told of: one happened here, one there."""
    rows = [row for f in frames if f["channel"] == "analytics" and "data" in f for row in _rows(f["data"])]
    return {int(row["values"].get("interactions") or 0) for row in rows}


def _rows(data: Any) -> list[dict[str, Any]]:
    found = data.get("rows", data) if isinstance(data, dict) else data
    return [row for row in (found.values() if isinstance(found, dict) else found) if isinstance(row, dict)]


async def test_a_point_of_somebody_elses_channel_resumes_nothing(
    deps: Deps, live_server: LiveServer, make_user: MakeUser, login: Login
) -> None:
    """It is told as if nothing had been said before: a snapshot of one's own."""
    _, foreign = await offices(deps, make_user)
    headers = (await login("ontario-manager@brokerage.example")).headers
    theirs = (await login("zanzibar-manager@brokerage.example")).headers
    everything = "/ws/business-intelligence/all"
    async with opened(live_server, everything, theirs, max_size=None) as socket:
        ear = Ear(socket)
        await ear.until(*CHANNELS, kind="snapshot")
        await cause(deps, foreign, AMOUNT)
        await ear.until(*CHANNELS, kind="update")
        last = {frame["channel"]: frame for frame in ear.frames}
        async with opened(live_server, "/ws/dashboard/all", headers, max_size=None) as thief:
            await heard(thief)
            listening = Ear(thief)
            for channel in CHANNELS:
                point = {"epoch": last[channel]["epoch"], "offset": max(0, last[channel]["offset"] - 1)}
                await say(
                    thief, type="resume", channel=channel, timeframe=last[channel]["timeframe"], **point
                )
            await listening.until(*[c for c in CHANNELS if c != "alerts"], kind="snapshot")
            await until(lambda: "alerts" in {frame["channel"] for frame in listening.frames})
            text = await listening.close()

    assert places.leaks(foreign, text) == []
    assert {f["channel"] for f in orjson.loads(text) if f["type"] == "resumed"} <= {"alerts"}


async def test_a_device_is_not_poked_for_what_happens_elsewhere(
    deps: Deps, live_server: LiveServer, make_user: MakeUser, login: Login
) -> None:
    own, foreign = await offices(deps, make_user)
    headers = (await login("ontario-manager@brokerage.example")).headers
    async with opened(live_server, "/ws/sync", headers) as socket:
        await heard(socket)
        await cause(deps, foreign, AMOUNT)
        await until(lambda: deps.pool.fetchval("SELECT head FROM feed_state"))
        ear = Ear(socket)
        await cause(deps, own, 1)
        await until(lambda: ear.frames)
        assert len(ear.frames) == 1
