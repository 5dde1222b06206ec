"""The ledger divided by who, where, which side and from where: what was earned in some days, and what stands open."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from backend.storage.warehouse.ranges import Days
from backend.storage.warehouse.stocks import OPEN

if TYPE_CHECKING:
    from backend.storage.pool import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Deals that have all of this in common. `sells`: the side of the seller, or both."""

    location_key: int
    agent_id: str | None
    sells: bool
    source: str
    stage: str
    deals: int
    price_cents: int
    gross_cents: int
    company_cents: int


_SUMMED = """f.location_key, f.agent_id, f.sells, f.source, f.stage, sum(f.deals)::bigint AS deals,
    sum(f.price_cents)::bigint AS price_cents, sum(f.gross_cents)::bigint AS gross_cents,
    sum(f.company_cents)::bigint AS company_cents"""
_ANYTHING = "HAVING sum(f.deals) <> 0 OR sum(f.gross_cents) <> 0 OR sum(f.company_cents) <> 0"


async def earned(connection: Connection, days: Sequence[Days]) -> list[Part]:
    """Deals that closed on these days of these places (real ones: the facts know no rollup)."""
    rows = await connection.fetch(
        f"""SELECT {_SUMMED}
              FROM unnest($1::int[], $2::int[], $3::int[]) AS r (place, first, last)
              JOIN fact_commission_events f ON f.location_key = r.place AND f.date_key BETWEEN r.first AND r.last
             WHERE f.stage = 'closed' GROUP BY 1, 2, 3, 4, 5 {_ANYTHING}""",  # noqa: S608 - fixed words
        [day.place for day in days],
        [day.first for day in days],
        [day.last for day in days],
    )
    return [Part(**dict(row)) for row in rows]


async def standing(connection: Connection, keys: Sequence[int]) -> list[Part]:
    """Open deals as they stand."""
    rows = await connection.fetch(
        f"""SELECT {_SUMMED} FROM fact_commission_events f
             WHERE f.location_key = ANY($1::int[]) AND f.{OPEN} GROUP BY 1, 2, 3, 4, 5 {_ANYTHING}""",  # noqa: S608 - fixed words
        list(keys),
    )
    return [Part(**dict(row)) for row in rows]
