"""Bot events at chosen moments, put straight into the facts: what a test plants is exactly what there is."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from backend import policy
from backend.actor import Actor, Role
from backend.deps import Deps
from backend.services.bi.performance import BotPerformance
from backend.storage.warehouse.offices import Office
from backend.storage.warehouse.scope import Scope
from tests.backend.services.bi import filled

SELLER, BUYER, LEAD, INTENT = 1, 2, 3, 4
"""Keys of the four bots, in the order of the migration."""
NAMES = {SELLER: "jorge-seller", BUYER: "jorge-buyer", LEAD: "lead-bot", INTENT: "intent-decoder"}
NOW = datetime(2026, 11, 20, 18, 30, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
ADMIN = policy.mask(Role.ADMIN)


def actor(*locations: str) -> Actor:
    return Actor(id=uid(77), role=Role.MANAGER, locations=frozenset(locations), device_id="d", session_id="s")


def uid(number: int) -> str:
    return str(uuid.UUID(int=number))


def event(office: Office, at: datetime, bot: int = LEAD, kind: str = "turn", **said: Any) -> dict[str, Any]:
    return {
        "occurred_at": at,
        "event_id": str(uuid.uuid4()),
        "received_at": at,
        "date_key": filled.key_of(at, office.zone),
        "location_key": office.key,
        "bot_key": bot,
        "event_type": kind,
        "to_bot_key": None,
        "lead_id": None,
        "conversation_id": None,
        "confidence_bp": None,
        "quality_bp": None,
        "processing_us": None,
        "replied": None,
        **said,
    }


def handoff(
    office: Office, at: datetime, giver: int, taker: int, lead: int | None = 1, **said: Any
) -> dict[str, Any]:
    lead_id = None if lead is None else uid(lead)
    return event(office, at, giver, "handoff", to_bot_key=taker, lead_id=lead_id, confidence_bp=9_000) | said


def talk(office: Office, at: datetime, bot: int = LEAD, **said: Any) -> dict[str, Any]:
    return {
        "conversation_id": str(uuid.uuid4()),
        "location_key": office.key,
        "bot_key": bot,
        "started_by": str(uuid.uuid4()),
        "lead_id": None,
        "started_at": at,
        "replied_at": at,
        "date_key": filled.key_of(at, office.zone),
        "qualified_at": None,
        "last_at": at,
        **said,
    }


async def store(deps: Deps, rows: Sequence[dict[str, Any]]) -> None:
    await filled.store(deps, "fact_bot_performance", rows)


def asked(offices: Sequence[Office], timeframe: str = "7d", *, whole: bool = True) -> BotPerformance:
    keys = tuple(office.key for office in offices)
    return BotPerformance(
        scope=Scope(keys=keys, whole=whole, role_mask=ADMIN), offices=tuple(offices), timeframe=timeframe
    )
