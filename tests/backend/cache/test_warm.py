"""Warming: what will be asked for is there before, one process does it, and it can be stopped."""

from __future__ import annotations

import time
from typing import Any

import httpx
import pytest

from backend.actor import Actor, Role
from backend.cache import asked, warm
from backend.cache.rates import WEEK_SECONDS
from backend.cache.warm import Warmer
from backend.deps import Deps
from backend.jobs import remembering
from backend.services.bi import catalogue, spans
from tests.backend.cache.running import running_job
from tests.serving import Login, MakeUser

pytestmark = pytest.mark.anyio


def warmer(deps: Deps, **settings: Any) -> Warmer:
    return Warmer(valkey=deps.valkey, **{"interval": 300.0, "threshold": 0.7, **settings})


async def nothing(question: str) -> bool:
    return False


async def habit(deps: Deps, question: str, *, times: int = 30) -> None:
    """It was asked `times` in this hour of the last three weeks."""
    recorder = asked.Recorder(deps.valkey)
    now = time.time()
    for week in (3, 2, 1):
        for turn in range(times):
            route, params, locations, role = asked.of_question(question)
            at = now - week * WEEK_SECONDS + turn
            recorder.note(
                asked.Asked(
                    route=route, params=params, location_ids=locations, role=role, who=str(turn), at=at
                )
            )
    await recorder.flush()


BOARD = asked.Asked(
    route="dashboard-kpis", params={"timeframe": "30d"}, location_ids=("a",), role="manager", who="", at=0
).question()


async def test_what_is_asked_at_this_hour_every_week_is_warmed(deps: Deps) -> None:
    await habit(deps, BOARD)
    made: list[str] = []

    async def again(question: str) -> bool:
        made.append(question)
        return True

    found = await warmer(deps).once(again, nothing)

    assert made == [BOARD]
    assert (found.likely, found.made, found.failed) == (1, 1, 0)
    assert await deps.valkey.zcard(warm.DUE) == 1


async def test_every_process_reads_the_closed_buckets_of_what_comes_within_a_day_once_an_hour(
    deps: Deps,
) -> None:
    """Whatever its timeframe: three questions of which none is likely for itself."""
    for timeframe in ("7d", "30d", "1y"):
        await habit(deps, BOARD.replace("30d", timeframe), times=1)
    await habit(deps, BOARD.replace('"a"', '"b"'), times=1)
    read: list[str] = []

    async def prepared(question: str) -> bool:
        read.append(question)
        return True

    first, second = warmer(deps), warmer(deps)
    now = time.time()
    found = []
    for one, at in ((first, now - 3_600), (second, now - 3_600), (first, now - 3_600), (first, now)):
        await one.learn()
        found.append(await one.prepare(prepared, at))

    assert found == [1, 1, 0, 1]
    assert {asked.family(question) for question in read} == {asked.family(BOARD)}


@pytest.mark.parametrize("kind", ["dashboard-kpis", "revenue-intelligence", "bot-performance"])
async def test_a_board_whose_closed_buckets_were_read_finds_them_for_any_timeframe(
    deps: Deps, make_user: MakeUser, kind: str
) -> None:
    await make_user("manager", ("Here",))
    place = await deps.pool.fetchval("SELECT id FROM locations WHERE name = 'Here'")
    board = asked.Asked(
        route=kind, params={"timeframe": "30d"}, location_ids=(place,), role="manager", who="", at=0
    )
    async with running_job(deps, remembering.run):
        assert await catalogue.prepared(deps, board.question())
        assert not await catalogue.prepared(deps, board.question())
        assert not deps.answers.stats.buckets

        for timeframe in set(spans.DAYS) - (
            {"24h"} if kind.startswith("rev") else {"1y"} if kind.startswith("bot") else set()
        ):
            await catalogue.answered(deps, viewer(place), kind, {"timeframe": timeframe})

    assert not deps.answers.buckets.causes
    assert deps.answers.stats.buckets["closed_sums"].hits > 100


async def test_of_a_drill_down_nothing_is_read_before(deps: Deps) -> None:
    assert not await catalogue.prepared(deps, BOARD.replace("dashboard-kpis", "drill-down"))


def viewer(place: str) -> Actor:
    return Actor(id="v", role=Role.MANAGER, locations=frozenset({place}), device_id="d", session_id="s")


async def test_what_was_asked_once_is_not(deps: Deps) -> None:
    await habit(deps, BOARD, times=1)

    async def again(question: str) -> bool:
        raise AssertionError(question)

    assert (await warmer(deps).once(again, nothing)).likely == 0


async def test_the_kill_switch_stops_it_at_once(deps: Deps) -> None:
    await habit(deps, BOARD)
    await deps.valkey.set(warm.OFF, b"1")

    async def again(question: str) -> bool:
        raise AssertionError(question)

    assert (await warmer(deps).once(again, nothing)).switched_off


async def test_only_one_process_warms(deps: Deps) -> None:
    await habit(deps, BOARD)
    made: list[str] = []

    async def again(question: str) -> bool:
        made.append(question)
        return True

    first, second = warmer(deps), warmer(deps)
    await first.once(again, nothing)
    await second.once(again, nothing)
    await first.once(again, nothing)

    assert len(made) == 2


async def test_one_question_that_fails_keeps_no_other_from_being_warm(deps: Deps) -> None:
    other = BOARD.replace("30d", "7d")
    await habit(deps, BOARD)
    await habit(deps, other)
    made: list[str] = []

    async def again(question: str) -> bool:
        made.append(question)
        if question == BOARD:
            raise TimeoutError
        return True

    found = await warmer(deps).once(again, nothing)

    assert sorted(made) == sorted([BOARD, other])
    assert (found.made, found.failed) == (1, 1)


async def test_a_warmed_board_is_there_for_whoever_sees_the_same(
    deps: Deps, client: httpx.AsyncClient, make_user: MakeUser, login: Login
) -> None:
    boss = await login((await make_user("manager", ("Here",))).email)
    other = await login((await make_user("manager", ("Here",))).email)
    elsewhere = await login((await make_user("manager", ("There",))).email)
    async with running_job(deps, remembering.run):
        first = await client.get("/api/bi/dashboard-kpis", headers=boss.headers)
        again = await client.get("/api/bi/dashboard-kpis", headers=other.headers)
        foreign = await client.get("/api/bi/dashboard-kpis", headers=elsewhere.headers)
        anew = await client.get("/api/bi/dashboard-kpis?force_refresh=true", headers=other.headers)

    hits = [answer.json()["cache_hit"] for answer in (first, again, foreign, anew)]
    assert hits == [False, True, False, False]
    assert again.json()["last_updated"] == first.json()["last_updated"]


async def test_a_question_of_the_stream_can_be_asked_again(deps: Deps, make_user: MakeUser) -> None:
    person = await make_user("manager", ("Here",))
    place = await deps.pool.fetchval("SELECT id FROM locations WHERE name = 'Here'")
    actor = Actor(
        id=person.id, role=Role.MANAGER, locations=frozenset({place}), device_id="d", session_id="s"
    )
    async with running_job(deps, remembering.run):
        await catalogue.answered(deps, actor, "dashboard-kpis", {"timeframe": "7d"})
        await deps.asked.flush()
        told = [question async for _, question, _, _ in asked.read(deps.valkey)]

        assert len(told) == 1
        assert not await catalogue.again(deps, told[0])  # it is there
        cold = told[0].replace("7d", "90d")
        assert await catalogue.again(deps, cold)
        assert not await catalogue.again(deps, cold)


async def test_a_manager_warms_the_own_board_by_hand(
    deps: Deps, client: httpx.AsyncClient, make_user: MakeUser, login: Login
) -> None:
    boss = await login((await make_user("manager", ("Here",))).email)
    agent = await login((await make_user("agent", ("Here",))).email)
    async with running_job(deps, remembering.run):
        done = await client.post(
            "/api/bi/warm-cache", json={"questions": ["dashboard-kpis"]}, headers=boss.headers
        )
        board = await client.get("/api/bi/dashboard-kpis?timeframe=1y", headers=boss.headers)
        told = await client.get("/api/bi/cache-analytics", headers=boss.headers)
        wrong = await client.post("/api/bi/warm-cache", json={"questions": ["x"]}, headers=boss.headers)
        everything = await client.post("/api/bi/warm-cache", headers=boss.headers)
        refused = await client.post("/api/bi/warm-cache", json={}, headers=agent.headers)

    assert [one["timeframe"] for one in done.json()["warmed"]] == ["24h", "7d", "30d", "90d", "1y"]
    assert board.json()["cache_hit"]
    assert told.json()["total"]["warmed_then_hit"] == 1
    assert (wrong.status_code, wrong.json()["where"]) == (422, "questions")
    assert len(everything.json()["warmed"]) > len(done.json()["warmed"])
    assert refused.status_code == 403
