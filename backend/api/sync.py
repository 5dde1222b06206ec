"""Routes of sync: POST /api/sync/push and GET /api/sync/pull (docs/sync.md is their description)."""

from __future__ import annotations

import asyncio
import gzip
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Depends, Header, Query, Request, Response

from backend.api.deps import CurrentUser, Parts, same_protocol
from backend.services import pull, push
from backend.storage import feed
from backend.stream import sequencer
from domain import errors, wire

router = APIRouter(prefix="/api/sync", tags=["sync"], dependencies=[Depends(same_protocol)])

_MOST_PUSH_BYTES = 4 * 1024 * 1024
_WORTH_COMPRESSING = 1000
_COMPRESSION = 3


@router.post("/push")
async def push_changes(deps: Parts, actor: CurrentUser, request: Request) -> Response:
    """Changes of one device, each answered by its `mid`; sending them again is harmless."""
    answer = await push.push(deps, actor, wire.Push.from_json(await _body(request)))
    return await _json(answer.as_json(), request)


@router.get("/pull")
async def pull_page(
    deps: Parts,
    actor: CurrentUser,
    request: Request,
    *,
    cursor: Annotated[str, Query(max_length=8192)] = "",
    limit: Annotated[int, Query(ge=1, le=wire.MAX_PAGE)] = pull.DEFAULT_LIMIT,
    scope: Annotated[str, Query(max_length=36)] = "",
    x_jorge_device: Annotated[str, Header(max_length=100)] = "",
) -> Response:
    """The page after `cursor`; an empty cursor begins a first sync."""
    ask = wire.PullAsk(cursor=cursor, limit=limit, scope=scope, device_id=x_jorge_device)
    page = await pull.pull(deps, actor, ask)
    return await _json(page.as_json(), request)


@router.get("/status")
async def status(deps: Parts, actor: CurrentUser) -> dict[str, Any]:
    """How the feed is doing: its head, the age of the oldest change without a number, open sockets here."""
    async with deps.pool.acquire() as connection:
        head = await feed.head(connection)
        waiting = await feed.unstamped_seconds(connection)
    return {
        "seq": head.seq,
        "unstamped_seconds": round(waiting, 3),
        "sockets": deps.hub.count(sequencer.CHANNEL),
    }


async def _body(request: Request) -> dict[str, Any]:
    body = await request.body()
    if len(body) > _MOST_PUSH_BYTES:
        raise errors.InputError(
            "This push is too large.", where="body", hint="Send fewer mutations at a time, at least one."
        )
    try:
        data = orjson.loads(body)
    except ValueError as fault:
        raise errors.InputError("The body is no JSON.", where="body", hint="See docs/sync.md.") from fault
    if not isinstance(data, dict):
        raise errors.InputError("The body is no JSON object.", where="body", hint="See docs/sync.md.")
    return data


async def _json(data: dict[str, Any], request: Request) -> Response:
    """Compressed where the device can read it: rows of a page are alike."""
    body = orjson.dumps(data)
    headers = {"Cache-Control": "no-store", "Vary": "Accept-Encoding"}
    if len(body) >= _WORTH_COMPRESSING and "gzip" in request.headers.get("accept-encoding", ""):
        body = await asyncio.to_thread(gzip.compress, body, _COMPRESSION)
        headers["Content-Encoding"] = "gzip"
    return Response(body, media_type="application/json", headers=headers)
