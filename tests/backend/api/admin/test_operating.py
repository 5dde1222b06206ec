"""What an administrator sees of the running server, and that nobody else does."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

from backend.deps import Deps
from backend.jobs import audit_writer
from backend.services import audit
from tests.serving import Login, MakeUser

pytestmark = pytest.mark.anyio

PATHS = ["cache", "stream", "jobs", "ws", "queries", "audit"]
Ask = Callable[..., Awaitable[httpx.Response]]


@pytest.fixture
async def ask(client: httpx.AsyncClient, make_user: MakeUser, login: Login) -> Ask:
    """Requests of an administrator."""
    boss = await login((await make_user("admin")).email)

    async def asked(path: str, method: str = "GET", **said: Any) -> httpx.Response:
        return await client.request(method, f"/api/admin/{path}", headers=boss.headers, **said)

    return asked


@pytest.mark.parametrize("path", PATHS)
async def test_managers_see_nothing_of_it(
    path: str, client: httpx.AsyncClient, make_user: MakeUser, login: Login
) -> None:
    manager = await login((await make_user("manager")).email)

    assert (await client.get(f"/api/admin/{path}", headers=manager.headers)).status_code == 403
    assert (await client.get(f"/api/admin/{path}")).status_code == 401


@pytest.mark.parametrize("path", PATHS)
async def test_it_answers_on_an_empty_server(path: str, ask: Ask) -> None:
    assert (await ask(path)).status_code == 200


async def test_streams_tell_what_waits(ask: Ask, deps: Deps) -> None:
    name = "bi:stream:bot_performance"
    for _ in range(3):
        await deps.valkey.xadd(name, {"event": "{}"})
    await deps.valkey.xgroup_create(name, "sink", id="0")
    await deps.valkey.xreadgroup("sink", "one", {name: ">"}, count=2)

    told = (await ask("stream")).json()["streams"][name]

    assert told["length"] == 3
    assert [(one["name"], one["lag"], one["pending"]) for one in told["groups"]] == [("sink", 1, 2)]


async def test_rows_that_the_warehouse_could_not_take_are_listed_with_the_reason(
    ask: Ask, deps: Deps
) -> None:
    await deps.pool.execute(
        """INSERT INTO bi_feed_aside (tbl, row_id, reason, since, tried_at, again_at)
           VALUES ('leads', gen_random_uuid(), 'ended', now(), now(), 'infinity')"""
    )

    told = (await ask("stream")).json()["set_aside"]

    (row,) = told["rows"]
    assert (told["count"], row["table"], row["reason"], row["again_at"]) == (1, "leads", "ended", None)


async def test_what_a_part_counts_stands_on_its_page(ask: Ask, deps: Deps) -> None:
    deps.gauges["cache"] = lambda: {'hits_total{tier="own"}': 3}
    deps.gauges["sink"] = lambda: {"sink_rows_total": 9}

    cache = (await ask("cache")).json()
    stream = (await ask("stream")).json()

    assert cache["processes"] == {"server": {"hits_total own": 3}}
    assert stream["sink"] == {"server": {"rows_total": 9}}


async def test_a_bucket_is_forgotten_by_its_tag_and_by_no_other_word(ask: Ask, deps: Deps) -> None:
    good = await ask("cache/forget", "POST", json={"tags": ["loc:-1:d:20261122", "loc:3:stock"]})
    bad = await ask("cache/forget", "POST", json={"tags": ["*"]})

    assert (good.json(), bad.status_code) == ({"forgotten": 2}, 422)
    assert b"loc:3:stock" in await deps.valkey.hkeys("bi:versions")


async def test_warming_is_switched_off_and_on_for_all_processes(ask: Ask) -> None:
    async def on() -> bool:
        return bool((await ask("../bi/cache-analytics")).json()["warming"]["on"])

    assert await on()
    assert (await ask("cache/warming", "PUT", json={"on": False})).json() == {"on": False}
    assert not await on()
    assert (await ask("cache/warming", "PUT", json={"on": True})).status_code == 200
    assert await on()


async def test_a_statement_that_runs_is_seen_and_stopped(ask: Ask, deps: Deps) -> None:
    slow = asyncio.create_task(deps.bi.execute("SELECT pg_sleep(60)"))
    found: list[dict[str, Any]] = []
    async with asyncio.timeout(20):
        while not found:
            await asyncio.sleep(0.05)
            running = (await ask("queries")).json()["running"]
            found = [one for one in running if "pg_sleep" in one["query"]]

    stopped = await ask(f"queries/{found[0]['pid']}/cancel", "POST")
    (fault,) = await asyncio.gather(slow, return_exceptions=True)

    assert stopped.json() == {"cancelled": found[0]["pid"]}
    assert type(fault).__name__ == "QueryCanceledError"
    assert (await ask("queries/1/cancel", "POST")).status_code == 404


async def test_the_log_is_read_page_by_page_the_newest_first(ask: Ask, deps: Deps) -> None:
    for n in range(5):
        await audit.record(deps, None, action="test", resource="r", detail={"n": n})
    await audit.flush(deps)
    await audit_writer.ready(deps)
    await audit_writer.once(deps)

    first = (await ask("audit", params={"action": "test", "limit": 2})).json()
    second = (await ask("audit", params={"action": "test", "limit": 2, "before": first["next"]})).json()
    third = (await ask("audit", params={"action": "test", "limit": 2, "before": second["next"]})).json()

    pages = [[one["detail"]["n"] for one in page["entries"]] for page in (first, second, third)]
    assert pages == [[4, 3], [2, 1], [0]]
    assert third["next"] is None
    assert (await ask("audit", params={"before": "9~9"})).status_code == 422


async def test_looking_is_recorded_itself_with_the_whole_path(ask: Ask, deps: Deps) -> None:
    await ask("stream")

    entry = audit.decoded(deps.audit.rest()[0], deps.clock.now())
    assert (entry.action, entry.resource) == ("operate", "GET /api/admin/stream")
