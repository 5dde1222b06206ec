"""GET /api/admin/audit: who read or did what, the newest first."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import orjson
from fastapi import APIRouter, Query

from backend.actor import Actor
from backend.api.access import Allowed
from backend.api.body import Json
from backend.api.deps import Parts
from backend.epoch import micros, moment_at
from backend.policy import Permission
from backend.storage import audit as log
from domain import errors

router = APIRouter(prefix="/api/admin")


@router.get("/audit")
async def audit(
    deps: Parts,
    _: Annotated[Actor, Allowed(Permission.SEE_AUDIT)],
    *,
    before: Annotated[str, Query(max_length=60, description="`next` of the page before.")] = "",
    action: Annotated[str, Query(max_length=60, pattern=r"^[\w.]*$")] = "",
    actor_id: UUID | None = None,
    location_id: UUID | None = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> Json:
    """Entries with their place in their chain; `python -m backend verify-audit` proves that they are as they were written."""
    async with deps.pool.acquire() as connection:
        links = await log.page(
            connection,
            before=_place(before),
            action=action,
            actor_id=str(actor_id) if actor_id else None,
            location_id=str(location_id) if location_id else None,
            limit=limit,
        )
    return {
        "entries": [_entry(link) for link in links],
        "next": _named(links[-1].entry) if len(links) == limit else None,
    }


def _entry(link: log.Link) -> dict[str, Any]:
    entry = link.entry
    return {
        "chain": link.chain,
        "seq": link.seq,
        "id": entry.id,
        "at": entry.at.isoformat(),
        "actor_id": entry.actor_id,
        "role": entry.role,
        "session_id": entry.session_id,
        "action": entry.action,
        "outcome": entry.outcome,
        "resource": entry.resource,
        "locations": list(entry.locations),
        "detail": orjson.loads(entry.detail),
        "hash": link.hash.hex(),
    }


def _named(entry: log.Entry) -> str:
    return f"{micros(entry.at)}~{entry.id}"


def _place(said: str) -> tuple[datetime, str] | None:
    if not said:
        return None
    moment, _, entry_id = said.partition("~")
    try:
        return moment_at(int(moment)), str(UUID(entry_id))
    except (ValueError, OverflowError) as fault:
        raise errors.InputError(
            "That is no place in the list.", where="before", hint="Give what `next` said, as it was."
        ) from fault
