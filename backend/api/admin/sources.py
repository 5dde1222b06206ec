"""Routes for sources of events: /api/admin/sources."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import Field

from backend.actor import Actor
from backend.api.access import Allowed
from backend.api.body import Body, Json, Text
from backend.api.deps import Parts
from backend.policy import Permission
from backend.services import sources
from backend.storage.sources import Source

router = APIRouter(prefix="/api/admin/sources")

Operator = Annotated[Actor, Allowed(Permission.OPERATE)]
_Short = Annotated[Text, Field(max_length=200)]


class NewSource(Body):
    """`locations` by name or id; none: every one. `streams` none: all four. `config`: see docs/events.md."""

    name: _Short
    locations: list[_Short] = Field(default_factory=list, max_length=1_000)
    streams: list[_Short] = Field(default_factory=list, max_length=4)
    config: dict[str, Any] = Field(default_factory=dict)


class Configured(Body):
    config: dict[str, Any]


@router.post("", status_code=201)
async def create(deps: Parts, actor: Operator, body: NewSource, response: Response) -> Json:
    """A new source. Its `key` and `webhook_secret` are in this answer only."""
    response.headers["Cache-Control"] = "no-store"
    made, key = await sources.create(
        deps, name=body.name, locations=body.locations, streams=body.streams, config=body.config, by=actor.id
    )
    return {
        **shown(made),
        "key": key,
        "webhook_secret": made.webhook_secret,
        "webhook_url": f"/api/webhooks/gohighlevel/{made.id}",
    }


@router.get("")
async def listed(deps: Parts, actor: Operator) -> Json:
    """All sources, revoked ones too."""
    return {"sources": [shown(one) for one in await sources.listed(deps)]}


@router.patch("/{source_id}")
async def configure(deps: Parts, actor: Operator, source_id: UUID, body: Configured) -> Json:
    """Replace how another system's words map to ours. The key stays."""
    return shown(await sources.configure(deps, str(source_id), body.config))


@router.delete("/{source_id}")
async def revoke(deps: Parts, actor: Operator, source_id: UUID) -> Json:
    """Refuse its key and its webhooks from now on (other processes within 3 s). What it sent stays."""
    return shown(await sources.revoke(deps, str(source_id), by=actor.id))


def shown(source: Source) -> Json:
    """Without secrets."""
    return {
        "id": source.id,
        "key_number": source.key,
        "name": source.name,
        "locations": list(source.locations),
        "streams": list(source.streams),
        "config": dict(source.config),
        "created_at": source.created_at.isoformat(),
        "revoked_at": source.revoked_at.isoformat() if source.revoked_at else None,
        "last_used_at": source.last_used_at.isoformat() if source.last_used_at else None,
    }
