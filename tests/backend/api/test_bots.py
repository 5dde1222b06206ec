"""GET /api/bi/bot-performance and the acknowledgement of alerts, as programs ask for them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx
import pytest

from backend.deps import Deps
from backend.jobs import alerts as job
from backend.services.bi import alerts
from backend.storage.warehouse import offices
from tests.backend.services.bi import planted
from tests.serving import Login, MakeUser, SignedIn

pytestmark = pytest.mark.anyio

PATH = "/api/bi/bot-performance"


@pytest.fixture
async def manager(make_user: MakeUser, login: Login) -> SignedIn:
    await make_user("manager", ["Rancho Cucamonga"], email="here@brokerage.example")
    return await login("here@brokerage.example")


@pytest.fixture
async def stranger(make_user: MakeUser, login: Login) -> SignedIn:
    await make_user("manager", ["Seattle"], email="there@brokerage.example")
    return await login("there@brokerage.example")


async def _alarm(deps: Deps, location: str) -> None:
    """A bot that errs at this location."""
    async with deps.bi.acquire() as connection:
        (office,) = (await offices.seen(connection, [location]))[1]
    at = deps.clock.now() - timedelta(minutes=2)
    await planted.store(deps, [planted.event(office, at, planted.LEAD, "error") for _ in range(40)])
    await job.once(deps)


def _location(signed_in: SignedIn) -> str:
    return str(signed_in.user["locations"][0]["id"])


async def test_the_answer_has_what_other_programs_read(client: httpx.AsyncClient, manager: SignedIn) -> None:
    for timeframe in ("24h", "7d", "30d", "90d"):
        answer = await client.get(PATH, params={"timeframe": timeframe}, headers=manager.headers)

        assert answer.status_code == 200
        assert answer.json().keys() >= {
            *("bot_metrics", "coordination_metrics", "system_health", "performance_alerts", "last_updated"),
            *("as_of", "watermark", "source", "cache_hit"),
        }


async def test_parts_are_left_out_on_request(client: httpx.AsyncClient, manager: SignedIn) -> None:
    query = {"include_coordination": "false", "include_alerts": "false"}
    answer = (await client.get(PATH, params=query, headers=manager.headers)).json()

    assert answer["coordination_metrics"] == {}
    assert answer["performance_alerts"] == []


@pytest.mark.parametrize("query", [{"timeframe": "1y"}, {"include_alerts": "perhaps"}])
async def test_what_is_out_of_range_is_refused_by_name(
    client: httpx.AsyncClient, manager: SignedIn, query: dict[str, str]
) -> None:
    answer = await client.get(PATH, params=query, headers=manager.headers)

    assert answer.status_code == 422
    assert answer.json().keys() == {"code", "message", "where", "hint"}
    assert next(iter(query)) in answer.json()["where"]


async def test_agents_and_other_offices_are_refused(
    client: httpx.AsyncClient, make_user: MakeUser, login: Login, manager: SignedIn, stranger: SignedIn
) -> None:
    await make_user("agent", ["Rancho Cucamonga"], email="agent@brokerage.example")
    agent = await login("agent@brokerage.example")
    foreign = {"location_id": _location(manager)}

    assert (await client.get(PATH, headers=agent.headers)).status_code == 403
    assert (await client.get(PATH, params=foreign, headers=stranger.headers)).status_code == 403


async def test_an_alert_is_taken_on_once_told_and_written_down(
    client: httpx.AsyncClient, deps: Deps, manager: SignedIn
) -> None:
    await _alarm(deps, _location(manager))
    (alert,) = (await client.get(PATH, headers=manager.headers)).json()["performance_alerts"]

    with deps.hub.subscribe(alerts.CHANNEL, [_location(manager)]) as mine:
        first = await client.post(f"/api/bi/alerts/{alert['alert_id']}/ack", headers=manager.headers)
        told: Any = (await mine.get()).payload
    again = await client.post(f"/api/bi/alerts/{alert['alert_id']}/ack", headers=manager.headers)

    assert first.status_code == 200
    assert first.json()["status"] == "acknowledged"
    assert first.json()["acked_by"] == manager.user["id"]
    assert again.json() == first.json()
    assert (await client.get(PATH, headers=manager.headers)).json()["performance_alerts"] == [first.json()]
    assert (told["event"], told["alert"]) == ("acknowledged", first.json())
    waiting = [deps.audit.waiting.get_nowait() for _ in range(deps.audit.waiting.qsize())]
    assert any(b"alert.ack" in entry for entry in waiting)


async def test_a_stranger_neither_sees_nor_takes_on_an_alert(
    client: httpx.AsyncClient, deps: Deps, manager: SignedIn, stranger: SignedIn
) -> None:
    await _alarm(deps, _location(manager))
    (alert,) = (await client.get(PATH, headers=manager.headers)).json()["performance_alerts"]

    assert (await client.get(PATH, headers=stranger.headers)).json()["performance_alerts"] == []
    refused = await client.post(f"/api/bi/alerts/{alert['alert_id']}/ack", headers=stranger.headers)
    assert refused.status_code == 404
    unknown = await client.post(f"/api/bi/alerts/{planted.uid(5)}/ack", headers=stranger.headers)
    assert unknown.json() == refused.json()
