"""The leads behind a figure, newest first, found by walking the facts backwards: no year is ever sorted for one page."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from backend.metrics import Dimension
from backend.metrics.measures import LEADS, MOMENT, TALKS
from backend.storage.warehouse import drills
from backend.storage.warehouse.ranges import FENCE
from backend.storage.warehouse.stocks import OPEN
from backend.storage.warehouse.where import Filters, Where, Within, source_join, source_of

if TYPE_CHECKING:
    from backend.storage.pool import Connection


_A_MONTH = timedelta(days=31)
After = tuple[datetime, str]
"""The moment and id of a fact."""
Ranges = Sequence[tuple[int, datetime, datetime]]
"""(place, since, until)."""


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
    connection: Connection, trail: Trail, before: After | None, limit: int, among: Ranges | None = None
) -> list[Step]:
    """The next facts with a lead, newest first; `among`: they lie in these ranges and nowhere else."""
    where = trail.where()
    where.add("f.lead_id IS NOT NULL")
    if before is not None:
        where.add(f"({trail.moment}, {trail.id}) < (?::timestamptz, ?::uuid)", *before)
        where.add(f"{trail.moment} <= ?", before[0])
    rows = await connection.fetch(
        f"SELECT f.lead_id, {trail.moment} AS at, {trail.id} AS id FROM {_walked(trail, where, among)}"  # noqa: S608 - registry names
        f" WHERE {where.text} ORDER BY {trail.moment} DESC, {trail.id} DESC LIMIT {int(limit)}",
        *where.arguments,
    )
    return [Step(**dict(row)) for row in rows]


def _walked(trail: Trail, where: Where, among: Ranges | None) -> str:
    """What to read `f` from. Without ranges fact by fact, and to each its lead: a join of all would not end with the page."""
    facts = trail.fact
    if among is not None:
        first = len(where.arguments) + 1
        where.arguments += [list(column) for column in zip(*among, strict=True)]
        facts = f"""(SELECT x.* FROM unnest(${first}::int[], ${first + 1}::timestamptz[], ${first + 2}::timestamptz[])
                                         AS r (place, since, until),
                            LATERAL (SELECT * FROM {trail.fact} WHERE location_key = r.place AND {MOMENT[trail.fact]} >= r.since
                                        AND {MOMENT[trail.fact]} < r.until {FENCE}) x)"""  # noqa: S608 - registry names
    if trail.fact == LEADS and Dimension.SOURCE in trail.filters:
        join = source_join(trail.filters)
        one_by_one = FENCE if join and among is None else ""
        return f"""(SELECT x.*, d.source AS lead_source FROM {facts} x {join} JOIN LATERAL (
                        SELECT source FROM dim_lead l WHERE l.lead_key = x.lead_key AND l.location_key = x.location_key {one_by_one}) d ON true) f"""  # noqa: S608 - registry names
    return f"{facts} f"


async def passed(connection: Connection, trail: Trail, leads: Collection[str], since: After) -> set[str]:
    """Those of `leads` that an earlier page had: their newest fact, which the index by lead shows first, is not before `since`."""
    where = trail.where()
    where.add("f.lead_id = w.lead_id")
    where.add(f"{trail.moment} >= ?", since[0] - _A_MONTH)  # leaves months out, and is no range to be walked
    newest = f"""SELECT {trail.moment} AS at, {trail.id} AS id FROM {source_of(trail.fact, [], trail.filters)}
                  WHERE {where.text} ORDER BY {trail.moment} DESC, {trail.id} DESC LIMIT 1"""  # noqa: S608 - registry names
    first = len(where.arguments) + 1
    rows = await connection.fetch(
        f"""SELECT w.lead_id FROM unnest(${first}::uuid[]) AS w (lead_id), LATERAL ({newest}) n
             WHERE (n.at, n.id) >= (${first + 1}::timestamptz, ${first + 2}::uuid)""",  # noqa: S608 - fixed words
        *where.arguments,
        list(leads),
        *since,
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
