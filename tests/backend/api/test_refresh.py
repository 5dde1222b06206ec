"""Staying signed in: rotation, the lost answer, and the stolen copy."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from backend.deps import Deps
from tests.fakes import FakeClock
from tests.serving import Login, MakeUser, SignedIn

pytestmark = pytest.mark.anyio


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
async def first(make_user: MakeUser, login: Login) -> SignedIn:
    return await login((await make_user()).email, device_id="phone")


async def refresh(client: httpx.AsyncClient, token: str, device_id: str = "") -> httpx.Response:
    body = {"refresh_token": token, "device_id": device_id}
    return await client.post("/api/auth/refresh", json=body)


async def opens(client: httpx.AsyncClient, access_token: str) -> bool:
    answer = await client.get("/api/auth/me", headers={"Authorization": f"Bearer {access_token}"})
    return answer.status_code == 200


async def test_refresh_gives_new_tokens_that_work(client: httpx.AsyncClient, first: SignedIn) -> None:
    answer = await refresh(client, first.refresh_token)

    assert answer.status_code == 200
    assert answer.json()["refresh_token"] != first.refresh_token
    assert answer.json()["user"] == first.user
    assert await opens(client, answer.json()["access_token"])
    assert await opens(client, first.access_token), "requests under way keep their token until it expires"


async def test_answer_lost_in_a_tunnel_may_be_asked_for_again(
    client: httpx.AsyncClient, first: SignedIn
) -> None:
    lost = await refresh(client, first.refresh_token)

    again = await refresh(client, first.refresh_token)

    assert again.status_code == 200
    assert await opens(client, again.json()["access_token"])
    assert not await opens(client, lost.json()["access_token"]), "the child that got lost is taken back"
    assert (await refresh(client, again.json()["refresh_token"])).status_code == 200


async def test_parent_after_its_child_was_used_ends_the_sign_in(
    client: httpx.AsyncClient, first: SignedIn
) -> None:
    second = (await refresh(client, first.refresh_token)).json()
    third = (await refresh(client, second["refresh_token"])).json()

    stolen = await refresh(client, first.refresh_token)

    assert stolen.status_code == 401
    assert (await refresh(client, third["refresh_token"])).status_code == 401
    assert not await opens(client, third["access_token"])


async def test_child_that_was_taken_back_ends_the_sign_in(client: httpx.AsyncClient, first: SignedIn) -> None:
    lost = (await refresh(client, first.refresh_token)).json()
    again = (await refresh(client, first.refresh_token)).json()

    assert (await refresh(client, lost["refresh_token"])).status_code == 401
    assert (await refresh(client, again["refresh_token"])).status_code == 401


async def test_token_on_another_device_ends_the_sign_in(client: httpx.AsyncClient, first: SignedIn) -> None:
    assert (await refresh(client, first.refresh_token, "thief")).status_code == 401
    assert (await refresh(client, first.refresh_token, "phone")).status_code == 401


async def test_other_sign_ins_of_the_person_go_on(
    client: httpx.AsyncClient, first: SignedIn, login: Login
) -> None:
    desk = await login(first.user["email"], device_id="desk")
    await refresh(client, first.refresh_token, "thief")

    assert (await refresh(client, desk.refresh_token)).status_code == 200


async def test_unused_device_must_sign_in_again(
    client: httpx.AsyncClient, first: SignedIn, clock: FakeClock
) -> None:
    clock.advance(61 * 86_400)
    answer = await refresh(client, first.refresh_token)

    assert answer.status_code == 401
    assert answer.json()["code"] == "token_expired"
    assert "Sign in again" in answer.json()["hint"]


async def test_even_a_busy_device_signs_in_again_after_half_a_year(
    client: httpx.AsyncClient, first: SignedIn, clock: FakeClock
) -> None:
    token = first.refresh_token
    for _ in range(3):
        clock.advance(50 * 86_400)
        token = (await refresh(client, token)).json()["refresh_token"]
    clock.advance(31 * 86_400)

    assert (await refresh(client, token)).status_code == 401


async def test_fifty_at_once_leave_one_live_token(
    client: httpx.AsyncClient, deps: Deps, first: SignedIn
) -> None:
    answers = await asyncio.gather(*(refresh(client, first.refresh_token) for _ in range(50)))

    async with deps.pool.acquire() as connection:
        live = await connection.fetchval(
            "SELECT count(*) FROM refresh_tokens WHERE used_at IS NULL AND dropped_at IS NULL"
        )
    assert {answer.status_code for answer in answers} == {200}
    assert live == 1
    works = [await opens(client, answer.json()["access_token"]) for answer in answers]
    assert works.count(True) == 1


@pytest.mark.parametrize(
    "body", ["{}", '{"refresh_token": 1}', "[1", '{"refresh_token": "a\\u0000"}', "nonsense"]
)
async def test_unreadable_body_is_refused(client: httpx.AsyncClient, body: str) -> None:
    answer = await client.post(
        "/api/auth/refresh", content=body, headers={"Content-Type": "application/json"}
    )

    assert answer.status_code == 422
    assert set(answer.json()) == {"code", "message", "where", "hint"}
