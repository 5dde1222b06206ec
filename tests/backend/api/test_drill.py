"""POST /api/bi/drill-down when the warehouse takes too long, or nobody waits for the answer any more."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import httpx
import pytest

from backend.deps import Deps
from backend.settings import Settings
from tests.serving import LiveServer, Login, MakeUser, SignedIn

pytestmark = pytest.mark.anyio

PATH = "/api/bi/drill-down"
BODY = {"component": "activity", "metric": "interactions", "timeframe": "1y", "group_by": "day"}
_ASKING = """SELECT count(*) FROM pg_stat_activity
              WHERE datname = current_database() AND state = 'active' AND query LIKE '%r.tag%agg_daily_metrics%'
                AND pid <> pg_backend_pid()"""


@pytest.fixture
def server_settings(server_settings: Settings) -> Settings:
    return server_settings.model_copy(update={"bi_statement_timeout_ms": 400})


@pytest.fixture
async def manager(make_user: MakeUser, login: Login) -> SignedIn:
    await make_user("manager", ["Rancho Cucamonga"], email="here@brokerage.example")
    return await login("here@brokerage.example")


@asynccontextmanager
async def _held(deps: Deps) -> AsyncIterator[Callable[[], Awaitable[int]]]:
    """Nobody can read the days meanwhile; how many questions wait for them."""

    async def asking() -> int:
        async with deps.pool.acquire() as other:  # one transaction would always see the same
            return int(await other.fetchval(_ASKING))

    async with deps.pool.acquire() as connection, connection.transaction():
        await connection.execute("LOCK TABLE agg_daily_metrics")
        yield asking


async def _until(asking: Callable[[], Awaitable[int]], count: int) -> None:
    async with asyncio.timeout(20):
        while True:
            if await asking() == count:
                return
            await asyncio.sleep(0.01)


async def test_a_question_that_takes_too_long_is_told_what_to_ask_instead(
    client: httpx.AsyncClient, deps: Deps, manager: SignedIn
) -> None:
    async with _held(deps) as asking:
        answer = await client.post(PATH, json=BODY, headers=manager.headers)

        assert answer.status_code == 422
        assert answer.json().keys() == {"code", "message", "where", "hint"}
        assert (answer.json()["code"], answer.json()["where"]) == ("too_much", "timeframe")
        assert int(answer.headers["Retry-After"]) > 0
        await _until(asking, 0)
    assert (await client.post(PATH, json=BODY, headers=manager.headers)).status_code == 200


async def test_nothing_goes_on_in_the_database_when_who_asked_is_gone(
    live_server: LiveServer, deps: Deps, manager: SignedIn
) -> None:
    async with httpx.AsyncClient(base_url=live_server.url, headers=manager.headers) as client:
        async with _held(deps) as asking:
            question = asyncio.create_task(client.post(PATH, json=BODY))
            await _until(asking, 1)
            question.cancel()
            await asyncio.wait([question])
            await _until(asking, 0)
        assert (await client.post(PATH, json=BODY)).status_code == 200
