"""The OpenAPI document, completed by what the routes demand: who may call, which problems come back, examples, words for parameters.

Each route says what is its own; what follows from its dependencies (a sign-in, a permission) or holds for all of them is said
here, so that no route can forget it. `tests/backend/api/test_openapi.py` finds a route that lacks something.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute

from backend.api import access, deps, problems
from backend.api.openapi_examples import ANSWERS

ABOUT = (
    "Figures, events and live channels of a brokerage. Every error is `{code, message, where, hint}`; programs read `code`. "
    "Live channels (`/ws/…`) are described in docs/live.md and `GET /ws/bi/schema`."
)
SIGN_IN, SOURCE, SIGNATURE = "signIn", "sourceKey", "signature"
SCHEMES: Mapping[str, Mapping[str, str]] = {
    SIGN_IN: {
        "type": "http",
        "scheme": "bearer",
        "description": "The access token of `POST /api/auth/login`; also a source's key (`jbi_…`) for `POST /api/events`.",
    },
    SOURCE: {"type": "apiKey", "in": "header", "name": "X-API-Key", "description": "A source's key."},
    SIGNATURE: {
        "type": "apiKey",
        "in": "header",
        "name": "X-Webhook-Signature",
        "description": "`sha256=` and the HMAC-SHA256 of the body; or HighLevel's own X-GHL-Signature, X-WH-Signature.",
    },
}
SECURITY: Mapping[str, Sequence[Mapping[str, Sequence[str]]]] = {
    "/api/events": [{SOURCE: []}, {SIGN_IN: []}],
    "/api/webhooks/gohighlevel/{source_id}": [{SIGNATURE: []}],
    "/metrics": [{}, {SIGN_IN: []}],
}
"""Of routes that tell for themselves who may call."""
WORDS: Mapping[str, str] = {
    "action": "What was done, such as `see_kpis`; empty: all.",
    "actor_id": "Whose entries.",
    "alert_id": "The id that the alert came with.",
    "content": "1: sums over what rows hold, not over their versions.",
    "content-type": "Of the part that is sent.",
    "cursor": "Where the last answer ended; none at first.",
    "id_or_sha256": "The recording's id, or the SHA-256 of its bytes.",
    "limit": "At most so many.",
    "location_id": "Of this location only.",
    "pid": "The process id that `GET /api/admin/queries` tells.",
    "ranges": "Ranges of ids, as `GET /api/sync/digests` tells them.",
    "reason": "Only those refused for this; empty: all.",
    "scope": "The location whose rows are meant.",
    "source_id": "The source's id.",
    "stream": "A stream's name, such as `lead_interactions`.",
    "table": "A synced table's name.",
    "tus-resumable": "The version of tus: 1.0.0.",
    "upload-checksum": "`sha256` and the sum of this part.",
    "upload-length": "Bytes of the whole recording.",
    "upload-metadata": "What the recording is, as tus writes it.",
    "upload-offset": "Where this part begins.",
    "upload_id": "The id that `POST /api/uploads` gave.",
    "version": "`v1`.",
    "whole": "1: whole rows, not only the fields that changed.",
    "X-Jorge-Device": "The device's id.",
    "X-Jorge-Queue": "How much waits on the device.",
    "X-Jorge-Schema": "The version of the synced tables that the device knows.",
}
"""What a parameter is, where its route does not say so."""
_PROBLEM = {"$ref": "#/components/schemas/Problem"}
_FRAMEWORKS_OWN = ("HTTPValidationError", "ValidationError")


class Documented(FastAPI):
    """An application whose document is complete."""

    def openapi(self) -> dict[str, Any]:
        if self.openapi_schema is None:
            made = super().openapi()
            for path, route in _endpoints(self.routes, ""):
                for method in route.methods or ():
                    if told := made["paths"].get(path, {}).get(method.lower()):
                        _complete(told, method, path, route)
            made["info"]["description"] = ABOUT
            made["components"]["securitySchemes"] = dict(SCHEMES)
            made["components"]["schemas"].setdefault("Problem", problems.Problem.model_json_schema())
            for name in _FRAMEWORKS_OWN:
                made["components"]["schemas"].pop(name, None)
        assert self.openapi_schema is not None
        return self.openapi_schema


def _endpoints(routes: Sequence[BaseRoute], prefix: str) -> Iterator[tuple[str, APIRoute]]:
    for route in routes:
        if isinstance(route, APIRoute):
            yield prefix + route.path, route
        elif inner := getattr(route, "original_router", None):  # FastAPI keeps included routers as they are
            context = getattr(route, "include_context", None)
            yield from _endpoints(inner.routes, prefix + getattr(context, "prefix", ""))


def _complete(told: dict[str, Any], method: str, path: str, route: APIRoute) -> None:
    signed_in = _asks(route.dependant, deps.current_user)
    told.setdefault("security", SECURITY.get(path, [{SIGN_IN: []}] if signed_in else []))
    told.setdefault("description", told.get("summary", ""))
    answers: dict[str, Any] = told["responses"]
    for number in _problems(signed_in=signed_in, rule=access.rule_of(route)):
        answers.setdefault(str(number), {"description": problems.SAID[number]})
    for status, answer in answers.items():
        if status >= "400":
            _as_problem(answer, status)
    example = ANSWERS.get(f"{method} {path}")
    for media in answers.get("200", answers.get("201", {})).get("content", {}).values():
        if example is not None and not {"example", "examples"} & media.keys():
            media["example"] = example
    for parameter in told.get("parameters", ()):
        if words := WORDS.get(parameter["name"]):
            parameter.setdefault("description", words)


def _problems(*, signed_in: bool, rule: access.Rule | None) -> Iterator[int]:
    if signed_in:
        yield 401
    if rule is not None:
        yield from (403, 429)
    yield 503


def _as_problem(answer: dict[str, Any], status: str) -> None:
    """In our shape, where the route does not say another one."""
    media = answer.setdefault("content", {}).setdefault("application/json", {})
    if not media.get("schema") or media["schema"].get("$ref", "").endswith(_FRAMEWORKS_OWN):
        media["schema"] = _PROBLEM
        if status == "422" and answer.get("description") == "Validation Error":
            answer["description"] = problems.SAID[422]


def _asks(dependant: Dependant, call: object) -> bool:
    return any(one.call is call or _asks(one, call) for one in dependant.dependencies)
