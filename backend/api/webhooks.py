"""Routes for systems that call us in their own words: POST /api/webhooks/gohighlevel/{source}."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

from backend import errors
from backend.api.deps import Parts
from backend.services.gohighlevel import receiving, signature
from backend.stream.ingest import BacklogError
from domain.errors import JorgeError

router = APIRouter(tags=["events"])

MOST_BYTES = 1024 * 1024
_RETRY_AFTER = 60.0
_BODY = {
    "required": True,
    "content": {
        "application/json": {
            "schema": {
                "type": "object",
                "required": ["type", "webhookId", "timestamp", "locationId"],
                "properties": {
                    name: {"type": "string"} for name in ("type", "webhookId", "timestamp", "locationId")
                },
            },
            "example": {
                "type": "OpportunityStageUpdate",
                "webhookId": "b0d3b5a7-3a5c-4a53-8f0c-6f2a0f2b7c11",
                "timestamp": "2026-11-22T16:00:00.000Z",
                "locationId": "ve9EPM428h8vShlRW1KT",
                "id": "wWhVuzqpRuOA1ZVWi4FC",
                "contactId": "cJAWDskpkJHbRbhAT7bs",
                "monetaryValue": 500000,
                "pipelineId": "VDm7RPYC2GLUvdpKmBfC",
                "pipelineStageId": "e93ba61a-53b3-45e7-985a-c7732dbcdb69",
                "status": "open",
            },
        }
    },
}
_ANSWERS: dict[int | str, dict[str, Any]] = {
    202: {"description": "Queued."},
    401: {"description": "The source is unknown or revoked, or the signature is missing or wrong."},
    413: {"description": "More than 1 MB."},
    422: {
        "description": "It can't be read, is too old, or holds a word that the source's table does not map."
    },
    429: {"description": "Not now: HighLevel sends it again by itself."},
}


@router.post(
    "/api/webhooks/gohighlevel/{source_id}",
    openapi_extra={"requestBody": _BODY},
    responses=_ANSWERS,
    response_class=JSONResponse,
)
async def gohighlevel(source_id: UUID, request: Request, deps: Parts) -> JSONResponse:
    """Take a webhook of GoHighLevel (contacts, opportunities, messages, appointments), signed by HighLevel or by you."""
    body = await request.body()
    if len(body) > MOST_BYTES:
        raise HTTPException(413)
    said = {name: request.headers[name] for name in signature.HEADERS if name in request.headers}
    try:
        received = await receiving.receive(deps, str(source_id), body, said)
    except BacklogError:
        return _later()
    except JorgeError:
        raise  # refusals of ours are kinds of OSError too
    except receiving.NOT_NOW:
        return _later()
    return JSONResponse(
        asdict(received), status_code=202 if received.accepted and not received.stored else 200
    )


def _later() -> JSONResponse:
    problem = {
        "code": "later",
        "message": "This can't be taken at the moment.",
        "where": "server",
        "hint": "Send the same again after the pause.",
    }
    return errors.answer(429, problem, retry_after=_RETRY_AFTER)
