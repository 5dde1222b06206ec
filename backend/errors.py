"""Errors become answers: one JSON shape {code, message, where, hint} and one table of HTTP statuses."""

from __future__ import annotations

import logging
import math
import re
from collections.abc import Mapping

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from backend.api import packing
from backend.stream.ingest import BacklogError
from domain import errors

logger = logging.getLogger(__name__)

_BRANCH = re.compile(r"[\[\](),<>]")
"""In a place that pydantic names: a branch of ours of a union, such as `function-after[…]`, and no field of the sender's."""

# The most exact class wins; anything of the tree not named here is a fault of ours (500).
STATUSES: Mapping[type[errors.JorgeError], int] = {
    packing.DamagedError: 400,
    errors.InputError: 422,
    errors.RuleError: 409,
    errors.NotFoundError: 404,
    errors.AccessError: 401,
    errors.ForbiddenError: 403,
    errors.TooManyTriesError: 429,
    errors.VersionMismatchError: 426,
    errors.NetworkError: 502,
    errors.UnreachableError: 503,
    errors.FirstSyncBusyError: 503,
    errors.SyncError: 409,
    errors.ResyncError: 410,
    errors.AudioError: 422,
    errors.SpeechError: 503,
    errors.DiskFullError: 507,
    errors.EngineError: 503,
    errors.TooMuchError: 422,  # who asks for less is answered
    BacklogError: 503,
}

_HTTP = {
    400: ("bad_request", "The request can't be read.", "See /openapi.json."),
    404: ("not_found", "There is nothing at this address.", "See /openapi.json for what there is."),
    405: ("method_not_allowed", "This address does not take this method.", "See /openapi.json."),
    408: ("too_slow", "The rest of the request did not come.", "Send it again."),
    412: ("tus_version", "The server speaks another version of tus.", "Tus-Version names it."),
    413: ("too_large", "The request is too large.", "Send it in parts."),
    415: (
        "unsupported",
        "This content type or encoding is not taken.",
        "Send it plain, as the API describes.",
    ),
}


def status_of(fault: errors.JorgeError) -> int:
    for kind in type(fault).__mro__:
        if kind in STATUSES:
            return STATUSES[kind]
    return 500


def answer(status: int, problem: Mapping[str, str], *, retry_after: float | None = None) -> JSONResponse:
    """The one shape, with the headers that the status calls for."""
    headers = {}
    if status == 401:
        headers["WWW-Authenticate"] = 'Bearer realm="jorge"'
    if retry_after is not None:
        headers["Retry-After"] = str(math.ceil(retry_after))
    return JSONResponse(dict(problem), status_code=status, headers=headers)


def of_http(status: int, where: str = "") -> JSONResponse:
    """An answer of the framework itself, in our shape."""
    code, message, hint = _HTTP.get(status, ("http", f"The server answers {status}.", ""))
    return answer(status, {"code": code, "message": message, "where": where, "hint": hint})


def of_unavailable() -> JSONResponse:
    problem = {
        "code": "unavailable",
        "message": "The server is up, but its database is not at this moment.",
        "where": "server",
        "hint": "Nothing is lost; try again in a few seconds.",
    }
    return answer(503, problem, retry_after=5)


def of_fault() -> JSONResponse:
    """A fault of ours: the log knows what it was, the answer tells nothing of the inside."""
    problem = {
        "code": "fault",
        "message": "The server made a mistake.",
        "where": "server",
        "hint": "Nothing was half done. Try again; if it stays, tell the administrator the time.",
    }
    return answer(500, problem)


def install(app: FastAPI) -> None:
    """Let every error of `app` leave in the one shape."""
    app.add_exception_handler(errors.JorgeError, _on_ours)
    app.add_exception_handler(RequestValidationError, _on_invalid)
    app.add_exception_handler(HTTPException, _on_http)


async def _on_ours(request: Request, fault: Exception) -> JSONResponse:
    assert isinstance(fault, errors.JorgeError)
    status = status_of(fault)
    if status == 500:
        logger.error("request.fault", exc_info=fault)
        return of_fault()
    return answer(status, fault.as_problem(), retry_after=fault.retry_after)


async def _on_invalid(request: Request, fault: Exception) -> JSONResponse:
    assert isinstance(fault, RequestValidationError)
    first = fault.errors()[0]
    where = ".".join(str(part) for part in first["loc"] if not _BRANCH.search(str(part)))
    problem = {
        "code": "input",
        "message": f"{where}: {first['msg']}.",
        "where": where,
        "hint": "Put this field right and send it again.",
    }
    return answer(422, problem)


async def _on_http(request: Request, fault: Exception) -> JSONResponse:
    assert isinstance(fault, HTTPException)
    response = of_http(fault.status_code, request.url.path[:200])
    response.headers.update(fault.headers or {})
    return response
