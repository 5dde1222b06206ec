"""The figures' routes: what they take, what they refuse, and what they write down."""

from __future__ import annotations

import random
from typing import Any

import httpx
import orjson
import pytest

from backend.deps import Deps
from backend.services import audit
from backend.storage.warehouse import offices
from tests.backend.services.bi import filled
from tests.serving import Login, MakeUser, SignedIn

pytestmark = pytest.mark.anyio

DRILL = {"component": "activity", "metric": "interactions", "timeframe": "1y"}


@pytest.fixture
async def boss(deps: Deps, make_user: MakeUser, login: Login) -> SignedIn:
    """A manager of two offices with facts."""
    signed_in = await login((await make_user("manager", ("Ontario", "Upland"))).email)
    async with deps.bi.acquire() as connection:
        ids = [place["id"] for place in signed_in.user["locations"]]
        found = (await offices.seen(connection, ids))[1]
    invented = filled.Invented(rng=random.Random(1), now=deps.clock.now(), offices=found)
    await filled.fill(deps, invented, 60)
    await filled.store(deps, "dim_lead", [invented.lead() for _ in range(20)])
    return signed_in


async def test_each_route_answers_with_its_fields(client: httpx.AsyncClient, boss: SignedIn) -> None:
    common = {"as_of", "watermark", "source", "last_updated", "cache_hit", "timeframe", "locations"}
    dashboard = await client.get("/api/bi/dashboard-kpis", headers=boss.headers)
    revenue = await client.get("/api/bi/revenue-intelligence", headers=boss.headers)
    drill = await client.post(
        "/api/bi/drill-down", json=DRILL | {"group_by": "channel"}, headers=boss.headers
    )

    assert common | {
        "metrics",
        "comparisons",
        "trends",
        "trend_points",
        "performance_tiers",
        "jorge_commission",
    } == set(dashboard.json())
    assert common | {
        "revenue_timeseries",
        "commission_breakdown",
        "predictive_trends",
        "summary_metrics",
        "forecast_accuracy",
    } == set(revenue.json())
    assert common | {"total", "rows", "next_cursor", "dimensions"} < set(drill.json())
    assert sum(row["n"] for row in drill.json()["rows"]) == drill.json()["total"]["n"]


@pytest.mark.parametrize(
    ("path", "params", "where"),
    [
        ("dashboard-kpis", {"timeframe": "2h"}, "query.timeframe"),
        ("dashboard-kpis", {"include_trends": "perhaps"}, "query.include_trends"),
        ("revenue-intelligence", {"timeframe": "24h"}, "query.timeframe"),
        ("revenue-intelligence", {"forecast_days": 29}, "query.forecast_days"),
        ("revenue-intelligence", {"forecast_days": 366}, "query.forecast_days"),
    ],
)
async def test_out_of_range_is_422_naming_the_parameter(
    client: httpx.AsyncClient, boss: SignedIn, path: str, params: dict[str, Any], where: str
) -> None:
    answer = await client.get(f"/api/bi/{path}", params=params, headers=boss.headers)

    assert answer.status_code == 422
    assert answer.json()["where"] == where
    assert set(answer.json()) == {"code", "message", "where", "hint"}


@pytest.mark.parametrize(
    ("said", "where"),
    [
        ({"metric": "nothing"}, "metric"),
        ({"group_by": "lead_name"}, "group_by"),
        ({"filters": {"name": "Ada"}}, "filters.name"),
        ({"limit": 201}, "body.limit"),
        ({"limit": "50"}, "body.limit"),
        ({"cursor": "AAAA"}, "cursor"),
        ({"sql": "SELECT"}, "body.sql"),
        ({"timeframe": "2y"}, "body.timeframe"),
    ],
)
async def test_a_drill_down_takes_only_what_the_registry_names(
    client: httpx.AsyncClient, boss: SignedIn, said: dict[str, Any], where: str
) -> None:
    answer = await client.post("/api/bi/drill-down", json=DRILL | said, headers=boss.headers)

    assert answer.status_code == 422
    assert answer.json()["where"] == where


async def test_what_a_drill_down_may_leave_out_may_be_null(client: httpx.AsyncClient, boss: SignedIn) -> None:
    nothing = dict.fromkeys(("location_id", "filters", "group_by", "cursor"))
    said, left_out = [
        (await client.post("/api/bi/drill-down", json=DRILL | more, headers=boss.headers)).json()
        for more in (nothing, {})
    ]

    assert said["rows"] == left_out["rows"] != []
    assert said["total"] == left_out["total"]


async def test_whose_leads_were_shown_is_written_down_by_id_only(
    deps: Deps, client: httpx.AsyncClient, boss: SignedIn
) -> None:
    deps.audit.rest()

    answer = await client.post("/api/bi/drill-down", json=DRILL, headers=boss.headers)

    [entry] = [audit.decoded(line, deps.clock.now()) for line in deps.audit.rest()]
    shown = [row["lead_id"] for row in answer.json()["rows"] if row["lead_id"]]
    assert (entry.action, entry.outcome) == ("see_leads_behind", "allowed")
    assert orjson.loads(entry.detail)["leads"] == shown
    assert set(entry.locations) == {place["id"] for place in boss.user["locations"]}


async def test_agents_and_strangers_get_nothing(
    client: httpx.AsyncClient, boss: SignedIn, make_user: MakeUser, login: Login
) -> None:
    agent = await login((await make_user("agent", ("Ontario",))).email)
    stranger = await login((await make_user("manager", ("Elsewhere",))).email)
    place = boss.user["locations"][0]["id"]

    for who in (agent, stranger):
        for path in ("dashboard-kpis", "revenue-intelligence"):
            answer = await client.get(f"/api/bi/{path}", params={"location_id": place}, headers=who.headers)
            assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
        answer = await client.post(
            "/api/bi/drill-down", json=DRILL | {"location_id": place}, headers=who.headers
        )
        assert answer.status_code == 403
    assert (await client.post("/api/bi/drill-down", json=DRILL)).status_code == 401


async def test_the_document_shows_examples_and_every_problem(client: httpx.AsyncClient) -> None:
    paths = (await client.get("/openapi.json")).json()["paths"]

    for path, method in (
        ("/api/bi/dashboard-kpis", "get"),
        ("/api/bi/revenue-intelligence", "get"),
        ("/api/bi/drill-down", "post"),
    ):
        said = paths[path][method]
        assert {"401", "403", "422", "429", "503"} < set(said["responses"])
        assert said["responses"]["200"]["content"]["application/json"]["example"]
        assert all(parameter.get("description") for parameter in said.get("parameters", []))
