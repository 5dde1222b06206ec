"""GET /api/bi/predictive-insights and /api/bi/anomaly-detection, as programs ask for them."""

from __future__ import annotations

import httpx
import orjson
import pytest

from backend.services.bi import insights
from tests.serving import Login, MakeUser, SignedIn

pytestmark = pytest.mark.anyio

INSIGHTS = "/api/bi/predictive-insights"
ANOMALIES = "/api/bi/anomaly-detection"


@pytest.fixture
async def manager(make_user: MakeUser, login: Login) -> SignedIn:
    await make_user("manager", ["Rancho Cucamonga"], email="here@brokerage.example")
    return await login("here@brokerage.example")


async def test_insights_are_a_list_and_say_in_headers_what_lacks_data(
    client: httpx.AsyncClient, manager: SignedIn
) -> None:
    answer = await client.get(INSIGHTS, headers=manager.headers)

    assert answer.status_code == 200
    assert answer.json() == []
    short = orjson.loads(answer.headers["X-BI-Not-Enough-Data"])
    assert {line["insight_type"] for line in short} == set(insights.TYPES)
    assert all(line["note"].startswith("not enough data: ") for line in short)
    assert answer.headers["X-BI-Source"] == "facts"
    assert answer.headers["X-BI-Cache-Hit"] == "false"
    assert answer.headers["X-BI-Watermark"] == "null"
    assert answer.headers["X-BI-As-Of"].startswith("20")


async def test_only_the_types_asked_for_are_looked_at(client: httpx.AsyncClient, manager: SignedIn) -> None:
    query = {"insight_types": "revenue_pace, bot_degrading"}
    answer = await client.get(INSIGHTS, params=query, headers=manager.headers)

    short = orjson.loads(answer.headers["X-BI-Not-Enough-Data"])
    assert [line["insight_type"] for line in short] == ["bot_degrading", "revenue_pace"]


@pytest.mark.parametrize(
    ("path", "name", "value"),
    [
        (INSIGHTS, "insight_types", "leads_cooling,weather"),
        (INSIGHTS, "confidence_threshold", "1.01"),
        (INSIGHTS, "confidence_threshold", "-0.01"),
        (INSIGHTS, "confidence_threshold", "nan"),
        (INSIGHTS, "limit", "0"),
        (INSIGHTS, "limit", "101"),
        (ANOMALIES, "sensitivity", "0.09"),
        (ANOMALIES, "sensitivity", "1.01"),
        (ANOMALIES, "sensitivity", "nan"),
        (ANOMALIES, "timeframe", "1y"),
    ],
)
async def test_what_is_out_of_range_is_refused_by_name(
    client: httpx.AsyncClient, manager: SignedIn, path: str, name: str, value: str
) -> None:
    answer = await client.get(path, params={name: value}, headers=manager.headers)

    assert answer.status_code == 422
    assert name in answer.json()["where"]


@pytest.mark.parametrize("path", [INSIGHTS, ANOMALIES])
async def test_agents_and_other_offices_are_refused(
    client: httpx.AsyncClient, make_user: MakeUser, login: Login, manager: SignedIn, path: str
) -> None:
    await make_user("agent", ["Rancho Cucamonga"], email="agent@brokerage.example")
    await make_user("manager", ["Seattle"], email="there@brokerage.example")
    agent, stranger = await login("agent@brokerage.example"), await login("there@brokerage.example")
    foreign = {"location_id": str(manager.user["locations"][0]["id"])}

    assert (await client.get(path, headers=agent.headers)).status_code == 403
    assert (await client.get(path, params=foreign, headers=stranger.headers)).status_code == 403
    assert (
        await client.get(path, params={"location_id": "all"}, headers=stranger.headers)
    ).status_code == 200


@pytest.mark.parametrize("timeframe", ["24h", "7d", "30d", "90d"])
async def test_anomalies_say_method_and_what_lacks_data(
    client: httpx.AsyncClient, manager: SignedIn, timeframe: str
) -> None:
    query = {"timeframe": timeframe, "sensitivity": "1"}
    answer = (await client.get(ANOMALIES, params=query, headers=manager.headers)).json()

    assert answer.keys() >= {"as_of", "watermark", "source", "cache_hit", "method", "threshold"}
    assert answer["threshold"] == 2
    assert answer["anomalies"] == []
    assert {line["needed"] for line in answer["not_enough_data"]} == {5}
