"""What a live socket's address may ask for, and who is refused before anything is said."""

from __future__ import annotations

import logging

import pytest
from websockets.exceptions import InvalidStatus

from backend.realtime.codes import POLICY
from tests.backend.realtime.talking import closing_code, heard, opened
from tests.serving import LiveServer, SignedIn

pytestmark = pytest.mark.anyio


async def test_a_refused_page_is_a_warning_and_no_fault(
    live_server: LiveServer, boss: SignedIn, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO), pytest.raises(InvalidStatus):
        async with opened(live_server, "/ws/dashboard/all", boss.headers, origin="https://evil.example"):
            pass

    (told,) = [record for record in caplog.records if record.getMessage() == "live.refused"]
    assert (told.levelname, told.__dict__["reason"]) == ("WARNING", "origin")
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR] == []


_TIMEFRAMES = "timeframe: 24h, 7d, 30d, 90d or 1y"
_REFUSED = {
    "timeframe=7w": _TIMEFRAMES,
    "timeframe=": _TIMEFRAMES,
    "timeframe=7d&timeframe=30d": _TIMEFRAMES,
    "time_frame=7d": "there is no parameter 'time_frame', only timeframe",
    "token=jbi": "there is no parameter 'token', only timeframe",
    f"{'%F0%9F%8F%A0' * 50}=1": f"there is no parameter '{'?' * 40}', only timeframe",
}


async def test_what_an_address_asks_and_there_is_not_is_refused_with_its_reason(
    live_server: LiveServer, boss: SignedIn
) -> None:
    said = {}
    for asked in _REFUSED:
        async with opened(live_server, f"/ws/dashboard/all?{asked}", boss.headers) as socket:
            assert await closing_code(socket) == POLICY
            said[asked] = socket.close_reason

    assert said == _REFUSED


async def test_a_timeframe_that_another_channel_has_is_its_usual_one_here(
    live_server: LiveServer, boss: SignedIn
) -> None:
    async with opened(live_server, "/ws/business-intelligence/all?timeframe=24h", boss.headers) as socket:
        frames = {frame["channel"]: frame for frame in [await heard(socket) for _ in range(5)]}
    async with opened(live_server, "/ws/bi/revenue-intelligence/all?timeframe=24h", boss.headers) as socket:
        assert await closing_code(socket) == POLICY
        assert socket.close_reason == "timeframe: 7d, 30d, 90d or 1y"

    assert frames["dashboard"]["timeframe"] == "24h"
    assert frames["revenue_intelligence"]["timeframe"] == "30d"
