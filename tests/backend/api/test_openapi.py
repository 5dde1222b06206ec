"""The OpenAPI document says of every route who may call it, what comes back, also when something is wrong, and what parameters mean."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from backend.api.openapi_examples import ANSWERS
from tests.routes import every_route
from tests.serving import Login, MakeUser

pytestmark = pytest.mark.anyio

FOR_PROGRAMS = ("/api/bi", "/api/admin", "/api/events", "/api/webhooks", "/ws", "/health", "/ready")
"""Routes with an example of the good answer: sync and uploads are the app's own (docs/sync.md), /metrics is text."""
OPEN = ("/health", "/ready", "/api/auth/", "/api/events/schemas", "/ws/bi/health", "/ws/bi/schema")
Operation = dict[str, Any]


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, Operation]]:
    for path, told in document["paths"].items():
        for method, operation in told.items():
            yield method.upper(), path, operation


@pytest.fixture
def document(app: FastAPI) -> dict[str, Any]:
    return app.openapi()


async def test_every_route_says_who_may_call_it(document: dict[str, Any]) -> None:
    told_of = [(method, path, told["security"]) for method, path, told in operations(document)]
    open_to_all = [path for method, path, security in told_of if security == [] and method != "OPTIONS"]
    schemes = document["components"]["securitySchemes"]

    assert [path for path in open_to_all if not path.startswith(OPEN)] == []
    assert {name for _, _, told in operations(document) for one in told["security"] for name in one} == set(
        schemes
    )


async def test_every_problem_is_in_the_one_shape(document: dict[str, Any]) -> None:
    shapes = {
        str(answer["content"]["application/json"]["schema"].get("$ref"))
        for _, path, told in operations(document)
        for status, answer in told["responses"].items()
        if status >= "400" and not (path == "/api/events" and status == "422")  # says each event's fault too
    }

    assert shapes == {"#/components/schemas/Problem"}
    assert "HTTPValidationError" not in document["components"]["schemas"]


async def test_a_route_for_the_signed_in_says_how_it_refuses(document: dict[str, Any]) -> None:
    lacking = [
        (method, path)
        for method, path, told in operations(document)
        if path.startswith(("/api/bi", "/api/admin"))
        and not {"401", "403", "429", "503"} <= told["responses"].keys()
    ]

    assert lacking == []


async def test_every_route_has_words_an_example_and_words_for_its_parameters(
    document: dict[str, Any],
) -> None:
    lacking = [
        f"{method} {path}"
        for method, path, told in operations(document)
        if not told.get("description")
        or not all(one.get("description") for one in told.get("parameters", ()))
    ]
    unshown = [
        f"{method} {path}"
        for method, path, told in operations(document)
        if path.startswith(FOR_PROGRAMS)
        and not any(
            {"example", "examples"} & media.keys()
            for media in told["responses"].get("200", told["responses"].get("201"))["content"].values()
        )
    ]

    assert (lacking, unshown) == ([], [])


async def test_examples_belong_to_routes_and_look_like_their_answers(
    client: httpx.AsyncClient, make_user: MakeUser, login: Login
) -> None:
    boss = await login((await make_user("admin")).email)
    known = {f"{method} {one.path}" for one in every_route() for method in one.methods}
    unlike = {}
    for name, example in ANSWERS.items():
        method, path = name.split(" ")
        if method == "GET" and "{" not in path and path != "/ws/bi/schema":
            answer = (await client.get(path, headers=boss.headers)).json()
            if missing := example.keys() - answer.keys():
                unlike[name] = missing

    assert set(ANSWERS) <= known
    assert unlike == {}
