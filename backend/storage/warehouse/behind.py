"""The leads behind a figure, newest first, found by walking the facts backwards: no year is ever sorted for one page."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from backend.metrics.measures import MOMENT, TALKS
from backend.storage.warehouse import drills
from backend.storage.warehouse.stocks import OPEN
from backend.storage.warehouse.where import LEAD, Filters, Where, Within, source_of

if TYPE_CHECKING:
    from backend.storage.pool import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class Trail:
    """The facts to walk: those of one table that a figure counts."""

    fact: str
    counts: str
    within: Within
    filters: Filters

    @property
    def moment(self) -> str:
        return f"f.{MOMENT[self.fact]}"

    @property
    def id(self) -> str:
        return "f.conversation_id" if self.fact == TALKS else "f.event_id"

    def where(self) -> Where:
        where = Where()
        self.within.into(where, self.fact)
        where.filter(self.fact, self.filters)
        where.add(self.counts)
        return where


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    lead_id: str
    at: datetime
    id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Lead:
    """A lead as the warehouse has it now."""

    lead_id: str
    location_key: int
    agent_id: str | None
    kind: str
    source: str
    stage: str
    temperature: str
    created_at: datetime
    last_contact_at: datetime | None
    answer_due_at: datetime | None


_LEAD = ", ".join(f"f.{name}" for name in Lead.__dataclass_fields__)


def timing(kind: str) -> str:
    """The facts that a quantile is of; `kind` is the registry's word."""
    return f"event_type = '{kind}' AND processing_us IS NOT NULL"


async def steps(
    connection: Connection, trail: Trail, before: tuple[datetime, str] | None, limit: int
) -> list[Step]:
    """The next facts with a lead, newest first."""
    where = trail.where()
    where.add("f.lead_id IS NOT NULL")
    if before is not None:
        where.add(f"({trail.moment}, {trail.id}) < (?::timestamptz, ?::uuid)", *before)
        where.add(f"{trail.moment} <= ?", before[0])
    rows = await connection.fetch(
        f"SELECT f.lead_id, {trail.moment} AS at, {trail.id} AS id"  # noqa: S608 - registry names
        f" FROM {source_of(trail.fact, [*trail.filters])} WHERE {where.text}"
        f" ORDER BY {trail.moment} DESC, {trail.id} DESC LIMIT {int(limit)}",
        *where.arguments,
    )
    return [Step(**dict(row)) for row in rows]


async def passed(
    connection: Connection, trail: Trail, leads: Collection[str], since: tuple[datetime, str]
) -> set[str]:
    """Those of `leads` that an earlier page had: they have facts at or after `since`."""
    where = trail.where()
    where.filter(trail.fact, {LEAD: list(leads)})
    where.add(f"({trail.moment}, {trail.id}) >= (?::timestamptz, ?::uuid)", *since)
    where.add(f"{trail.moment} >= ?", since[0])
    rows = await connection.fetch(
        f"SELECT DISTINCT f.lead_id FROM {source_of(trail.fact, [*trail.filters])} WHERE {where.text}",  # noqa: S608 - fixed words
        *where.arguments,
    )
    return {row["lead_id"] for row in rows}


async def active(
    connection: Connection,
    now: datetime,
    keys: Sequence[int],
    filters: Filters,
    *,
    after: tuple[datetime, str] | None,
    limit: int,
) -> list[Lead]:
    """Active leads, the newest first."""
    where = drills.active_where(now, keys, filters)
    where.add("f.created_at <= ?", now)
    if after is not None:
        where.add("(f.created_at, f.lead_id) < (?::timestamptz, ?::uuid)", *after)
    rows = await connection.fetch(
        f"SELECT {_LEAD} FROM dim_lead f WHERE {where.text}"  # noqa: S608 - fixed words
        f" ORDER BY f.created_at DESC, f.lead_id DESC LIMIT {int(limit)}",
        *where.arguments,
    )
    return [Lead(**dict(row)) for row in rows]


async def leads(connection: Connection, ids: Collection[str]) -> dict[str, Lead]:
    """As they stand now, those within the scope."""
    rows = await connection.fetch(
        f"SELECT {_LEAD} FROM dim_lead f WHERE f.lead_id = ANY($1::uuid[]) AND f.valid_to = 'infinity'",  # noqa: S608 - fixed words
        list(ids),
    )
    return {row["lead_id"]: Lead(**dict(row)) for row in rows}


@dataclass(frozen=True, slots=True, kw_only=True)
class Amount:
    """Open deals of a lead, of one stage and side."""

    lead_id: str
    stage: str
    sells: bool
    deals: int
    gross_cents: int
    company_cents: int


async def amounts(connection: Connection, ids: Collection[str]) -> list[Amount]:
    rows = await connection.fetch(
        f"""SELECT f.lead_id, f.stage, f.sells, sum(f.deals)::bigint AS deals,
                   sum(f.gross_cents)::bigint AS gross_cents, sum(f.company_cents)::bigint AS company_cents
              FROM fact_commission_events f WHERE f.lead_id = ANY($1::uuid[]) AND f.{OPEN} GROUP BY 1, 2, 3
            HAVING sum(f.deals) <> 0 OR sum(f.gross_cents) <> 0 OR sum(f.company_cents) <> 0""",  # noqa: S608 - fixed words
        list(ids),
    )
    return [Amount(**dict(row)) for row in rows]
