"""/api/admin/sources: keys are shown once, scoped, and refused everywhere within seconds of being revoked."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Any

import httpx
import pytest

from backend.deps import Deps
from backend.services import sources
from backend.services.sources import Known
from domain import errors, ids
from tests.backend.api.conftest import Bot
from tests.fakes import FakeClock
from tests.serving import Login

pytestmark = pytest.mark.anyio

PATH = "/api/admin/sources"


async def test_a_new_source_shows_its_key_once_and_we_keep_its_hash(
    client: httpx.AsyncClient, admin: dict[str, str], office: str, deps: Deps
) -> None:
    body = {"name": "Seller bot", "locations": ["rancho cucamonga"], "streams": ["bot_performance"]}

    made = await client.post(PATH, json=body, headers=admin)
    listed = (await client.get(PATH, headers=admin)).json()["sources"]

    assert made.status_code == 201
    assert made.headers["Cache-Control"] == "no-store"
    key = made.json()["key"]
    assert made.json()["locations"] == [office]
    assert [one["name"] for one in listed] == ["Seller bot"]
    assert key not in repr(listed)
    assert made.json()["webhook_secret"] not in repr(listed)
    row = await deps.pool.fetchrow("SELECT * FROM event_sources")
    assert row is not None
    assert key not in repr(row)
    assert row["key_hash"] == hashlib.sha256(key.encode()).digest()


@pytest.mark.parametrize(
    ("body", "where"),
    [
        ({"name": " "}, "name"),
        ({"name": "a\nb"}, "name"),
        ({"name": "x", "locations": ["Nowhere"]}, "location"),
        ({"name": "x", "streams": ["weather"]}, "streams"),
        ({"name": "x", "config": {"other": {}}}, "config"),
        (
            {"name": "x", "config": {"gohighlevel": {"stages": {"a": "sold"}}}},
            "config.gohighlevel.stages[...]",
        ),
        (
            {"name": "x", "config": {"gohighlevel": {"locations": {"a": ids.new_id()}}}},
            "config.gohighlevel.locations.a",
        ),
        ({"name": "x", "config": {"gohighlevel": {"public_key": "rot13"}}}, "config.gohighlevel.public_key"),
    ],
)
async def test_a_source_that_makes_no_sense_is_refused_by_name(
    client: httpx.AsyncClient, admin: dict[str, str], office: str, body: dict[str, Any], where: str
) -> None:
    answer = await client.post(PATH, json=body, headers=admin)

    assert (answer.status_code, answer.json()["where"]) == (422, where)
    assert (await client.get(PATH, headers=admin)).json() == {"sources": []}


async def test_a_name_is_free_again_once_its_source_is_revoked(bot: Bot, deps: Deps) -> None:
    with pytest.raises(errors.InputError):
        await sources.create(deps, name="lead BOT")

    await sources.revoke(deps, bot.source.id)

    await sources.create(deps, name="lead BOT")


async def test_a_revoked_source_stays_in_the_list(bot: Bot, admin: dict[str, str]) -> None:
    for _ in range(2):
        answer = await bot.client.delete(f"{PATH}/{bot.source.id}", headers=admin)
        assert answer.json()["revoked_at"]

    assert [one["id"] for one in (await bot.client.get(PATH, headers=admin)).json()["sources"]] == [
        bot.source.id
    ]
    assert (await bot.client.delete(f"{PATH}/{ids.new_id()}", headers=admin)).status_code == 404


async def test_another_process_refuses_a_revoked_key_within_five_seconds(bot: Bot, deps: Deps) -> None:
    other, clock = Known(), FakeClock()
    there = replace(deps, clock=clock)
    assert await other.by_key(there, bot.key)

    await sources.revoke(deps, bot.source.id)

    assert await other.by_key(there, bot.key), "remembered for a moment"
    clock.advance(5)
    assert await other.by_key(there, bot.key) is None


async def test_a_source_is_remembered_while_the_database_is_away(bot: Bot, deps: Deps) -> None:
    known, clock = Known(), FakeClock()
    there = replace(deps, clock=clock)
    await known.by_key(there, bot.key)

    await deps.pool.close()
    clock.advance(60)

    assert await known.by_key(there, bot.key)
    with pytest.raises(sources._NO_DATABASE):
        await known.by_key(there, "jbi_another")


async def test_when_a_source_was_last_used_is_kept_to_the_minute(bot: Bot, admin: dict[str, str]) -> None:
    assert (await bot.client.get(PATH, headers=admin)).json()["sources"][0]["last_used_at"] is None

    await bot.send(bot.message())

    assert (await bot.client.get(PATH, headers=admin)).json()["sources"][0]["last_used_at"]


@pytest.mark.parametrize("path", [PATH, "/api/admin/dead-letters"])
async def test_managers_do_not_operate(
    client: httpx.AsyncClient, office: str, login: Login, path: str
) -> None:
    headers = (await login("manager@brokerage.example")).headers

    assert (await client.get(path, headers=headers)).status_code == 403
    assert (await client.get(path)).status_code == 401
