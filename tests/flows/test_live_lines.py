"""Pokes, live tiles and timers, with a server that really listens."""

from __future__ import annotations

import asyncio
import random

import httpx
import pytest

from domain import ports
from storage import kpis, leads
from sync import client, engine, live, login, nudge, schedule, session
from tests import fakes
from tests.flows.phones import MakePhone, Phone
from tests.serving import PASSWORD, LiveServer
from tests.waiting import running, until

pytestmark = pytest.mark.anyio


async def over_the_wire(phone: Phone, server: LiveServer, clock: ports.Clock) -> client.Client:
    """The phone's person on a real socket."""
    http = client.open_http(server.url)
    grant = await login.Login(http=http).login(phone.grant.email, PASSWORD)
    tokens = session.Session(fakes.FakeSecrets(), clock, grant.user_id)
    await tokens.accept(grant)
    return client.Client(http, tokens)


async def test_a_change_reaches_the_other_device_by_itself(
    make_phone: MakePhone, live_server: LiveServer, clock: ports.Clock
) -> None:
    ann, bob = await make_phone(), await make_phone("manager")
    line = await over_the_wire(bob, live_server, clock)
    desk = engine.Engine(bob.db, line, clock)
    async with running(desk.serve(), nudge.listen(line, desk, rng=random.Random(1)), ann.sync.serve()):
        await until(lambda: desk.status().online)
        began = asyncio.get_running_loop().time()
        lead_id = ann.add_lead(name="Poked")
        await until(lambda: leads.get(bob.db, lead_id) is not None)
        assert asyncio.get_running_loop().time() - began < 3
    await line.http.aclose()


async def test_after_a_restart_of_the_server_the_waiting_change_goes_out_by_a_timer(
    make_phone: MakePhone, live_server: LiveServer, clock: ports.Clock
) -> None:
    ann = await make_phone()
    line = await over_the_wire(ann, live_server, clock)
    sync = engine.Engine(ann.db, line, clock, rng=random.Random(7))
    timers = schedule.Schedule(sync, clock)
    timers.start()
    async with running(sync.serve()):
        await until(lambda: sync.status().first_complete)
        await live_server.stop()
        ann.add_lead(name="While it was away")
        await until(sync.armed)
        assert not sync.status().online
        assert sync.status().next_try_at is not None
        await live_server.start()
        await until(lambda: ann.unsent() == 0, 20)
    timers.stop()
    await line.http.aclose()


async def test_a_server_that_goes_away_is_noticed_within_seconds(
    make_phone: MakePhone, live_server: LiveServer, clock: ports.Clock
) -> None:
    ann = await make_phone()
    line = await over_the_wire(ann, live_server, clock)
    sync = engine.Engine(ann.db, line, clock, rng=random.Random(1))
    async with running(sync.serve(), nudge.listen(line, sync, rng=random.Random(1))):
        await until(lambda: sync.status().online and sync.status().first_complete)
        await live_server.stop()
        await until(lambda: not sync.status().online)
    await line.http.aclose()


async def test_a_manager_s_tiles_come_live_and_stay(
    make_phone: MakePhone, live_server: LiveServer, clock: ports.Clock
) -> None:
    ann, boss = await make_phone(), await make_phone("manager")
    line = await over_the_wire(boss, live_server, clock)
    boards = live.Live(db=boss.db, line=line, rng=random.Random(1))

    def hot() -> object:
        tile = kpis.listed(boss.db, location_id="", timeframe="30d").get("hot_leads")
        return tile and tile.tile["value"]

    async with running(boards.follow(live.Board())):
        await until(lambda: len(kpis.listed(boss.db, location_id="", timeframe="30d")) == 5)
        ann.add_lead(score=90.0, temperature="hot", last_inbound_at="2026-11-22T16:00:00.000Z")
        await ann.run()
        await until(lambda: hot() == 1)
    await line.http.aclose()


async def test_where_websockets_are_blocked_tiles_are_asked_for(
    make_phone: MakePhone, clock: ports.Clock
) -> None:
    boss = await make_phone("manager")
    boards = live.Live(db=boss.db, line=boss.line, rng=random.Random(1))

    async with running(boards.follow(live.Board(timeframe="7d"))):
        await until(lambda: len(kpis.listed(boss.db, location_id="", timeframe="7d")) == 5)
    assert isinstance(boss.line.http, httpx.AsyncClient)


async def test_housekeeping_forgets_the_old_journal(make_phone: MakePhone, clock: ports.Clock) -> None:
    ann = await make_phone()
    ann.add_lead()
    await ann.run()
    with ann.db.write_tx() as tx:
        tx.execute("UPDATE outbox SET acked_ms = acked_ms - 15 * 86400000")

    await schedule.Schedule(ann.sync, clock).housekeeping()

    assert ann.db.value("SELECT count(*) FROM outbox") == 0
