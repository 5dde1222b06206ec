"""The line to the server: whose word about a sign-in counts."""

from __future__ import annotations

import httpx
import pytest

from sync import client, session
from tests import fakes

pytestmark = pytest.mark.anyio

_EXPIRED = {"code": "token_expired", "message": "Sign in again.", "where": "sign-in", "hint": ""}


def grant(name: str) -> session.Grant:
    return session.Grant(
        user_id="u",
        name="Ann",
        email="ann@example.org",
        role="agent",
        location_ids=("l",),
        access_token=f"access {name}",
        refresh_token=f"refresh {name}",
        expires_in=900,
    )


def said(name: str) -> dict[str, object]:
    user = {"id": "u", "name": "Ann", "email": "", "role": "agent", "locations": []}
    return {
        "user": user,
        "access_token": f"access {name}",
        "refresh_token": f"refresh {name}",
        "expires_in": 9,
    }


@pytest.mark.parametrize("status", [200, 401])
async def test_a_word_about_a_former_sign_in_that_comes_late_is_passed_over(status: int) -> None:
    tokens = session.Session(fakes.FakeSecrets(), fakes.FakeClock(), "u")
    await tokens.accept(grant("old"))
    tokens.drop_access()

    async def answer(request: httpx.Request) -> httpx.Response:
        await tokens.accept(grant("new"))  # they sign in while it is under way
        return httpx.Response(status, json=said("late") if status == 200 else _EXPIRED)

    async with httpx.AsyncClient(transport=httpx.MockTransport(answer), base_url="http://x") as http:
        token = await client.Client(http, tokens).refresh()

    assert (token, await tokens.refresh_token()) == ("access new", "refresh new")
