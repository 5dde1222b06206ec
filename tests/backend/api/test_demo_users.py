"""Demo users have a known password: they work on this machine only."""

from __future__ import annotations

import dataclasses

import httpx
import pytest
from fastapi import FastAPI

from backend import app as application
from backend.deps import Deps
from backend.storage import users
from tests.serving import Login, MakeUser

pytestmark = pytest.mark.anyio


@pytest.fixture
async def demo_user(make_user: MakeUser) -> users.User:
    return await make_user(email="agent1@demo.example", password="demo", demo=True)


def from_address(app: FastAPI, address: str) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app=app, client=(address, 40_000))
    return httpx.AsyncClient(transport=transport, base_url="http://jorge.test")


async def demo_login(client: httpx.AsyncClient, **headers: str) -> httpx.Response:
    form = {"username": "agent1@demo.example", "password": "demo"}
    return await client.post("/api/auth/login", data=form, headers=headers)


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
async def test_demo_user_signs_in_from_this_machine(
    app: FastAPI, demo_user: users.User, address: str
) -> None:
    async with from_address(app, address) as client:
        answer = await demo_login(client)

    assert answer.status_code == 200
    assert answer.json()["demo"] is True


@pytest.mark.parametrize("address", ["10.0.0.7", "192.168.1.2", "2001:db8::1", ""])
async def test_demo_user_is_refused_from_elsewhere(app: FastAPI, demo_user: users.User, address: str) -> None:
    async with from_address(app, address) as client:
        answer = await demo_login(client)

    assert answer.status_code == 403
    assert "this machine" in answer.json()["message"]


@pytest.mark.parametrize("header", ["X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "Via"])
async def test_demo_user_is_refused_behind_a_proxy(app: FastAPI, demo_user: users.User, header: str) -> None:
    async with from_address(app, "127.0.0.1") as client:
        answer = await demo_login(client, **{header: "127.0.0.1"})

    assert answer.status_code == 403


async def test_demo_user_is_refused_when_the_server_is_open_to_others(
    deps: Deps, demo_user: users.User
) -> None:
    settings = deps.settings.model_copy(update={"host": "0.0.0.0"})
    open_to_others = application.create_app(dataclasses.replace(deps, settings=settings))

    async with from_address(open_to_others, "127.0.0.1") as client:
        assert (await demo_login(client)).status_code == 403


async def test_demo_tokens_do_not_travel(app: FastAPI, demo_user: users.User, login: Login) -> None:
    signed_in = await login(demo_user.email, "demo")

    async with from_address(app, "10.0.0.7") as client:
        me = await client.get("/api/auth/me", headers=signed_in.headers)
        again = await client.post("/api/auth/refresh", json={"refresh_token": signed_in.refresh_token})

    assert (me.status_code, again.status_code) == (403, 403)


async def test_demo_and_real_locations_never_mix(make_user: MakeUser, login: Login) -> None:
    await make_user(locations=("Real Office",))
    demo_admin = await make_user("admin", ("Demo Office",), email="admin@demo.example", demo=True)
    real_admin = await make_user("admin", ())

    demo_sees = (await login(demo_admin.email)).user["locations"]
    real_sees = (await login(real_admin.email)).user["locations"]

    assert [place["name"] for place in demo_sees] == ["Demo Office"]
    assert [place["name"] for place in real_sees] == ["Real Office"]
