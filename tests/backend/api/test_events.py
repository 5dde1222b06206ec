"""POST /api/events: who may send what, in which form, and what is said about what is not taken."""

from __future__ import annotations

import gzip
import json

import httpx
import pytest
import zstandard

from backend.deps import Deps
from backend.events import STREAMS
from backend.services import audit, events, sources
from backend.stream import entries
from domain import ids
from tests.backend.api.conftest import Bot
from tests.backend.events import samples
from tests.serving import Login, MakeUser

pytestmark = pytest.mark.anyio


def codes(answer: httpx.Response) -> list[tuple[int, str, str]]:
    return [(one["index"], one["code"], one["where"]) for one in answer.json()["rejected"]]


async def test_a_batch_is_queued_in_the_streams_that_its_events_name(bot: Bot, deps: Deps) -> None:
    sent = [bot.message(), bot.turn(), bot.deal(), bot.message(stream=...)]

    answer = await bot.send(*sent)

    assert answer.status_code == 202
    assert answer.json() == {"accepted": 4, "stored": False, "rejected": []}
    assert {one["event_id"] for one in await samples.queued(deps.valkey)} == {one["event_id"] for one in sent}
    assert await deps.valkey.xlen("bi:stream:lead_interactions") == 1


async def test_entries_carry_the_key_number_of_their_source(bot: Bot, deps: Deps) -> None:
    await bot.send(bot.message())

    (fields,) = await samples.lying(deps.valkey, "bi:stream:lead_interactions")

    assert fields[entries.SOURCE] == str(bot.source.key).encode()


async def test_one_object_and_lines_are_taken_as_well(bot: Bot, deps: Deps) -> None:
    one = json.dumps(bot.message()).encode()

    assert (await bot.send(content=one)).json()["accepted"] == 1
    lines = {"Content-Type": "application/x-ndjson; charset=utf-8"}
    assert (await bot.send(content=one + b"\n" + one + b"\n", headers=lines)).json()["accepted"] == 2
    assert len(await samples.queued(deps.valkey)) == 3


async def test_a_bad_event_never_stops_the_others(bot: Bot, deps: Deps) -> None:
    bad = bot.message(temperature="boiling")

    answer = await bot.send(bot.message(), bad, bot.turn())

    assert answer.status_code == 202
    assert answer.json()["accepted"] == 2
    (told,) = answer.json()["rejected"]
    assert (told["index"], told["event_id"], told["code"], told["where"]) == (
        1,
        bad["event_id"],
        "schema",
        "temperature",
    )
    assert len(await samples.queued(deps.valkey)) == 2


async def test_where_nothing_is_acceptable_the_answer_is_a_problem(bot: Bot, deps: Deps) -> None:
    answer = await bot.send(bot.message(occurred_at=samples.at(minutes=-5)), 7)

    assert answer.status_code == 422
    assert answer.json()["code"] == "rejected"
    assert codes(answer) == [(0, "clock", "occurred_at"), (1, "schema", "")]
    assert not await samples.queued(deps.valkey)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"[", b"\x00"])
async def test_a_body_with_nothing_in_it_is_said_to_be_so(bot: Bot, body: bytes) -> None:
    answer = await bot.send(content=body or b" ")

    assert answer.status_code == 422
    assert answer.json()["where"] == "body"


async def test_too_many_events_are_refused_whole(
    bot: Bot, monkeypatch: pytest.MonkeyPatch, deps: Deps
) -> None:
    monkeypatch.setattr(events, "MOST_EVENTS", 3)

    assert (await bot.send(*[bot.message()] * 4)).status_code == 422
    assert (await bot.send(*[bot.message()] * 3)).status_code == 202
    assert len(await samples.queued(deps.valkey)) == 3


async def test_a_foreign_location_and_one_that_is_not_there_get_the_same_answer(
    bot: Bot, elsewhere: str
) -> None:
    answer = await bot.send(
        bot.message(location_id=elsewhere), bot.message(location_id=ids.new_id()), bot.message()
    )

    foreign, unknown = ({**one, "index": 0, "event_id": ""} for one in answer.json()["rejected"])
    assert foreign == unknown
    assert foreign["code"] == "forbidden"
    assert answer.json()["accepted"] == 1


async def test_what_concerns_every_office_takes_a_source_of_every_office(
    bot: Bot, client: httpx.AsyncClient, deps: Deps
) -> None:
    _, key = await sources.create(deps, name="Watchdog")
    everywhere = samples.health(location_id=...)

    assert codes(await bot.send(everywhere)) == [(0, "forbidden", "location_id")]
    assert (await bot.send(everywhere, headers={"X-API-Key": key})).status_code == 202


async def test_a_source_of_every_office_knows_one_that_was_just_opened(bot: Bot, deps: Deps) -> None:
    _, key = await sources.create(deps, name="Everything")
    headers, opened = {"X-API-Key": key}, ids.new_id()
    assert (await bot.send(bot.message(), headers=headers)).status_code == 202
    assert (await bot.send(bot.message(location_id=opened), headers=headers)).status_code == 422

    await deps.pool.execute("INSERT INTO locations (id, name) VALUES ($1, 'Seattle')", opened)

    assert (await bot.send(bot.message(location_id=opened), headers=headers)).status_code == 202


async def test_a_source_sends_to_its_streams_only(bot: Bot, deps: Deps, office: str) -> None:
    _, key = await sources.create(deps, name="Talker", locations=[office], streams=["bot_performance"])

    answer = await bot.send(bot.turn(), bot.deal(), headers={"X-API-Key": key})

    assert answer.json()["accepted"] == 1
    assert codes(answer) == [(1, "forbidden", "stream")]


async def test_a_key_is_taken_as_a_bearer_token_too(bot: Bot) -> None:
    headers = {"Authorization": f"Bearer {bot.key}", "Content-Type": "application/json"}

    answer = await bot.client.post("/api/events?wait=0", content=samples.body(bot.message()), headers=headers)

    assert answer.status_code == 202


@pytest.mark.parametrize(
    "headers", [{}, {"X-API-Key": "jbi_wrong"}, {"Authorization": "Bearer jbi_wrong"}, {"X-API-Key": "\xff"}]
)
async def test_without_a_known_key_nothing_is_taken(bot: Bot, deps: Deps, headers: dict[str, str]) -> None:
    said = {"Content-Type": "application/json"} | headers

    answer = await bot.client.post(
        "/api/events",
        content=samples.body(bot.message()),
        headers=httpx.Headers([(name, value.encode("latin-1")) for name, value in said.items()]),  # type: ignore[arg-type]
    )

    assert answer.status_code == 401
    assert not await samples.queued(deps.valkey)


async def test_a_revoked_key_is_refused_at_once(bot: Bot, deps: Deps) -> None:
    assert (await bot.send(bot.message())).status_code == 202

    await sources.revoke(deps, bot.source.id)

    assert (await bot.send(bot.message())).status_code == 401


async def test_a_manager_sends_for_their_own_locations_and_an_agent_for_none(
    bot: Bot, elsewhere: str, make_user: MakeUser, login: Login, deps: Deps
) -> None:
    await make_user("agent", ["Rancho Cucamonga"], email="agent@brokerage.example")
    manager = (await login("manager@brokerage.example")).headers | {"Content-Type": "application/json"}
    agent = (await login("agent@brokerage.example")).headers | {"Content-Type": "application/json"}
    content = samples.body(bot.message(), bot.message(location_id=elsewhere), samples.health(location_id=...))

    answer = await bot.client.post("/api/events?wait=0", content=content, headers=manager)

    assert codes(answer) == [(1, "forbidden", "location_id"), (2, "forbidden", "location_id")]
    assert (await bot.client.post("/api/events", content=content, headers=agent)).status_code == 403
    entry = audit.decoded(deps.audit.rest()[-1], deps.clock.now())
    assert (entry.action, entry.outcome) == ("send_events", "refused")


async def test_bodies_may_come_packed(bot: Bot, deps: Deps) -> None:
    body = samples.body(*[bot.message() for _ in range(50)])

    for name, packed in (("gzip", gzip.compress(body)), ("zstd", zstandard.compress(body))):
        answer = await bot.send(content=packed, headers={"Content-Encoding": name})
        assert answer.json()["accepted"] == 50, name

    assert len(await samples.queued(deps.valkey)) == 100


async def test_a_bomb_is_refused_before_it_unfolds(bot: Bot) -> None:
    bomb = b" " * (64 * 1024 * 1024)

    for name, packed in (("gzip", gzip.compress(bomb)), ("zstd", zstandard.compress(bomb))):
        answer = await bot.send(content=packed, headers={"Content-Encoding": name})
        assert (answer.status_code, answer.json()["code"]) == (413, "too_large")


@pytest.mark.parametrize(
    ("headers", "content", "status"),
    [
        ({"Content-Encoding": "gzip"}, b"no gzip", 400),
        ({"Content-Encoding": "zstd"}, zstandard.compress(b"[" * 999)[:-3], 400),
        ({"Content-Encoding": "br"}, b"x", 415),
        ({"Content-Type": "text/xml"}, b"<a/>", 415),
    ],
)
async def test_a_damaged_or_foreign_body_is_said_to_be_so(
    bot: Bot, headers: dict[str, str], content: bytes, status: int
) -> None:
    assert (await bot.send(content=content, headers=headers)).status_code == status


@pytest.mark.parametrize("wait", ["-1", "31", "nan", "x"])
async def test_wait_has_a_range(bot: Bot, wait: str) -> None:
    assert (await bot.send(bot.message(), wait=wait)).status_code == 422  # type: ignore[arg-type]


async def test_too_much_waiting_answers_come_again_and_takes_nothing(bot: Bot, deps: Deps) -> None:
    deps.line.full = True

    answer = await bot.send(bot.message())

    assert (answer.status_code, answer.json()["code"]) == (503, "backlog")
    assert int(answer.headers["Retry-After"]) > 0
    assert not await samples.queued(deps.valkey)


async def test_the_schemas_are_published(client: httpx.AsyncClient) -> None:
    listed = (await client.get("/api/events/schemas")).json()["schemas"]

    assert set(listed) == set(STREAMS)
    for address in listed.values():
        assert (await client.get(address)).json()["$id"] == address
    assert (await client.get("/api/events/schemas/weather/v1")).status_code == 404
    assert (await client.get("/api/events/schemas/lead_interactions/v2")).status_code == 404


async def test_the_api_documents_what_it_takes(client: httpx.AsyncClient) -> None:
    operation = (await client.get("/openapi.json")).json()["paths"]["/api/events"]["post"]

    content = operation["requestBody"]["content"]
    assert set(content) == {"application/json", "application/x-ndjson"}
    assert content["application/json"]["examples"]
    assert {"200", "202", "401", "413", "422", "503"} <= set(operation["responses"])
