"""Events as rows: for each kind, the columns that are copied into a temporary table of the connection, and how a row is made.

The temporary tables empty themselves at the end of the transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, TypeAlias

import msgspec

from backend.events import BotPerformance, CommissionEvent, Event, LeadInteraction, SystemHealth
from backend.storage.pool import Connection
from backend.storage.warehouse import partitions
from backend.storage.warehouse.keys import NOWHERE, Keys, Spot
from domain import commission

Row: TypeAlias = tuple[Any, ...]

BOTH_SIDES_BP = 600
ONE_SIDE_BP = 300


class NotStoredError(ValueError):
    """This event can't be stored as it is: `reason` for programs, the message for people."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """`like`: the table whose types the temporary table takes. `row`: of an event, when it came, its source, where it belongs."""

    name: str
    like: str
    columns: Sequence[str]
    row: Callable[[Any, datetime, int | None, Spot, Keys], Row]

    def ddl(self) -> str:
        return (
            f"CREATE TEMP TABLE {self.name} ON COMMIT DELETE ROWS AS "  # noqa: S608 - fixed words
            f"SELECT {', '.join(self.columns)} FROM {self.like} WITH NO DATA"
        )

    async def copy(self, connection: Connection, rows: Sequence[Row]) -> None:
        await connection.copy_records_to_table(
            self.name, records=rows, columns=list(self.columns), schema_name="pg_temp"
        )

    async def copy_into_months(self, connection: Connection, rows: Sequence[Row]) -> None:
        """Past the temporary table, into the partitions themselves. Raises: UniqueViolationError when one is there already."""
        months: dict[date, list[Row]] = {}
        for row in rows:
            moment = row[0] if row[0].tzinfo is UTC else row[0].astimezone(UTC)
            months.setdefault(date(moment.year, moment.month, 1), []).append(row)
        for month, some in months.items():
            await connection.copy_records_to_table(
                partitions.name_of(self.like, month), records=some, columns=list(self.columns)
            )


def _interaction(
    event: LeadInteraction, received_at: datetime, source_key: int | None, spot: Spot, keys: Keys
) -> Row:
    return (
        event.occurred_at,
        event.event_id,
        received_at,
        spot.date_key,
        spot.location_key,
        keys.bots[event.bot_id],
        event.lead_id,
        event.agent_id,
        event.deal_id,
        event.conversation_id,
        event.event_type,
        event.channel,
        event.direction,
        event.stage,
        event.temperature,
        None if event.confidence is None else round(event.confidence * 10_000),
        event.frs,
        event.pcs,
        None if event.processing_ms is None else round(event.processing_ms * 1_000),
        event.success,
        source_key,
        _json(event.props) if event.props else None,
        keys.versions.lead(event.lead_id, event.occurred_at),
        keys.versions.agent(event.agent_id, spot.location_key, event.occurred_at),
    )


def _performance(
    event: BotPerformance, received_at: datetime, source_key: int | None, spot: Spot, keys: Keys
) -> Row:
    return (
        event.occurred_at,
        event.event_id,
        received_at,
        spot.date_key,
        spot.location_key,
        keys.bots[event.bot_id],
        None if event.to_bot_id is None else keys.bots[event.to_bot_id],
        event.lead_id,
        event.conversation_id,
        event.event_type,
        None if event.confidence is None else round(event.confidence * 10_000),
        None if event.quality is None else round(event.quality * 10_000),
        None if event.processing_ms is None else round(event.processing_ms * 1_000),
        event.success,
        event.replied,
        event.reason,
        source_key,
        _json(event.props) if event.props else None,
        keys.versions.lead(event.lead_id, event.occurred_at),
    )


def _state(
    event: CommissionEvent, received_at: datetime, source_key: int | None, spot: Spot, keys: Keys
) -> Row:
    rate, gross = money(event)
    return (
        event.deal_id,
        event.occurred_at,
        event.event_id,
        received_at,
        spot.date_key,
        _closed_key(event, spot),
        spot.location_key,
        event.lead_id,
        event.agent_id,
        event.stage,
        event.side_held != "buyer",
        event.price_cents,
        rate,
        gross,
        event.company_cents or 0,
        event.source or "",
        source_key,
        keys.versions.lead(event.lead_id, event.occurred_at),
        keys.versions.agent(event.agent_id, spot.location_key, event.occurred_at),
    )


def _health(
    event: SystemHealth, received_at: datetime, source_key: int | None, spot: Spot, keys: Keys
) -> Row:
    return (
        event.occurred_at,
        event.event_id,
        received_at,
        None if spot is NOWHERE else spot.location_key,
        event.component,
        event.event_type,
        event.status,
        event.value,
        event.unit,
        event.message,
        source_key,
        _json(event.props) if event.props else None,
    )


STAGES: Mapping[type[Event], Stage] = {
    LeadInteraction: Stage(
        name="stage_interactions",
        like="fact_lead_interactions",
        columns="occurred_at event_id received_at date_key location_key bot_key lead_id agent_id deal_id conversation_id "
        "event_type channel direction stage temperature confidence_bp frs pcs processing_us success source_key props lead_key agent_key".split(),
        row=_interaction,
    ),
    BotPerformance: Stage(
        name="stage_performance",
        like="fact_bot_performance",
        columns="occurred_at event_id received_at date_key location_key bot_key to_bot_key lead_id conversation_id "
        "event_type confidence_bp quality_bp processing_us success replied reason source_key props lead_key".split(),
        row=_performance,
    ),
    CommissionEvent: Stage(
        name="stage_states",
        like="deal_states",
        columns="deal_id occurred_at event_id received_at date_key closed_key location_key lead_id agent_id "
        "stage sells price_cents rate_bp gross_cents company_cents source source_key lead_key agent_key".split(),
        row=_state,
    ),
    SystemHealth: Stage(
        name="stage_health",
        like="fact_system_health",
        columns="occurred_at event_id received_at location_key component event_type status value unit message "
        "source_key props".split(),
        row=_health,
    ),
}
"""In the order in which every writer writes them."""


def _json(props: Mapping[str, Any]) -> str:
    return msgspec.json.encode(props).decode()


def money(event: CommissionEvent) -> tuple[int, int]:
    """Rate and gross commission; the one that is not given follows from the other, else from the default model."""
    price, rate, gross = event.price_cents, event.rate_bp, event.gross_cents
    if rate is None and gross is not None and 0 < gross <= price:
        rate = (2 * gross * 10_000 + price) // (2 * price)
    if rate is None:
        rate = BOTH_SIDES_BP if event.side_held == "both" else ONE_SIDE_BP
    if gross is None:
        gross = commission.gross_cents(price, Decimal(rate) / 10_000)
    return rate, gross


def _closed_key(event: CommissionEvent, spot: Spot) -> int | None:
    """The day of closing; one that lies ahead counts on the day of the news."""
    if event.closed_on is None or event.stage != "closed":
        return None
    return min(int(event.closed_on.replace("-", "")), spot.date_key)
