"""Events for tests of the warehouse, a connection that stores them, and what the facts sum to."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from backend.events import BotPerformance, CommissionEvent, Event, LeadInteraction, SystemHealth
from backend.storage.pool import Connection
from backend.storage.warehouse import facts

NOW = datetime(2026, 11, 22, 18, 30, tzinfo=UTC)
PLACE = UUID("00000000-0000-7000-8000-0000000000a1")
OTHER = UUID("00000000-0000-7000-8000-0000000000a2")


async def offices(connection: Connection, *, zone: str = "America/Los_Angeles") -> None:
    """Two of them, known to the warehouse as they are made."""
    for place, name in ((PLACE, "West"), (OTHER, "East")):
        await connection.execute(
            "INSERT INTO locations (id, name, state, zone) VALUES ($1, $2, 'CA', $3)", place, name, zone
        )


def arrived(*events: Event, at: datetime = NOW) -> list[facts.Arrived]:
    return [facts.Arrived(event=event, received_at=at) for event in events]


def interaction(**fields: Any) -> LeadInteraction:
    given = {"event_type": "message", "direction": "inbound", "lead_id": uuid.uuid4()}
    return LeadInteraction(**_common(given | fields))


def bot(**fields: Any) -> BotPerformance:
    return BotPerformance(**_common({"event_type": "turn", "bot_id": "lead-bot"} | fields))


def deal(**fields: Any) -> CommissionEvent:
    given = {"deal_id": uuid.uuid4(), "stage": "new", "side_held": "listing", "price_cents": 50_000_000}
    return CommissionEvent(**_common(given | fields))


def health(**fields: Any) -> SystemHealth:
    return SystemHealth(**_common({"event_type": "heartbeat", "component": "api"} | fields, place=None))


def _common(fields: dict[str, Any], place: UUID | None = PLACE) -> dict[str, Any]:
    return {"event_id": uuid.uuid4(), "occurred_at": NOW, "location_id": place} | fields


def now() -> datetime:
    """For what goes through a stream: there the clock is the real one."""
    return datetime.now(UTC)


def before(**ago: float) -> datetime:
    return NOW - timedelta(**ago)


async def rows(connection: Connection, sql: str, *arguments: Any) -> Sequence[tuple[Any, ...]]:
    return [tuple(row) for row in await connection.fetch(sql, *arguments)]
