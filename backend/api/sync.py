"""Routes of the sync protocol: changes up, pages down, sums to compare by. docs/sync.md describes it for other clients."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Query, Request, Response

from backend import errors as statuses
from backend.api import packing
from backend.api.deps import CurrentUser, Parts, same_protocol
from backend.deps import Deps
from backend.services import devices, pull
from backend.services.conversation import InPlace
from domain import errors, wire

router = APIRouter(prefix="/api/sync", tags=["sync"], dependencies=[Depends(same_protocol)])

Id = Annotated[str, Query(max_length=36)]
_VERSION = re.compile(r"[0-9]{1,9}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request: who asks with what, and what waits there."""

    deps: Deps
    caller: devices.Caller
    queue: devices.Queue
    brief: bool
    """It said that it has the tables of today: their columns need not be listed."""
    odd: bool = False
    """What it said of its tables is no version."""

    @property
    def talk(self) -> InPlace:
        return InPlace(deps=self.deps, actor=self.caller.actor, schema=self.caller.schema)

    @asynccontextmanager
    async def noting_faults(self) -> AsyncIterator[None]:
        """A device that is refused shows up with it in the list of devices."""
        try:
            yield
        except errors.JorgeError as fault:
            if statuses.status_of(fault) < 500:
                devices.refused(self.deps, self.caller, fault)
            raise


async def called(
    deps: Parts,
    actor: CurrentUser,
    device_id: Annotated[str, Header(alias=wire.DEVICE_HEADER, max_length=100)] = "",
    schema: Annotated[str, Header(alias=wire.SCHEMA_HEADER)] = "",
    queue: Annotated[str, Header(alias=wire.QUEUE_HEADER, max_length=60)] = "",
) -> Call:
    known = int(schema) if _VERSION.fullmatch(schema) else wire.SCHEMA
    return Call(
        deps=deps,
        caller=devices.Caller(actor=actor, device_id=device_id, schema=known),
        queue=devices.Queue.of_header(queue),
        brief=schema == str(wire.SCHEMA),
        odd=bool(schema) and not _VERSION.fullmatch(schema),
    )


Sent = Annotated[Call, Depends(called)]
"""Whatever it says of its tables: a push is taken all the same, so that no work is shut up in a device."""


async def reading(call: Sent) -> Call:
    """Raises: InputError where the rows would have to be turned into tables that nobody knows."""
    if call.odd:
        raise errors.InputError(
            "The version of the app's tables is a whole number.",
            where=wire.SCHEMA_HEADER,
            hint="Send the schema that the app knows, or leave the header out.",
        )
    return call


Asked = Annotated[Call, Depends(reading)]


@router.post("/push")
async def push_changes(call: Sent, request: Request) -> Response:
    """Changes of one device, each answered by its `mid`; sending them again is harmless."""
    push = wire.Push.from_json(await packing.json_of(request))
    call = replace(call, caller=replace(call.caller, device_id=push.device_id))
    async with call.noting_faults():
        answer = await call.talk.push(push)
    devices.pushed(call.deps, call.caller)
    return await packing.answer(answer.as_json(), request)


@router.get("/pull")
async def pull_page(
    call: Asked,
    request: Request,
    *,
    cursor: Annotated[str, Query(max_length=8192)] = "",
    limit: Annotated[int, Query(ge=1, le=wire.MAX_PAGE)] = pull.DEFAULT_LIMIT,
    scope: Id = "",
    whole: bool = False,
) -> Response:
    """The page after `cursor`; an empty cursor begins a first sync, `now` skips it. 204: nothing new, the cursor stays."""
    ask = wire.PullAsk(
        cursor=cursor,
        limit=limit,
        scope=scope,
        device_id=call.caller.device_id,
        changes=call.brief and not whole,
    )
    async with call.noting_faults():
        page = await call.talk.pull(ask)
    devices.pulled(call.deps, call.caller, call.queue, page)
    if page == wire.Page(cursor=cursor, more=False, blocks=[], removed=[], server_ms=page.server_ms):
        return Response(status_code=204, headers={wire.TIME_HEADER: str(page.server_ms)})
    return await packing.answer(page.as_json(brief=call.brief), request)


@router.get("/digests")
async def sums(
    call: Asked, request: Request, *, content: bool = False, scope: Id = "", table: Id = ""
) -> Response:
    """Sums of row hashes by location and table; of one location's table by range of ids."""
    ask = wire.DigestAsk(content=content, scope=scope, table=table)
    return await packing.answer((await call.talk.digests(ask)).as_json(), request)


@router.get("/rows")
async def range_rows(
    call: Asked,
    request: Request,
    scope: Id,
    table: Id,
    ranges: Annotated[str, Query(max_length=800)] = "",
) -> Response:
    """All rows of some ranges of one location's table, as they are now."""
    ask = wire.RowsAsk(scope=scope, table=table, ranges=_ranges(ranges))
    return await packing.answer((await call.talk.rows(ask)).as_json(brief=call.brief), request)


def _ranges(text: str) -> Sequence[int]:
    """`0a,ff`. Raises: InputError."""
    try:
        return [int(part, 16) for part in text.split(",") if part]
    except ValueError as fault:
        raise errors.InputError(
            "A range is two hex digits.", where="ranges", hint="Such as 0a,ff."
        ) from fault
