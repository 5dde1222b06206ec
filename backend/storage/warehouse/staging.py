"""Events as rows: for each kind, the columns that are copied into a temporary table of the connection, and how a row is made.

The temporary tables empty themselves at the end of the transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, TypeAlias

import msgspec

from backend.events import BotPerformance, CommissionEvent, Event, LeadInteraction, SystemHealth
from backend.storage.pool import Connection
from backend.storage.warehouse import copying, partitions
from backend.storage.warehouse.keys import NOWHERE, Keys, Spot
from domain import commission

Row: TypeAlias = tuple[Any, ...]
"""Values, in the order of the stage's columns."""

BOTH_SIDES_BP = 600
ONE_SIDE_BP = 300

_json = msgspec.json.Encoder().encode


class Arrived(msgspec.Struct, frozen=True, kw_only=True):
    """A struct, because there are so many. `entry` is where it lay in its stream, for who asks later; `received_at` stays the same when it is read again."""

    event: Event
    source_key: int | None = None
    received_at: datetime
    entry: str = ""


class NotStoredError(ValueError):
    """This event can't be stored as it is: `reason` for programs, the message for people."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """`like`: the table whose types the temporary table takes. `row`: of what arrived, its moment in seconds, where it belongs.
    `packed`: rows are made as the bytes that COPY takes, else as values."""

    name: str
    like: str
    columns: Sequence[str]
    row: Callable[[Any, float, Spot, Keys], Any]
    packed: bool = False

    def ddl(self) -> str:
        return (
            f"CREATE TEMP TABLE {self.name} ON COMMIT DELETE ROWS AS "  # noqa: S608 - fixed words
            f"SELECT {', '.join(self.columns)} FROM {self.like} WITH NO DATA"
        )

    async def copy(self, connection: Connection, rows: Sequence[Any], table: str = "") -> None:
        """Into the temporary table, or into `table`. Raises: UniqueViolationError when one is there already."""
        table, schema, columns = table or self.name, None if table else "pg_temp", list(self.columns)
        if self.packed:
            await connection.copy_to_table(
                table, source=copying.copied(rows), columns=columns, schema_name=schema, format="binary"
            )
        else:
            await connection.copy_records_to_table(table, records=rows, columns=columns, schema_name=schema)

    async def copy_into_months(self, connection: Connection, months: Mapping[date, Sequence[Any]]) -> None:
        """Past the temporary table, into the partitions themselves."""
        for month, rows in months.items():
            await self.copy(connection, rows, partitions.name_of(self.like, month))


def _interaction(arrived: Arrived, seconds: float, spot: Spot, keys: Keys) -> bytes:
    event: LeadInteraction = arrived.event  # type: ignore[assignment]
    pieces, moment = keys.pieces, event.occurred_at
    words = (event.event_type, event.channel, event.direction, event.stage, event.temperature, event.success)
    deal, talk = event.deal_id, event.conversation_id
    return b"".join(
        (
            copying.begun(24, seconds, event.event_id),
            pieces.origin(arrived.received_at, arrived.source_key),
            spot.fields,
            pieces.bots[event.bot_id],
            pieces.leads.get(event.lead_id.int) or keys.lead(event.lead_id, moment),
            keys.agent(event.agent_id, spot.location_key, moment),
            copying.NULLS[2] if deal is None and talk is None else copying.uuids(deal, talk),
            pieces.words.get(words) or pieces.new_words(words),
            copying.scaled(event.confidence, 10_000),
            _scores(event),
            _props(event),
        )
    )


def _scores(event: LeadInteraction) -> bytes:
    """Few have any."""
    frs, pcs, took = event.frs, event.pcs, event.processing_ms
    if frs is None and pcs is None and took is None:
        return copying.NULLS[3]
    return copying.real(frs) + copying.real(pcs) + copying.scaled_bigint(took, 1_000)


def _performance(arrived: Arrived, seconds: float, spot: Spot, keys: Keys) -> bytes:
    event: BotPerformance = arrived.event  # type: ignore[assignment]
    pieces, lead = keys.pieces, event.lead_id
    words = (event.event_type, event.reason, event.success, event.replied)
    return b"".join(
        (
            copying.begun(19, seconds, event.event_id),
            pieces.origin(arrived.received_at, arrived.source_key),
            spot.fields,
            pieces.bots[event.bot_id],
            copying.NULL if event.to_bot_id is None else pieces.bots[event.to_bot_id],
            copying.NULLS[2]
            if lead is None
            else pieces.leads.get(lead.int) or keys.lead(lead, event.occurred_at),
            copying.uuid(event.conversation_id),
            pieces.words.get(words) or pieces.new_words(words),
            copying.scaled(event.confidence, 10_000),
            copying.scaled(event.quality, 10_000),
            copying.scaled_bigint(event.processing_ms, 1_000),
            _props(event),
        )
    )


def _props(event: Event) -> bytes:
    return copying.jsonb(_json(event.props)) if event.props else copying.NULL


def _state(arrived: Arrived, seconds: float, spot: Spot, keys: Keys) -> Row:
    event: CommissionEvent = arrived.event  # type: ignore[assignment]
    rate, gross = money(event)
    return (
        event.deal_id,
        event.occurred_at,
        event.event_id,
        arrived.received_at,
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
        arrived.source_key,
        keys.versions.lead(event.lead_id, event.occurred_at),
        keys.versions.agent(event.agent_id, spot.location_key, event.occurred_at),
    )


def _health(arrived: Arrived, seconds: float, spot: Spot, keys: Keys) -> Row:
    event: SystemHealth = arrived.event  # type: ignore[assignment]
    return (
        event.occurred_at,
        event.event_id,
        arrived.received_at,
        None if spot is NOWHERE else spot.location_key,
        event.component,
        event.event_type,
        event.status,
        event.value,
        event.unit,
        event.message,
        arrived.source_key,
        _json(event.props).decode() if event.props else None,
    )


STAGES: Mapping[type[Event], Stage] = {
    LeadInteraction: Stage(
        name="stage_interactions",
        like="fact_lead_interactions",
        columns="occurred_at event_id received_at source_key date_key location_key bot_key lead_id lead_key agent_id agent_key deal_id "
        "conversation_id event_type channel direction stage temperature success confidence_bp frs pcs processing_us props".split(),
        row=_interaction,
        packed=True,
    ),
    BotPerformance: Stage(
        name="stage_performance",
        like="fact_bot_performance",
        columns="occurred_at event_id received_at source_key date_key location_key bot_key to_bot_key lead_id lead_key conversation_id "
        "event_type reason success replied confidence_bp quality_bp processing_us props".split(),
        row=_performance,
        packed=True,
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
