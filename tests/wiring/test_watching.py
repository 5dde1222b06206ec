"""A board is followed once however many look at it, and let go with its last viewer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from storage import database, kpis
from sync import client, live, session
from tests import fakes
from wiring.watching import Watching

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def watching(folder: Path) -> AsyncIterator[Watching]:
    """On a store of its own, with a server that is not there."""
    db = database.open_store(folder / "store.db")
    http = client.open_http("http://127.0.0.1:9")
    tokens = session.Session(fakes.FakeSecrets(), fakes.FakeClock(), "u1")
    watched = Watching(live.Live(db=db, line=client.Client(http, tokens)))
    try:
        yield watched
    finally:
        watched.stop()
        await asyncio.sleep(0)
        await http.aclose()
        db.close()


async def test_two_viewers_of_a_board_share_one_line(tmp_path: Path) -> None:
    async with watching(tmp_path) as watched:
        leave_one = watched.start("", "30d")
        leave_two = watched.start("", "30d")
        watched.start("", "7d")
        assert len(watched.tasks) == 2

        leave_one()
        leave_one()
        assert len(watched.tasks) == 2, "leaving twice took the other viewer's line"
        leave_two()

        assert [board.timeframe for board in watched.tasks] == ["7d"]


async def test_without_a_server_the_last_figures_stay(tmp_path: Path) -> None:
    async with watching(tmp_path) as watched:
        db = watched.source.db
        with db.write_tx() as tx:
            kpis.save(
                tx,
                location_id="",
                timeframe="30d",
                tiles={"hot_leads": {"value": 3}},
                as_of=fakes.FakeClock().now(),
            )

        watched.start("", "30d")
        await asyncio.sleep(0.2)

        assert set(kpis.listed(db, location_id="", timeframe="30d")) == {"hot_leads"}
