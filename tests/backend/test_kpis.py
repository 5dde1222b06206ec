"""The command centre's figures against a plain count in Python, and who may see them."""

from __future__ import annotations

import asyncio
import math
from collections import Counter
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import orjson
import pytest
import websockets

from backend.deps import Deps
from backend.jobs import kpi_snapshots
from backend.services import demo
from backend.storage.warehouse.scope import writing
from backend.stream import sequencer
from domain import deals
from domain.leads import Kind
from tests.serving import LiveServer, Login, MakeUser

pytestmark = pytest.mark.anyio


@pytest.fixture
async def demo_deps(deps: Deps) -> Deps:
    await demo.run_demo(deps, lead_count=120)
    await sequencer.once(deps.pool, deps.hub)
    return deps


async def _rows(deps: Deps, query: str) -> list[dict[str, Any]]:
    async with deps.pool.acquire() as connection:
        return [dict(row) for row in await connection.fetch(query)]


async def _answer(client: httpx.AsyncClient, login: Login, **query: str) -> dict[str, Any]:
    signed_in = await login("manager@demo.example", "demo")
    answer = await client.get("/api/bi/dashboard-kpis", params=query, headers=signed_in.headers)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_pipeline_equals_the_sum_over_open_deals(
    demo_deps: Deps, client: httpx.AsyncClient, login: Login
) -> None:
    rows = await _rows(demo_deps, "SELECT * FROM deals WHERE stage NOT IN ('closed', 'lost')")
    expected = sum(
        deals.odds(row["stage"], Kind.BUYER if row["side_held"] == "buyer" else Kind.SELLER).value
        * row["net_cents"]
        for row in rows
    )

    metric = (await _answer(client, login))["metrics"]["revenue_pipeline"]

    assert metric["value"] == pytest.approx(expected, abs=1)
    assert metric["parts"]["gross_cents"] == sum(row["gross_cents"] for row in rows)
    assert metric["n"] == len(rows)


async def test_active_leads_equal_a_plain_count_by_temperature(
    demo_deps: Deps, client: httpx.AsyncClient, login: Login
) -> None:
    now = demo_deps.clock.now()
    touched = {
        row["lead_id"]
        for row in await _rows(demo_deps, "SELECT lead_id, occurred_at FROM interactions")
        if row["occurred_at"] > now - timedelta(days=30)
    } | {
        row["lead_id"]
        for row in await _rows(demo_deps, "SELECT lead_id, due_at FROM tasks WHERE done_at IS NULL")
        if row["due_at"] <= now + timedelta(days=30)
    }
    rows = [
        row
        for row in await _rows(demo_deps, "SELECT * FROM leads WHERE opted_out IS NOT TRUE")
        if row["id"] in touched and row["stage"] not in ("closed", "lost")
    ]

    metrics = (await _answer(client, login))["metrics"]

    assert metrics["active_leads"]["value"] == len(rows)
    counted = Counter(row["temperature"] for row in rows)
    assert {k: v for k, v in metrics["active_leads"]["parts"].items() if v} == counted
    assert metrics["hot_leads"]["value"] == counted["hot"]


async def test_speed_of_scoring_equals_the_quantiles_of_its_events(
    demo_deps: Deps, client: httpx.AsyncClient, login: Login
) -> None:
    zone = ZoneInfo((await _rows(demo_deps, "SELECT DISTINCT zone FROM locations"))[0]["zone"])
    after = demo_deps.clock.now().astimezone(zone).date() - timedelta(days=90)
    rows = await _rows(
        demo_deps,
        "SELECT *, processing_us / 1000.0::float8 AS processing_ms FROM fact_bot_performance WHERE event_type = 'scored'",
    )
    times = [row["processing_ms"] for row in rows if row["occurred_at"].astimezone(zone).date() > after]

    metric = (await _answer(client, login, timeframe="90d"))["metrics"]["ml_response"]

    assert metric["n"] == len(times)
    ordered = sorted(times)
    for q, value in ((0.95, metric["value"]), (0.5, metric["parts"]["p50_ms"])):
        assert value == pytest.approx(ordered[math.ceil(q * len(ordered)) - 1], rel=0.01)


async def test_bot_success_counts_conversations_with_a_reply(
    demo_deps: Deps, client: httpx.AsyncClient, login: Login
) -> None:
    rows = await _rows(demo_deps, "SELECT * FROM fact_bot_performance WHERE conversation_id IS NOT NULL")
    replied = {row["conversation_id"] for row in rows if row["replied"]}
    good = {row["conversation_id"] for row in rows if row["event_type"] == "qualified" and row["success"]}

    metric = (await _answer(client, login, timeframe="1y"))["metrics"]["bot_success"]

    assert metric["n"] == len(replied)
    assert metric["value"] == pytest.approx(len(good & replied) / len(replied))
    assert metric["interval"][0] < metric["value"] < metric["interval"][1]


async def test_a_location_of_ones_own_counts_only_its_rows(
    demo_deps: Deps, client: httpx.AsyncClient, login: Login
) -> None:
    places = await _rows(demo_deps, "SELECT id FROM locations")

    parts = [await _answer(client, login, location_id=place["id"]) for place in places]
    whole = await _answer(client, login)

    for name in ("revenue_pipeline", "active_leads", "hot_leads"):
        total = sum(part["metrics"][name]["value"] for part in parts)
        assert total == pytest.approx(whole["metrics"][name]["value"], abs=2)


async def test_without_rows_every_figure_is_no_data_yet(
    client: httpx.AsyncClient, make_user: MakeUser, login: Login
) -> None:
    user = await make_user(role="manager", locations=("Empty office",))
    signed_in = await login(user.email)

    answer = (await client.get("/api/bi/dashboard-kpis", headers=signed_in.headers)).json()

    assert [metric["value"] for metric in answer["metrics"].values()] == [None] * 5
    assert {metric["note"] for metric in answer["metrics"].values()} == {"no data yet"}
    assert answer["jorge_commission"]["closed_gross_cents"] is None


async def test_agents_and_strangers_see_no_figures(
    demo_deps: Deps, client: httpx.AsyncClient, login: Login, make_user: MakeUser
) -> None:
    agent = await login("agent1@demo.example", "demo")
    stranger = await login((await make_user(role="manager", locations=("Elsewhere",))).email)
    place = (await _rows(demo_deps, "SELECT id FROM locations WHERE demo"))[0]["id"]

    for who in (agent, stranger):
        answer = await client.get(
            "/api/bi/dashboard-kpis", params={"location_id": place}, headers=who.headers
        )
        assert answer.status_code == 403
    nobody = await client.get("/api/bi/dashboard-kpis", params={"location_id": place})
    assert nobody.status_code == 401


async def test_a_timeframe_out_of_range_is_422_in_the_problem_shape(
    demo_deps: Deps, client: httpx.AsyncClient, login: Login
) -> None:
    signed_in = await login("manager@demo.example", "demo")

    answer = await client.get("/api/bi/dashboard-kpis", params={"timeframe": "2h"}, headers=signed_in.headers)

    assert answer.status_code == 422
    assert answer.json()["where"] == "query.timeframe"


async def test_a_snapshot_of_the_past_is_what_stocks_are_compared_with(
    demo_deps: Deps, client: httpx.AsyncClient, login: Login
) -> None:
    then = demo_deps.clock.now() - timedelta(days=7, minutes=20)
    async with demo_deps.pool.acquire() as connection:
        await connection.execute("DELETE FROM kpi_snapshots")
        await connection.execute(
            "INSERT INTO kpi_snapshots SELECT id, 'active_leads', $1, 50 FROM locations", then
        )

    answer = await _answer(client, login, timeframe="7d", force_refresh="true")

    assert answer["comparisons"]["active_leads"]["previous"] == 100
    assert answer["comparisons"]["hot_leads"] is None
    assert answer["performance_tiers"]["active_leads"] in ("on_track", "watch", "off_track")


async def test_a_change_reaches_an_open_dashboard(
    demo_deps: Deps, live_server: LiveServer, login: Login
) -> None:
    signed_in = await login("manager@demo.example", "demo")
    place = (await _rows(demo_deps, "SELECT location_id FROM deals WHERE stage = 'contract'"))[0][
        "location_id"
    ]
    async with websockets.connect(f"{live_server.ws_url}/ws/dashboard/{place}") as socket:
        await socket.send(orjson.dumps({"token": signed_in.access_token}).decode())
        first = orjson.loads(await asyncio.wait_for(socket.recv(), 5))
        async with demo_deps.pool.acquire() as connection:
            await connection.execute("UPDATE deals SET stage = 'lost' WHERE stage = 'contract'")
        second = orjson.loads(await asyncio.wait_for(socket.recv(), 20))

    figure = "revenue_pipeline"
    assert second["data"]["metrics"][figure]["value"] < first["data"]["metrics"][figure]["value"]


async def test_an_agents_socket_is_closed_with_not_allowed(
    demo_deps: Deps, live_server: LiveServer, login: Login
) -> None:
    signed_in = await login("agent1@demo.example", "demo")

    async with websockets.connect(
        f"{live_server.ws_url}/ws/dashboard/all",
        additional_headers=signed_in.headers,
    ) as socket:
        with pytest.raises(websockets.ConnectionClosed) as closed:
            await asyncio.wait_for(socket.recv(), 5)

    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 4403


async def test_the_job_keeps_one_picture_an_hour_and_none_of_an_empty_office(
    deps: Deps, make_user: MakeUser
) -> None:
    await make_user(role="manager", locations=("Empty office",))
    await kpi_snapshots.once(deps)
    assert await _rows(deps, "SELECT * FROM kpi_snapshots") == []

    async with writing(deps.bi) as connection:
        await connection.execute(
            "INSERT INTO dim_lead (lead_id, location_key, kind, stage, temperature, valid_from, created_at, last_contact_at)"
            " SELECT gen_random_uuid(), location_key, 'seller', 'new', 'hot', now(), now(), now()"
            " FROM dim_location WHERE location_id IS NOT NULL"
        )
    await kpi_snapshots.once(deps)
    await kpi_snapshots.once(deps)

    kept = {row["name"]: row["value"] for row in await _rows(deps, "SELECT * FROM kpi_snapshots")}
    assert kept == {"active_leads": 1, "hot_leads": 1}
