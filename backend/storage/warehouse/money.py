"""The ledger divided by who, where and from where: what was earned in some days, and what stands open."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from backend.storage.warehouse.ranges import FENCE, Days
from backend.storage.warehouse.stocks import OPEN

if TYPE_CHECKING:
    from backend.storage.pool import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Deals of one stage and side under one key of `division` (agent, location, source; stage: all of them).

    `sells`: the side of the seller, or both.
    """

    division: str
    key: str | None
    stage: str
    sells: bool
    deals: int
    price_cents: int
    gross_cents: int
    company_cents: int


_SUMMED = """sum(deals)::bigint AS deals, sum(price_cents)::bigint AS price_cents,
    sum(gross_cents)::bigint AS gross_cents, sum(company_cents)::bigint AS company_cents"""
_ANYTHING = "HAVING sum(deals) <> 0 OR sum(gross_cents) <> 0 OR sum(company_cents) <> 0"
_KEYS = (("agent", "agent_id::text"), ("location", "location_key::text"), ("source", "nullif(source, '')"))


def _divided(lines: str) -> str:
    """The lines are read once: their finest groups are few, and each division is made of those."""
    selected = " UNION ALL ".join(
        f"SELECT '{name}' AS division, {key} AS key, stage, sells, {_SUMMED} FROM parts GROUP BY 2, 3, 4"  # noqa: S608 - fixed words
        for name, key in (*_KEYS, ("stage", "stage"))
    )
    return (
        f"WITH parts AS MATERIALIZED (SELECT location_key, agent_id, sells, source, stage, {_SUMMED}"  # noqa: S608 - fixed words
        f" FROM {lines} GROUP BY 1, 2, 3, 4, 5 {_ANYTHING}) {selected}"
    )


_EARNED = _divided(
    f"""unnest($1::int[], $2::int[], $3::int[]) AS r (place, first, last),
        LATERAL (SELECT * FROM fact_commission_events WHERE location_key = r.place
                    AND date_key BETWEEN r.first AND r.last AND stage = 'closed' {FENCE}) f"""  # noqa: S608 - fixed words
)
_STANDING = _divided(
    f"(SELECT * FROM fact_commission_events WHERE location_key = ANY($1::int[]) AND {OPEN}) f"  # noqa: S608 - fixed words
)


async def earned(connection: Connection, days: Sequence[Days]) -> list[Part]:
    """Deals that closed on these days of these places (real ones: the facts know no rollup)."""
    rows = await connection.fetch(
        _EARNED, [day.place for day in days], [day.first for day in days], [day.last for day in days]
    )
    return [Part(**dict(row)) for row in rows]


async def standing(connection: Connection, keys: Sequence[int]) -> list[Part]:
    """Open deals as they stand."""
    return [Part(**dict(row)) for row in await connection.fetch(_STANDING, list(keys))]
