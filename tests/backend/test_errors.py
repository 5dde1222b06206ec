"""Every answer that is no success has one shape, and every answer names the protocol."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import httpx
import pytest
from fastapi import APIRouter, FastAPI, Request
from pydantic import BaseModel

from backend import edge, errors
from backend.api.body import Text
from domain import errors as problems
from domain import wire

pytestmark = pytest.mark.anyio

SHAPE = {"code", "message", "where", "hint"}
router = APIRouter()


@router.get("/broken")
async def broken() -> None:
    raise RuntimeError("inner detail: jane@brokerage.example")


@router.get("/gone")
async def database_gone() -> None:
    raise asyncpg.ConnectionDoesNotExistError("connection was closed")


@router.get("/rule")
async def rule() -> None:
    raise problems.RuleError("No.", where="here", hint="Do that.")


@router.get("/wait")
async def wait() -> None:
    raise problems.TooManyTriesError("Slow down.", retry_after=1.2)


@router.get("/half")
async def half() -> AsyncIterator[bytes]:
    yield b"x"


@router.post("/size")
async def size(request: Request) -> int:
    return len(await request.body())


class Question(BaseModel):
    filters: dict[str, Text | list[Text]] = {}


@router.post("/question")
async def question(body: Question) -> None:
    """A field that may be of two kinds."""


@pytest.fixture(autouse=True)
def with_broken_routes(app: FastAPI) -> None:
    app.include_router(router)


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nowhere", 404, "not_found"),
        ("DELETE", "/health", 405, "method_not_allowed"),
        ("GET", "/api/auth/me", 401, "access"),
        ("POST", "/api/auth/login", 422, "input"),
        ("GET", "/broken", 500, "fault"),
        ("GET", "/gone", 503, "unavailable"),
        ("GET", "/rule", 409, "rule"),
        ("GET", "/wait", 429, "too_many_tries"),
    ],
)
async def test_every_error_has_the_one_shape(
    client: httpx.AsyncClient, method: str, path: str, status: int, code: str
) -> None:
    answer = await client.request(method, path)

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert set(answer.json()) == SHAPE
    assert answer.headers[wire.PROTOCOL_HEADER] == str(wire.PROTOCOL)


@pytest.mark.parametrize(("named", "said"), [("1", None), ("2", "1")])
async def test_the_protocol_is_named_to_who_did_not_name_it(
    client: httpx.AsyncClient, named: str, said: str | None
) -> None:
    answer = await client.get("/health", headers={wire.PROTOCOL_HEADER: named})

    assert answer.headers.get(wire.PROTOCOL_HEADER) == said


async def test_fault_of_ours_tells_nothing_of_the_inside(client: httpx.AsyncClient) -> None:
    answer = await client.get("/broken")

    assert "inner detail" not in answer.text
    assert "RuntimeError" not in answer.text


async def test_where_names_the_sender_s_field_and_nothing_of_ours(client: httpx.AsyncClient) -> None:
    answer = await client.post("/question", json={"filters": {"agent": 1}})

    assert answer.json()["where"] == "body.filters.agent"


async def test_wait_is_told_in_whole_seconds(client: httpx.AsyncClient) -> None:
    assert (await client.get("/wait")).headers["Retry-After"] == "2"


async def test_what_a_person_typed_is_not_sent_back(client: httpx.AsyncClient) -> None:
    answer = await client.post("/api/auth/login", data={"username": "x" * 400, "password": "hush-hush"})

    assert answer.status_code == 422
    assert "hush-hush" not in answer.text
    assert "xxx" not in answer.text


async def test_body_that_says_it_is_too_large_is_not_read(client: httpx.AsyncClient) -> None:
    answer = await client.post("/size", content=b"x", headers={"Content-Length": "999999999"})

    assert answer.status_code == 413
    assert set(answer.json()) == SHAPE


async def test_body_that_hides_its_size_is_cut_off(client: httpx.AsyncClient) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(20):
            yield b"x" * 1_000_000

    answer = await client.post("/size", content=endless())

    assert answer.status_code == 413


async def test_body_that_stops_coming_is_given_up(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(edge, "BODY_PAUSE_SECONDS", 0.1)

    async def stalls() -> AsyncIterator[bytes]:
        yield b"x"
        await asyncio.sleep(1)
        yield b"x"

    answer = await client.post("/size", content=stalls())

    assert (answer.status_code, answer.json()["code"]) == (408, "too_slow")


async def test_packed_body_is_refused(client: httpx.AsyncClient) -> None:
    answer = await client.post("/size", content=b"x", headers={"Content-Encoding": "gzip"})

    assert answer.status_code == 415


async def test_every_error_of_the_tree_has_a_status() -> None:
    assert errors.status_of(problems.NotFoundError("x")) == 404
    assert errors.status_of(problems.ImportFileError("x")) == 422
    assert errors.status_of(problems.WrongCredentialsError("x")) == 401
    assert errors.status_of(problems.JorgeError("x")) == 500
