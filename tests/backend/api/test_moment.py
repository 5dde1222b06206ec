"""GET /api/bi/real-time-metrics and POST /api/bi/trigger-aggregation, as programs ask for them."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest

from backend.deps import Deps
from backend.storage.warehouse import offices
from backend.stream import keeping
from tests.backend.services.bi import planted
from tests.backend.stream.windows import at_work, world
from tests.serving import Login, MakeUser, SignedIn
from tests.waiting import until

pytestmark = pytest.mark.anyio

PATH = "/api/bi/real-time-metrics"
TRIGGER = "/api/bi/trigger-aggregation"
PLACES = ("Rancho Cucamonga", "Seattle", "Ontario")


async def _signed_in(
    make_user: MakeUser, login: Login, places: tuple[str, ...], role: str = "manager"
) -> SignedIn:
    email = f"{role}-{len(places)}-{places[0][:3].lower()}@brokerage.example"
    await make_user(role, list(places), email=email)
    return await login(email)


async def _places(deps: Deps) -> dict[str, UUID]:
    rows = await deps.pool.fetch("SELECT name, location_id FROM dim_location WHERE location_id IS NOT NULL")
    return {row["name"]: UUID(str(row["location_id"])) for row in rows}


async def _happen(deps: Deps, place: UUID, count: int) -> None:
    rnd = random.Random(count)
    moment = datetime.now(UTC)
    told = [world.some(rnd, 1, office=place, occurred_at=moment)[0] for _ in range(count)]
    await at_work.add(deps, told)


async def _values(client: httpx.AsyncClient, who: SignedIn, **query: str) -> Any:
    answer = await client.get(PATH, params=query, headers=who.headers)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_the_windows_of_ones_locations_and_of_no_others(
    deps: Deps, client: httpx.AsyncClient, make_user: MakeUser, login: Login
) -> None:
    here = await _signed_in(make_user, login, PLACES[:1])
    two = await _signed_in(make_user, login, PLACES[:2])
    every = await _signed_in(make_user, login, PLACES)
    places = await _places(deps)
    async with at_work.working(deps) as one:
        for count, name in zip((20, 30, 40), PLACES, strict=True):
            await _happen(deps, places[name], count)
        await until(lambda: one.counters.events == 90, what="all counted")
        await until(lambda: one.counters.ticks and not one.windows.places.rings[0].changed.any(), what="told")

        mine = await _values(client, here)
        both = await _values(client, two)
        only = await _values(client, two, location_id=str(places["Seattle"]))
        whole = await _values(client, every)
        foreign = await client.get(PATH, params={"location_id": str(places["Seattle"])}, headers=here.headers)

    def happened(answer: Any) -> int:
        values = answer["windows"]["24h"]["values"]
        return int(values["interactions"] + values["bot_events"])

    assert foreign.status_code == 403
    assert mine.keys() >= {"as_of", "watermark", "source", "cache_hit", "complete", "last_updated"}
    assert (mine["source"], mine["complete"], mine["note"]) == ("windows", True, None)
    assert 0 < happened(mine) <= 20
    assert happened(both) == happened(mine) + happened(only)
    assert happened(whole) > happened(both)
    for name, value in both["windows"]["24h"]["values"].items():
        a, b = (one["windows"]["24h"]["values"][name] for one in (mine, only))
        if name.endswith("_p50") or name in {"ml_response", "turn_response"}:
            assert value is None or min(x for x in (a, b) if x) <= value <= max(x for x in (a, b) if x)
        elif isinstance(value, int) and not isinstance(a, float):
            assert value == (a or 0) + (b or 0)
    assert both["note"]
    assert set(whole["locations"]) == {str(place) for place in places.values()}


async def test_an_agent_may_not(client: httpx.AsyncClient, make_user: MakeUser, login: Login) -> None:
    agent = await _signed_in(make_user, login, PLACES[:1], role="agent")

    assert (await client.get(PATH, headers=agent.headers)).status_code == 403
    assert (await client.post(TRIGGER, json={"window": "5min"}, headers=agent.headers)).status_code == 403


async def test_nothing_happened_is_zero_and_no_ratio(
    deps: Deps, client: httpx.AsyncClient, make_user: MakeUser, login: Login
) -> None:
    who = await _signed_in(make_user, login, PLACES[:1])
    async with at_work.working(deps) as one:
        await until(lambda: one.counters.working, what="at work")
        await until(lambda: deps.valkey.hexists(keeping.LATEST, keeping.META), what="said so")
        answer = await _values(client, who)

    values = answer["windows"]["5m"]["values"]
    assert values["interactions"] == 0
    assert values["bot_success"] is None
    assert values["ml_response"] is None


async def test_without_a_processor_the_view_answers_and_says_so(
    deps: Deps, client: httpx.AsyncClient, make_user: MakeUser, login: Login
) -> None:
    who = await _signed_in(make_user, login, PLACES[:1])

    answer = await _values(client, who)

    assert answer["source"] == "views"
    assert answer["complete"] is False
    assert answer["windows"] == {"5m": None, "1h": None, "24h": None}
    assert answer["note"]


async def test_a_trigger_refreshes_the_views_and_has_the_windows_told_again(
    deps: Deps, client: httpx.AsyncClient, make_user: MakeUser, login: Login
) -> None:
    who, other = [await _signed_in(make_user, login, PLACES[n : n + 1]) for n in (0, 1)]
    async with deps.bi.acquire() as connection:
        office = (await offices.seen(connection, [place["id"] for place in who.user["locations"]]))[1][0]
    at = deps.clock.now() - timedelta(minutes=3)
    await planted.store(deps, [planted.event(office, at)])

    answer = await client.post(TRIGGER, json={"window": "24hr"}, headers=who.headers)
    of_another = await client.post(TRIGGER, json={"window": "24hr"}, headers=other.headers)
    seen = await _values(client, who)

    assert answer.status_code == 200
    assert answer.json()["watermark"] == seen["watermark"] == at.isoformat()
    assert of_another.json()["watermark"] is None
    assert answer.json()["refreshed_ms"].keys() == {"mv_real_time_dashboard", "mv_weekly_trends"}
    assert answer.json()["told_again"] is True
    assert await deps.valkey.sismember(keeping.FLUSH, "24h")
    by_query = await client.post(TRIGGER, params={"window": "5min"}, headers=who.headers)
    assert by_query.json()["refreshed_ms"].keys() == {"mv_real_time_dashboard"}


@pytest.mark.parametrize(("body", "query"), [({"window": "2h"}, {}), ({}, {}), (None, {"window": "1d"})])
async def test_no_such_window_is_told(
    client: httpx.AsyncClient, make_user: MakeUser, login: Login, body: Any, query: dict[str, str]
) -> None:
    who = await _signed_in(make_user, login, PLACES[:1])

    answer = await client.post(TRIGGER, json=body, params=query, headers=who.headers)

    assert answer.status_code == 422
    assert answer.json()["where"].endswith("window")
