"""Routes that take events: POST /api/events, and the JSON Schemas of what it takes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

from backend.api import packing
from backend.api.deps import Parts, current_user, deps_of
from backend.events import schemas
from backend.events.reading import Refused
from backend.policy import Permission
from backend.services import audit, events, sources
from backend.services.sources import Sender
from domain import errors

router = APIRouter(tags=["events"])

LONGEST_WAIT = 30.0
_JSON = frozenset({"", "application/json"})
_LINES = frozenset({"application/x-ndjson", "application/ndjson", "application/jsonl"})

Wait = Annotated[
    float,
    Query(
        ge=0,
        le=LONGEST_WAIT,
        description="Seconds to wait until the events are stored; 0: only until they are queued.",
    ),
]

_EXAMPLE = {
    "event_type": "message",
    "event_id": "0199f3f0-6c1e-7b1a-9d53-2f6a1c0e4b7d",
    "occurred_at": "2026-11-22T16:00:00.123Z",
    "location_id": "0199f3f0-0000-7000-8000-000000000001",
    "lead_id": "0199f3f0-0000-7000-8000-000000000002",
    "channel": "sms",
    "direction": "inbound",
}


def _one_of() -> Mapping[str, Any]:
    return {"oneOf": [dict(schemas.inner(name)) for name in schemas.listed()]}


def _body() -> Mapping[str, Any]:
    """The request's body for OpenAPI: FastAPI can't know it, since the bytes are read as they are."""
    one = _one_of()
    either = {
        "oneOf": [
            *one["oneOf"],
            {"type": "array", "items": one, "minItems": 1, "maxItems": events.MOST_EVENTS},
        ]
    }
    lines = {"type": "string", "description": "An event a line."}
    return {
        "required": True,
        "content": {
            "application/json": {
                "schema": either,
                "examples": {
                    "one": {"summary": "One event", "value": _EXAMPLE},
                    "many": {"summary": "Several", "value": [_EXAMPLE]},
                },
            },
            "application/x-ndjson": {"schema": lines},
        },
    }


_REFUSED = {
    "type": "object",
    "properties": {
        "index": {"type": "integer", "description": "Its place in the body, from 0."},
        "event_id": {"type": ["string", "null"]},
        "code": {"type": "string"},
        "message": {"type": "string"},
        "where": {"type": "string"},
    },
}
_ANSWER = {
    "type": "object",
    "properties": {
        "accepted": {"type": "integer"},
        "stored": {"type": "boolean", "description": "In the database for good; else queued."},
        "rejected": {"type": "array", "items": _REFUSED},
    },
}


def _answers() -> dict[int | str, dict[str, Any]]:
    told = {"application/json": {"schema": _ANSWER}}
    return {
        200: {"description": "All accepted events are stored.", "content": told},
        202: {
            "description": "The accepted events are queued; they were not stored within `wait`.",
            "content": told,
        },
        401: {"description": "No key, or one that is unknown or revoked."},
        403: {"description": "The person's role may not send events."},
        413: {"description": "More than 16 MB, packed or unpacked."},
        415: {"description": "Another content type or encoding."},
        422: {"description": "Not one event was acceptable.", "content": told},
        429: {
            "description": "More events than this source may send in a minute: send the same after Retry-After."
        },
        503: {"description": "Too much waits to be stored: send the same after Retry-After."},
    }


@router.post(
    "/api/events", openapi_extra={"requestBody": _body()}, responses=_answers(), response_class=JSONResponse
)
async def send(request: Request, deps: Parts, wait: Wait = 5.0) -> JSONResponse:
    """Take one event, an array of them, or NDJSON; plain, gzip or zstd.

    A bad event never stops the others. To send the same again is harmless: an event counts once by its `event_id` and
    `occurred_at`. Give a source's key as `Authorization: Bearer …` or `X-API-Key`, or a manager's access token.
    """
    sender = await _sender(request)
    as_lines = _as_lines(request)
    try:
        body = await packing.body_of(request, most=deps.settings.max_body_bytes)
    except packing.TooLargeError as fault:
        raise HTTPException(413) from fault
    return _told(await events.take(deps, sender, body, as_lines=as_lines, wait=wait))


@router.get("/api/events/schemas")
async def all_schemas() -> Mapping[str, Any]:
    """The streams, and where the JSON Schema of each lies."""
    return {"schemas": schemas.listed()}


@router.get("/api/events/schemas/{stream}/{version}")
async def one_schema(stream: str, version: str) -> JSONResponse:
    """The JSON Schema (draft 2020-12) of one event of a stream."""
    if stream not in schemas.listed() or version != schemas.VERSION:
        raise errors.NotFoundError(
            "There is no such schema.", where="stream", hint=f"Known: {', '.join(schemas.listed().values())}."
        )
    headers = {"Cache-Control": "public, max-age=300"}
    return JSONResponse(dict(schemas.schema(stream)), media_type="application/schema+json", headers=headers)


async def _sender(request: Request) -> Sender:
    """Whose key this is. Raises: AccessError, ForbiddenError, TokenExpiredError."""
    deps = deps_of(request)
    key = request.headers.get("x-api-key", "")
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if not key and scheme.lower() == "bearer" and token.strip().startswith(sources.PREFIX):
        key = token.strip()
    if key:
        return await sources.sender_of_key(deps, key)
    actor = await current_user(request)
    try:
        return sources.sender_of_person(actor)
    except errors.ForbiddenError:
        action, resource = Permission.SEND_EVENTS.value, "POST /api/events"
        await audit.record(deps, actor, action=action, resource=resource, outcome="refused")
        raise


def _as_lines(request: Request) -> bool:
    """Raises: HTTPException (415)."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind in _LINES:
        return True
    if kind in _JSON:
        return False
    raise HTTPException(415)


def _told(taken: events.Taken) -> JSONResponse:
    answer: dict[str, Any] = {
        "accepted": taken.accepted,
        "stored": taken.stored and taken.accepted > 0,
        "rejected": [_shown(one) for one in taken.refused],
    }
    if not taken.accepted:
        first = taken.refused[0]
        problem = {
            "code": "rejected",
            "message": first.fault.message,
            "where": f"{first.index}.{first.fault.where}".rstrip("."),
            "hint": "Not one event was taken; `rejected` says why for each.",
        }
        return JSONResponse(problem | answer, status_code=422)
    return JSONResponse(answer, status_code=200 if taken.stored else 202)


def _shown(one: Refused) -> Mapping[str, Any]:
    return {
        "index": one.index,
        "event_id": one.event_id,
        "code": one.fault.code,
        "message": one.fault.message,
        "where": one.fault.where,
    }
