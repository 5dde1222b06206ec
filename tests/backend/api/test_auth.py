"""Signing in and out over HTTP."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from backend.deps import Deps
from backend.storage import users
from tests.fakes import FakeClock
from tests.serving import PASSWORD, Login, MakeUser

pytestmark = pytest.mark.anyio


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


async def try_login(client: httpx.AsyncClient, email: str, password: str) -> httpx.Response:
    return await client.post("/api/auth/login", data={"username": email, "password": password})


async def test_login_answers_tokens_and_who_it_is(make_user: MakeUser, login: Login) -> None:
    user = await make_user(role="agent", locations=("Rancho Cucamonga", "Ontario"))

    signed_in = await login(user.email.upper())

    assert signed_in.user["role"] == "agent"
    assert [place["name"] for place in signed_in.user["locations"]] == ["Ontario", "Rancho Cucamonga"]
    assert signed_in.answer["token_type"] == "bearer"
    assert signed_in.answer["expires_in"] == 900
    assert signed_in.answer["demo"] is False


async def test_access_token_opens_me(client: httpx.AsyncClient, make_user: MakeUser, login: Login) -> None:
    user = await make_user()
    signed_in = await login(user.email, device_id="phone-1")

    answer = await client.get("/api/auth/me", headers=signed_in.headers)

    assert answer.json()["user"]["email"] == user.email
    assert answer.json()["device_id"] == "phone-1"


async def test_admin_sees_every_location(make_user: MakeUser, login: Login) -> None:
    await make_user(locations=("Ontario", "Upland"))
    admin = await make_user(role="admin", locations=())

    signed_in = await login(admin.email)

    assert [place["name"] for place in signed_in.user["locations"]] == ["Ontario", "Upland"]


async def test_wrong_password_says_so_and_no_more(client: httpx.AsyncClient, make_user: MakeUser) -> None:
    user = await make_user()

    known = await try_login(client, user.email, "wrong")
    unknown = await try_login(client, "nobody@brokerage.example", "wrong")

    assert known.status_code == unknown.status_code == 401
    assert known.json() == unknown.json()
    assert known.json()["code"] == "wrong_credentials"
    assert known.headers["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize("email", ["a\x00b@brokerage.example", "' OR 1=1 --", "é" * 300])
async def test_odd_names_are_only_unknown(client: httpx.AsyncClient, email: str) -> None:
    assert (await try_login(client, email, "wrong")).status_code == 401


@pytest.mark.parametrize("form", [{}, {"username": "a"}, {"username": "a" * 400, "password": "b"}])
async def test_incomplete_form_names_the_field(client: httpx.AsyncClient, form: dict[str, Any]) -> None:
    answer = await client.post("/api/auth/login", data=form)

    assert answer.status_code == 422
    assert answer.json()["where"].startswith("body.")


async def test_disabled_user_is_out_at_once(
    client: httpx.AsyncClient, deps: Deps, make_user: MakeUser, login: Login
) -> None:
    user = await make_user()
    signed_in = await login(user.email)

    async with deps.pool.acquire() as connection:
        await users.disable(connection, user.id)

    assert (await client.get("/api/auth/me", headers=signed_in.headers)).status_code == 401
    assert (await try_login(client, user.email, PASSWORD)).status_code == 401


async def test_access_token_expires(
    client: httpx.AsyncClient, make_user: MakeUser, login: Login, clock: FakeClock
) -> None:
    signed_in = await login((await make_user()).email)

    clock.advance(901)
    answer = await client.get("/api/auth/me", headers=signed_in.headers)

    assert answer.status_code == 401
    assert answer.json()["code"] == "token_expired"
    assert "refresh" in answer.json()["hint"]


async def test_logout_ends_this_device_only(
    client: httpx.AsyncClient, make_user: MakeUser, login: Login
) -> None:
    user = await make_user()
    phone = await login(user.email, device_id="phone")
    desk = await login(user.email, device_id="desk")

    answer = await client.post("/api/auth/logout", headers=phone.headers)

    assert answer.status_code == 204
    assert (await client.get("/api/auth/me", headers=phone.headers)).status_code == 401
    assert (await client.get("/api/auth/me", headers=desk.headers)).status_code == 200


async def test_signing_in_again_on_a_device_ends_its_earlier_sign_in(
    client: httpx.AsyncClient, make_user: MakeUser, login: Login
) -> None:
    user = await make_user()
    earlier = await login(user.email, device_id="phone")
    later = await login(user.email, device_id="phone")

    assert (await client.get("/api/auth/me", headers=earlier.headers)).status_code == 401
    assert (await client.get("/api/auth/me", headers=later.headers)).status_code == 200


async def test_guessing_is_slowed_down_but_the_owner_elsewhere_is_not(
    client: httpx.AsyncClient, app: Any, make_user: MakeUser, clock: FakeClock
) -> None:
    user = await make_user()
    answers = [await try_login(client, user.email, "wrong") for _ in range(6)]

    assert [answer.status_code for answer in answers] == [401] * 5 + [429]
    assert int(answers[-1].headers["Retry-After"]) >= 1
    elsewhere = httpx.ASGITransport(app=app, client=("10.1.2.3", 999))
    async with httpx.AsyncClient(transport=elsewhere, base_url="http://jorge.test") as owner:
        assert (await try_login(owner, user.email, PASSWORD)).status_code == 200
    clock.advance(61)
    assert (await try_login(client, user.email, PASSWORD)).status_code == 200


async def test_guesses_sent_at_once_are_counted_like_any_others(
    client: httpx.AsyncClient, make_user: MakeUser
) -> None:
    user = await make_user()

    answers = await asyncio.gather(*(try_login(client, user.email, f"wrong {n}") for n in range(12)))

    assert sorted(answer.status_code for answer in answers) == [401] * 5 + [429] * 7


async def test_blanks_around_the_e_mail_give_no_further_guesses(
    client: httpx.AsyncClient, make_user: MakeUser
) -> None:
    user = await make_user()
    for blanks in range(5):
        await try_login(client, " " * blanks + user.email, "wrong")

    assert (await try_login(client, user.email + "  ", "wrong")).status_code == 429


async def test_tokens_are_stored_as_hashes_only(deps: Deps, make_user: MakeUser, login: Login) -> None:
    signed_in = await login((await make_user()).email)

    async with deps.pool.acquire() as connection:
        rows = await connection.fetch(
            "SELECT hash::text FROM access_tokens UNION ALL SELECT hash::text FROM refresh_tokens"
        )

    stored = " ".join(row["hash"] for row in rows)
    assert len(rows) == 2
    assert signed_in.access_token.encode().hex() not in stored
    assert signed_in.refresh_token.encode().hex() not in stored


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", "Basic YTpi", "Bearer nonsense", "Bearer \xe9"])
async def test_without_a_valid_token_nothing_opens(client: httpx.AsyncClient, header: str) -> None:
    answer = await client.get("/api/auth/me", headers=[(b"Authorization", header.encode("latin-1"))])

    assert answer.status_code == 401
    assert set(answer.json()) == {"code", "message", "where", "hint"}
