"""Who may do what: the matrix as a table, and no route without a permission."""

from __future__ import annotations

from typing import Annotated

import httpx
import pytest
from fastapi import APIRouter, FastAPI

from backend import app as application
from backend import policy
from backend.actor import Actor, Role
from backend.api import access
from backend.deps import Deps
from backend.policy import Permission
from backend.services import audit
from tests.routes import Found, every_route
from tests.serving import Login, MakeUser

MATRIX = """
see_kpis         agent -  manager x  admin x
see_money        agent -  manager x  admin x
see_bots         agent -  manager x  admin x
see_leads_behind agent -  manager x  admin x
send_events      agent -  manager x  admin x
warm_cache       agent -  manager x  admin x
aggregate        agent -  manager x  admin x
operate          agent -  manager -  admin x
view_as          agent -  manager -  admin x
see_audit        agent -  manager -  admin x
"""

OPEN = {
    "/api/events": "a source's key or a person's sign-in: sources.sender_of_person checks SEND_EVENTS",
    "/api/events/schemas": "what events look like is no secret",
    "/api/events/schemas/{stream}/{version}": "what events look like is no secret",
    "/api/webhooks/gohighlevel/{source_id}": "signed with the source's secret",
    "/ws/sync": "everybody's own changes, each socket by its person's locations",
    "/ws/ticket": "for anybody signed in: what it opens is checked there",
    "/ws/bi/health": "whether the channels live, no figures",
    "/ws/bi/schema": "what messages look like is no secret",
}
"""Routes that name no permission, and why not."""
GUARDED = ("/api/bi", "/api/admin", "/api/events", "/api/webhooks", "/ws")

NAMED = [one for one in every_route() if one.path.startswith(GUARDED) and one.path not in OPEN]


def test_the_matrix_is_what_it_says_here() -> None:
    found = "\n".join(
        f"{permission:16} "
        + "  ".join(f"{role} {'x' if policy.may(role, permission) else '-'}" for role in Role)
        for permission in Permission
    )

    assert found == MATRIX.strip()


@pytest.mark.parametrize("one", NAMED, ids=str)
def test_every_route_names_a_permission(one: Found) -> None:
    assert access.rule_of(one.route) is not None, f"{one}: give it access.Allowed, Viewer or opens"


def test_the_exceptions_are_routes_that_there_are() -> None:
    assert {one.path for one in every_route()} >= set(OPEN)


def test_every_route_knows_its_whole_path() -> None:
    """Logs, metrics and the audit log name a route by it, and FastAPI tells it without the prefix of whoever includes it."""
    assert [str(one) for one in every_route() if one.route.path != one.path] == []


def test_masks_tell_the_roles_apart() -> None:
    assert policy.mask(Role.AGENT) == 0
    assert policy.mask(Role.MANAGER) < policy.mask(Role.ADMIN)


@pytest.fixture
def app(deps: Deps) -> FastAPI:
    """The server with two routes more."""
    made = application.create_app(deps)
    router = APIRouter()

    @router.get("/api/bi/money")
    async def money(
        viewer: Annotated[Actor, access.Viewer(Permission.SEE_MONEY, cost=400)], location_id: str = ""
    ) -> dict[str, object]:
        return {"role": viewer.role, "locations": sorted(viewer.locations)}

    @router.get("/api/admin/thing")
    async def thing(actor: Annotated[Actor, access.Allowed(Permission.OPERATE)]) -> dict[str, str]:
        return {"me": actor.id}

    made.include_router(router)
    return made


async def recorded(deps: Deps) -> list[tuple[str, ...]]:
    found = [audit.decoded(line, deps.clock.now()) for line in deps.audit.rest()]
    return [(one.action, one.outcome, one.resource, one.detail) for one in found]


@pytest.mark.anyio
async def test_a_route_takes_those_who_may_and_writes_down_both(
    client: httpx.AsyncClient, make_user: MakeUser, login: Login, deps: Deps
) -> None:
    agent = await login((await make_user("agent")).email)
    manager = await login((await make_user("manager")).email)

    refused = await client.get("/api/bi/money", headers=agent.headers)
    taken = await client.get("/api/bi/money", headers=manager.headers)

    assert (refused.status_code, refused.json()["code"], taken.status_code) == (403, "forbidden", 200)
    assert await recorded(deps) == [
        ("see_money", "refused", "GET /api/bi/money", "{}"),
        ("see_money", "allowed", "GET /api/bi/money", "{}"),
    ]


@pytest.mark.anyio
async def test_a_read_of_one_location_is_recorded_in_its_chain(
    client: httpx.AsyncClient, make_user: MakeUser, login: Login, deps: Deps
) -> None:
    boss = await login((await make_user("admin", ("Ontario", "Upland"))).email)
    place = boss.user["locations"][0]["id"]

    await client.get("/api/bi/money", params={"location_id": place, "name": "Jane"}, headers=boss.headers)

    entry = audit.decoded(deps.audit.rest()[0], deps.clock.now())
    assert entry.chain == place
    assert "Jane" not in entry.detail


@pytest.mark.anyio
async def test_who_asks_for_a_location_of_others_is_refused_and_that_is_written_down(
    client: httpx.AsyncClient, make_user: MakeUser, login: Login, deps: Deps
) -> None:
    manager = await login((await make_user("manager", ("Ontario",))).email)
    place = (await login((await make_user("manager", ("Upland",))).email)).user["locations"][0]["id"]
    body = {"component": "bots", "metric": "bot_success", "location_id": place}

    asked = await client.get("/api/bi/money", params={"location_id": place}, headers=manager.headers)
    as_other = await client.get("/api/bi/money", params={"view_as": place}, headers=manager.headers)
    drilled = await client.post("/api/bi/drill-down", json=body, headers=manager.headers)

    assert [one.status_code for one in (asked, as_other, drilled)] == [403, 403, 403]
    assert [entry[:3] for entry in await recorded(deps)] == [
        ("see_money", "refused", "GET /api/bi/money"),
        ("see_money", "refused", "GET /api/bi/money"),
        ("see_kpis", "refused", "POST /api/bi/drill-down"),
    ]


@pytest.mark.anyio
async def test_administrator_sees_as_a_manager_of_some_locations(
    client: httpx.AsyncClient, make_user: MakeUser, login: Login, deps: Deps
) -> None:
    boss = await login((await make_user("admin", ("Ontario", "Upland"))).email)
    manager = await login((await make_user("manager", ("Ontario",))).email)
    place = manager.user["locations"][0]["id"]

    seen = await client.get("/api/bi/money", params={"view_as": place}, headers=boss.headers)
    foreign = await client.get("/api/bi/money", params={"view_as": "x"}, headers=boss.headers)
    not_he = await client.get("/api/bi/money", params={"view_as": place}, headers=manager.headers)

    assert seen.json() == {"role": "manager", "locations": [place]}
    assert (foreign.status_code, not_he.status_code) == (403, 403)
    assert [line for line in await recorded(deps) if place in line[3]] == [
        ("see_money", "allowed", "GET /api/bi/money", f'{{"view_as":"{place}"}}'),
        ("see_money", "refused", "GET /api/bi/money", f'{{"view_as":"{place}"}}'),
    ]


@pytest.mark.anyio
async def test_whoever_asks_too_much_is_told_when_to_come_again(
    client: httpx.AsyncClient, make_user: MakeUser, login: Login
) -> None:
    greedy = await login((await make_user("manager")).email)
    other = await login((await make_user("manager")).email)

    answers = [await client.get("/api/bi/money", headers=greedy.headers) for _ in range(4)]
    others = await client.get("/api/bi/money", headers=other.headers)
    synced = await client.get("/api/sync/status", headers=greedy.headers)

    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert set(answers[-1].json()) == {"code", "message", "where", "hint"}
    assert 1 <= int(answers[-1].headers["Retry-After"]) <= 60
    assert others.status_code == 200
    assert synced.status_code != 429
