"""What is true of every answer and live frame: it says when and from what it was made, and money is whole cents. All are walked."""

from __future__ import annotations

import asyncio
import random
import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from backend.deps import Deps
from backend.metrics import FIGURES
from backend.storage.warehouse import offices
from domain.kpis import Unit
from tests.backend.realtime.talking import heard, opened
from tests.backend.services.bi import filled
from tests.serving import LiveServer, Login, MakeUser, SignedIn

pytestmark = pytest.mark.anyio

MONEY = {figure.name for figure in FIGURES.values() if figure.unit is Unit.CENTS}
_AMOUNTS = {"value", "previous", "trend"}
_SHARES = {"backtest"}
"""Parts of an amount's answer that speak of shares."""
ROUTES = {
    *("dashboard-kpis", "revenue-intelligence", "bot-performance", "drill-down", "predictive-insights"),
    *("anomaly-detection", "real-time-metrics", "trigger-aggregation", "cache-analytics", "warm-cache"),
}
_OF_DEALS = ("won_gross_cents", "revenue_pipeline")


def faults(said: Any, where: str = "", *, money: bool = False) -> Iterator[str]:
    """Where something that is cents is no whole number. `money`: all amounts in here are."""
    if isinstance(said, dict):
        money = money or said.get("unit") == "cents" or said.get("metric") in MONEY
        for name, part in said.items():
            named = name.endswith("_cents") or name in MONEY
            amount = money and (name in _AMOUNTS or name.startswith(("low_", "high_")))
            deeper = named or (money and name not in _SHARES)
            if (named or amount) and isinstance(part, float):
                yield f"{where}.{name} = {part}"
            elif (named or amount) and isinstance(part, list):
                yield from (f"{where}.{name} = {one}" for one in part if isinstance(one, float))
            else:
                yield from faults(part, f"{where}.{name}", money=deeper)
    elif isinstance(said, list):
        for place, part in enumerate(said):
            yield from faults(part, f"{where}[{place}]", money=money)


@pytest.fixture
async def boss(deps: Deps, make_user: MakeUser, login: Login) -> SignedIn:
    """A manager of two offices with deals."""
    signed_in = await login((await make_user("manager", ("Ontario", "Upland"))).email)
    async with deps.bi.acquire() as connection:
        ids = [place["id"] for place in signed_in.user["locations"]]
        found = (await offices.seen(connection, ids))[1]
    await filled.fill(deps, filled.Invented(rng=random.Random(1), now=deps.clock.now(), offices=found), 150)
    return signed_in


async def _answers(client: httpx.AsyncClient, boss: SignedIn) -> dict[str, Any]:
    """What every route of figures says."""
    asked: dict[str, dict[str, Any] | None] = {
        **{f"GET dashboard-kpis?timeframe={t}": None for t in ("24h", "30d", "1y")},
        **{f"GET revenue-intelligence?timeframe={t}&forecast_days=30": None for t in ("7d", "90d", "1y")},
        "GET bot-performance?timeframe=90d": None,
        "GET anomaly-detection?timeframe=30d": None,
        "GET predictive-insights?confidence_threshold=0": None,
        "GET real-time-metrics": None,
        "GET cache-analytics": None,
        "POST trigger-aggregation": {"window": "5min"},
        "POST warm-cache": {"questions": ["dashboard-kpis"]},
    }
    for metric in _OF_DEALS:
        for by in ("location", "stage", "lead"):
            body = {"component": "revenue", "metric": metric, "timeframe": "1y", "group_by": by}
            asked[f"POST drill-down?by={metric}-{by}"] = body
    found = {}
    for what, said in asked.items():
        method, path = what.split()
        path = path.partition("?")[0] if said else path
        answer = await client.request(method, f"/api/bi/{path}", json=said, headers=boss.headers)
        assert answer.status_code == 200, (what, answer.text)
        found[what] = answer.json()
    return found


async def test_every_answer_says_of_itself_when_and_from_what_and_each_cent_is_whole(
    client: httpx.AsyncClient, boss: SignedIn
) -> None:
    found = await _answers(client, boss)

    assert {re.split(r"[ ?]", what)[1] for what in found} == ROUTES
    for what, answer in found.items():
        for one in answer if isinstance(answer, list) else [answer]:
            assert {"as_of", "watermark", "source", "cache_hit"} <= one.keys(), what
    assert list(faults(found)) == []
    tile = found["GET dashboard-kpis?timeframe=1y"]["metrics"]["revenue_pipeline"]
    assert tile["parts"]["gross_cents"] > tile["value"] > 0  # there was money to look at
    assert found["GET revenue-intelligence?timeframe=1y&forecast_days=30"]["predictive_trends"]["total"]


async def test_every_cent_of_every_live_frame_is_a_whole_number(
    live_server: LiveServer, boss: SignedIn
) -> None:
    async with opened(live_server, "/ws/business-intelligence/all?timeframe=90d", boss.headers) as socket:
        frames = [await asyncio.wait_for(heard(socket), 20) for _ in range(5)]

    assert {frame["type"] for frame in frames} == {"snapshot"}
    assert list(faults(frames)) == []


def test_the_walk_sees_what_is_wrong() -> None:
    wrong = {
        "a_cents": 1.0,
        "trends": {"revenue_pipeline": [1, 2.0]},
        "tile": {"unit": "cents", "value": 2.5, "comparison": {"previous": 3.0, "change": 0.5}},
        "forecast": {"unit": "cents", "total": {"low_80": 1.5, "value": 2}},
        "right": {"unit": "ratio", "value": 0.5, "parts": {"b_cents": 3}},
    }

    assert [fault.split(" = ")[0] for fault in faults(wrong)] == [
        ".a_cents",
        ".trends.revenue_pipeline",
        ".tile.value",
        ".tile.comparison.previous",
        ".forecast.total.low_80",
    ]
