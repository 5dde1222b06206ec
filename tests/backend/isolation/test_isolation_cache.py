"""A warm cache never gives anybody the answer of another office: two managers and an administrator take turns."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from backend.deps import Deps
from backend.jobs import remembering
from backend.settings import Settings
from domain import ports
from tests.backend.cache.running import running_job
from tests.backend.isolation import asking, places
from tests.backend.isolation.asking import Request
from tests.backend.isolation.places import Place, Somebody
from tests.backend.isolation.test_isolation import answered, shown
from tests.fakes import FakeClock
from tests.serving import Login, MakeUser

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(600)]

CACHED = (
    "/api/bi/dashboard-kpis", "/api/bi/revenue-intelligence", "/api/bi/bot-performance", "/api/bi/drill-down",
    "/api/bi/anomaly-detection", "/api/bi/predictive-insights",
)  # fmt: skip
ROUNDS = 3


@pytest.fixture
def clock() -> ports.Clock:
    return FakeClock(datetime.now(UTC))


@pytest.fixture
def server_settings(server_settings: Settings) -> Settings:
    return server_settings.model_copy(update={"bi_rate_limit": 0})


async def test_answers_out_of_the_cache_are_ones_own(
    app: FastAPI, client: httpx.AsyncClient, make_user: MakeUser, login: Login
) -> None:
    deps: Deps = app.state.deps
    own = await places.opened(deps, make_user, "Ontario", places.OWN)
    foreign = await places.opened(deps, make_user, places.NAME, places.FOREIGN)
    for place in (own, foreign):
        await places.fill(deps, place)
    admin = await make_user("admin", (), email="admin@brokerage.example")
    emails = ["ontario-manager@brokerage.example", "zanzibar-manager@brokerage.example", admin.email]
    one, other, both = [Somebody(role="manager", signed_in=await login(email)) for email in emails]
    asked = [
        r
        for r in asking.requests(app, foreign)
        if r.route in CACHED and not r.names and "force_refresh" not in r.query
    ]

    plain = {str(r): [shown(await answered(client, who, r)) for who in (one, other, both)] for r in asked}
    hits = 0
    async with running_job(deps, remembering.run):
        for _ in range(ROUNDS):
            for request in asked:
                for number, who in enumerate((one, other, both)):
                    answer = await answered(client, who, request)
                    assert shown(answer) == plain[str(request)][number], str(request)
                    hits += _hit(answer)
                    if who is one:
                        assert places.leaks(foreign, answer.text) == []
                hits += await _seen_as(client, both, own, foreign, request)

    assert hits > len(asked) * (ROUNDS - 1) * 3 * 0.9, "the cache was warm"


async def _seen_as(
    client: httpx.AsyncClient, admin: Somebody, own: Place, foreign: Place, request: Request
) -> int:
    """An administrator who asks as a manager of one office gets that one's answer."""
    answer = await client.request(
        request.method,
        request.path,
        params={**request.query, "view_as": own.office.id},
        headers=admin.headers,
        json=request.body,
    )
    assert answer.status_code == 200
    assert places.leaks(foreign, answer.text) == []
    return _hit(answer)


def _hit(answer: httpx.Response) -> int:
    said: Any = answer.json()
    return int(isinstance(said, dict) and bool(said.get("cache_hit")))
