"""Events for tests, as a sender would write them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
from redis import asyncio as redis

from backend.stream import entries
from domain import ids

LOCATION = "0199f3f0-0000-7000-8000-00000000000a"


def at(**ago: float) -> str:
    """A moment so long ago (`timedelta`'s words)."""
    return (datetime.now(UTC) - timedelta(**ago)).isoformat()


def message(**changed: Any) -> dict[str, Any]:
    """An inbound message, just now."""
    return _event("lead_interactions", "message", changed, lead_id=ids.new_id(), direction="inbound")


def turn(**changed: Any) -> dict[str, Any]:
    return _event("bot_performance", "turn", changed, bot_id="lead-bot", processing_ms=12.5)


def deal(**changed: Any) -> dict[str, Any]:
    base = {"deal_id": ids.new_id(), "stage": "offer", "side_held": "listing", "price_cents": 50_000_000}
    return _event("commission_events", "deal_state", changed, **base, rate_bp=300)


def health(**changed: Any) -> dict[str, Any]:
    return _event("system_health", "status", changed, component="lead-bot")


def body(*events: Mapping[str, Any]) -> bytes:
    return json.dumps(events).encode()


async def lying(valkey: redis.Redis, stream: str) -> list[dict[bytes, bytes]]:
    """The fields of the entries in a stream."""
    found: Any = await valkey.xrange(stream)
    return [fields for _, fields in found]


async def queued(valkey: redis.Redis) -> list[dict[str, Any]]:
    """All packed events in the four streams."""
    found: list[dict[str, Any]] = []
    for name in entries.NAMES:
        for fields in await lying(valkey, name):
            found += orjson.loads(fields[entries.PACKED])
    return found


def _event(stream: str, event_type: str, changed: Mapping[str, Any], **fields: Any) -> dict[str, Any]:
    event = {
        "stream": stream,
        "event_type": event_type,
        "event_id": ids.new_id(),
        "occurred_at": at(seconds=1),
        "location_id": LOCATION,
        **fields,
        **changed,
    }
    return {name: value for name, value in event.items() if value is not ...}
