"""A thousand live connections, of which fifty never read: all others get everything, and only those fifty are cut."""

from __future__ import annotations

import asyncio
import contextlib
import resource

import pytest
from websockets.asyncio.client import ClientConnection

from backend.realtime import connection as connections
from tests.backend.realtime import test_slow
from tests.backend.realtime.talking import heard, heard_of, opened
from tests.backend.realtime.test_slow import Feed, again, stalled
from tests.serving import LiveServer, SignedIn
from tests.waiting import until

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(600)]

ALL, STALLED, AT_ONCE = 1_000, 50, 25
LONGEST = 60.0
feed = test_slow.feed


@pytest.fixture
def many_files() -> None:
    """Both ends of each connection are files of this process."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 3 * ALL
    if hard != resource.RLIM_INFINITY and hard < wanted:
        pytest.skip(f"this machine allows {hard} open files")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))


@pytest.mark.usefixtures("many_files")
async def test_fifty_of_a_thousand_that_stall_hurt_nobody_else(
    live_server: LiveServer, boss: SignedIn, feed: Feed, monkeypatch: pytest.MonkeyPatch
) -> None:
    live_server.app.state.deps.settings.bi_message_throttle_limits["high"] = 6_000
    live = live_server.app.state.deps.live
    path = "/ws/dashboard/all"
    async with contextlib.AsyncExitStack() as stack:
        first = await stack.enter_async_context(opened(live_server, path, boss.headers, compression=None))
        await heard(first)
        live_server.app.state.gateway.most_of_person = live_server.app.state.gateway.most = ALL
        await first.close()
        await until(lambda: live.connections == 0)
        turn = asyncio.Semaphore(AT_ONCE)

        async def come() -> ClientConnection:
            async with turn:
                line = opened(
                    live_server, path, boss.headers, compression=None, max_size=None, open_timeout=LONGEST
                )
                return await stack.enter_async_context(line)

        fast = await asyncio.gather(*(come() for _ in range(ALL - STALLED)))
        for one in fast:
            await heard(one, LONGEST)
        for _ in range(STALLED):
            await stack.enter_async_context(stalled(live_server, path, boss.headers))
        await until(lambda: live.connections == ALL, LONGEST)
        monkeypatch.setattr(connections, "CUT_SECONDS", 3.0)

        async with asyncio.timeout(3 * LONGEST):
            while live.slow_closes < STALLED:
                again(live_server, feed)
                for one in fast:
                    while (await heard_of(one, LONGEST, type="update"))["data"]["number"] < feed.number:
                        pass

        assert live.slow_closes == STALLED
        await until(lambda: live.subscriptions["dashboard"] == ALL - STALLED)
        again(live_server, feed)
        newest = {(await heard_of(one, LONGEST, type="update"))["data"]["number"] for one in fast}
        assert newest == {feed.number}
