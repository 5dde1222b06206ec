"""For every route and role: whoever has no right to an office gets nothing of it. The routes come from the route table.

Two proofs for each request. Nothing that names the foreign office is in the answer; and the answer is the same before the
foreign office has any data and after, so that no sum, count or rank has taken any of it in. An administrator sees every real
office by design, so for them the foreign one is a demo office: real and invented never mix.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import httpx
import orjson
import pytest
from fastapi import FastAPI

from backend.deps import Deps
from backend.settings import Settings
from backend.stream import sequencer
from domain import ports
from tests.backend.isolation import asking, places
from tests.backend.isolation.asking import Request
from tests.backend.isolation.places import Place, Somebody
from tests.fakes import FakeClock
from tests.routes import every_route
from tests.serving import Login, MakeUser

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(600)]

logger = logging.getLogger(__name__)

ROLES = ("nobody", "agent", "manager", "admin")
FROM_AFAR = {"X-Forwarded-For": "203.0.113.7"}
"""On the server's own machine /metrics asks nobody who they are."""
REFUSED = (401, 403, 404, 422)
_CHANGES_BY_ITSELF = frozenset(
    {"as_of", "last_updated", "watermark", "cache_hit", "ticket", "cursor", "server_ms", "refreshed_ms", "unstamped_seconds", "seconds", "undelivered", "pending", "waiting_seconds"}
)  # fmt: skip
"""Fields that tell of the moment or are made at random; a cursor holds how far the feed is, sealed. What waits in the streams
(`system_health` of the bots' answer) is the health of machinery that all offices share: how much, not whose."""
_OF_THE_PROCESS = (
    "/health",
    "/ready",
    "/ws/bi/health",
    "/api/bi/cache-analytics",
    "/api/metrics",
    "/metrics",
)
"""What these tell is of the process, and none of anybody's data: looked through for marks, not compared."""


@pytest.fixture
def clock() -> ports.Clock:
    return FakeClock(datetime.now(UTC))


@pytest.fixture
def server_settings(server_settings: Settings) -> Settings:
    return server_settings.model_copy(update={"bi_rate_limit": 0})


async def somebody(make_user: MakeUser, login: Login, role: str) -> Somebody:
    if role == "nobody":
        return Somebody(role=role, signed_in=None)
    user = await make_user(
        role, () if role == "admin" else ("Ontario",), email=f"asks-{role}@brokerage.example"
    )
    return Somebody(role=role, signed_in=await login(user.email))


async def answered(client: httpx.AsyncClient, who: Somebody, request: Request) -> httpx.Response:
    headers = {**request.headers, **who.headers, **FROM_AFAR}
    return await client.request(
        request.method,
        request.path,
        params=dict(request.query),
        headers=headers,
        json=request.body,
    )


@pytest.mark.parametrize("role", ROLES)
async def test_nothing_of_another_office_is_in_any_answer(
    app: FastAPI, client: httpx.AsyncClient, make_user: MakeUser, login: Login, role: str
) -> None:
    deps: Deps = app.state.deps
    own = await places.opened(deps, make_user, "Ontario", places.OWN)
    foreign = await places.opened(deps, make_user, places.NAME, places.FOREIGN, demo=role == "admin")
    await places.fill(deps, own)
    who = await somebody(make_user, login, role)
    asked = list(asking.requests(app, foreign))

    before = [await answered(client, who, request) for request in asked]
    await places.fill(deps, foreign)
    held = await places.held(deps, foreign)
    after = [await answered(client, who, request) for request in asked]

    faults = [
        fault
        for request, one, two in zip(asked, before, after, strict=True)
        for fault in judged(foreign, who, request, one, two)
    ]
    assert faults == [], "\n".join(faults)
    assert await places.held(deps, foreign) == held, "something of the foreign office was changed"
    routes = {(request.method, request.route) for request in asked}
    logger.info("isolation: %s: %d routes, %d requests, no leak", role, len(routes), 2 * len(asked))


def judged(
    foreign: Place, who: Somebody, request: Request, before: httpx.Response, after: httpx.Response
) -> list[str]:
    """What is wrong with these two answers to the same question."""
    if request.for_everybody_who_operates:
        return (
            [] if who.role == "admin" or after.status_code in REFUSED else [f"{request}: {after.status_code}"]
        )
    faults = []
    if after.status_code >= 500:
        faults.append(f"{request}: {after.status_code} {after.text[:200]}")
    if request.names and after.status_code not in REFUSED:
        faults.append(f"{request}: {after.status_code}, not refused: {after.text[:200]}")
    echoed = after.text
    for value in request.query.values():
        echoed = echoed.replace(value, "") if len(value) > 8 else echoed
    if found := places.leaks(foreign, echoed):
        faults.append(f"{request}: {after.status_code} tells {found}: {after.text[:300]}")
    if request.route not in _OF_THE_PROCESS and shown(before) != shown(after):
        faults.append(f"{request}: {differs(shown(before), shown(after))}")
    return faults


def differs(before: str, after: str) -> str:
    """Where they begin to, and what is there."""
    at = max(0, next((n for n, (a, b) in enumerate(zip(before, after, strict=False)) if a != b), 0) - 200)
    return f"was …{before[at : at + 400]}… and is …{after[at : at + 400]}…"


def shown(answer: httpx.Response) -> str:
    """Status and content, without what changes by itself."""
    try:
        said = orjson.loads(answer.content)
    except orjson.JSONDecodeError:
        return f"{answer.status_code} {answer.text}"
    return f"{answer.status_code} {orjson.dumps(_still(said), option=orjson.OPT_SORT_KEYS).decode()}"


def _still(said: Any) -> Any:
    if isinstance(said, Mapping):
        return {name: _still(value) for name, value in said.items() if name not in _CHANGES_BY_ITSELF}
    return [_still(one) for one in said] if isinstance(said, list) else said


async def test_the_proof_can_fail_for_every_figure_of_the_api(
    deps: Deps, app: FastAPI, client: httpx.AsyncClient, make_user: MakeUser, login: Login
) -> None:
    """Whoever may see the office gets answers that differ, and that name it: the data is there to leak."""
    await places.opened(deps, make_user, "Ontario", places.OWN)
    foreign = await places.opened(deps, make_user, places.NAME, places.FOREIGN)
    own_manager = Somebody(role="manager", signed_in=await login("zanzibar-manager@brokerage.example"))
    asked = [r for r in asking.requests(app, foreign) if r.method == "GET" or "drill" in r.route]

    before = [await answered(client, own_manager, request) for request in asked]
    await places.fill(deps, foreign)
    after = [await answered(client, own_manager, request) for request in asked]

    pairs = list(zip(asked, before, after, strict=True))
    seen = {
        r.route
        for r, one, two in pairs
        if r.route.startswith(("/api/bi/", "/api/sync/")) and shown(one) != shown(two)
    }
    assert seen >= {
        "/api/bi/dashboard-kpis", "/api/bi/revenue-intelligence", "/api/bi/bot-performance", "/api/bi/drill-down",
        "/api/bi/real-time-metrics", "/api/bi/anomaly-detection", "/api/bi/predictive-insights", "/api/sync/digests",
    }  # fmt: skip
    named = {
        r.route
        for r, _, two in pairs
        if "zanzibar 1" in two.text.lower() or "zanzibar falls" in two.text.lower()
    }
    assert named >= {"/api/bi/drill-down", "/api/bi/bot-performance"}


async def test_a_cursor_of_somebody_elses_answer_opens_nothing(
    deps: Deps, client: httpx.AsyncClient, make_user: MakeUser, login: Login
) -> None:
    await places.opened(deps, make_user, "Ontario", places.OWN)
    foreign = await places.opened(deps, make_user, places.NAME, places.FOREIGN)
    await places.fill(deps, foreign)
    await sequencer.once(deps.pool, deps.hub)
    theirs, own = [await login(f"{name}-manager@brokerage.example") for name in ("zanzibar", "ontario")]
    drill = {"component": "leads", "metric": "hot_leads", "limit": 1}
    page = await client.post("/api/bi/drill-down", json=drill, headers=theirs.headers)
    cursor = page.json()["next_cursor"]
    pulled = await client.get("/api/sync/pull", params={"limit": 1}, headers=theirs.headers)

    turned = await client.post("/api/bi/drill-down", json=drill | {"cursor": cursor}, headers=theirs.headers)
    stolen = await client.post("/api/bi/drill-down", json=drill | {"cursor": cursor}, headers=own.headers)
    feed = await client.get("/api/sync/pull", params={"cursor": pulled.json()["cursor"]}, headers=own.headers)

    assert places.leaks(foreign, turned.text)
    assert (stolen.status_code, stolen.json()["where"]) == (422, "cursor")
    assert places.leaks(foreign, feed.text) == []


def test_routes_that_are_not_asked_are_routes_that_there_are() -> None:
    there = {(method, one.path) for one in every_route() for method in one.methods}
    assert set(asking.NOT_ASKED) <= there
    assert all(any(path.startswith(start) for _, path in there) for start in asking.GLOBAL)
