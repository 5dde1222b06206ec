"""Signing in, refreshing, signing out."""

from __future__ import annotations

import httpx
import pytest

from tests.serving import Login, MakeUser

pytestmark = pytest.mark.anyio


async def test_login_answers_tokens_and_who_it_is(make_user: MakeUser, login: Login) -> None:
    user = await make_user(role="agent", locations=("Rancho Cucamonga", "Ontario"))

    signed_in = await login(user.email)

    assert signed_in.user["role"] == "agent"
    assert [place["name"] for place in signed_in.user["locations"]] == ["Ontario", "Rancho Cucamonga"]
    assert signed_in.answer["token_type"] == "bearer"
    assert signed_in.answer["expires_in"] == 900


async def test_access_token_opens_me(client: httpx.AsyncClient, make_user: MakeUser, login: Login) -> None:
    user = await make_user()
    signed_in = await login(user.email)

    answer = await client.get("/api/auth/me", headers=signed_in.headers)

    assert answer.json()["user"]["email"] == user.email
