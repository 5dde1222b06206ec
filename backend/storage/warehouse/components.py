"""How the parts of the system last said they were."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from backend.storage.pool import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """`location_key` None: of every office."""

    component: str
    location_key: int | None
    seen_at: datetime
    event_type: str
    status: str
    value: float | None
    unit: str | None
    message: str | None


async def latest(connection: Connection) -> list[Said]:
    """The last word of each component, office by office where they spoke within an hour of it.

    Goes from name to name through the index: years of heartbeats cost nothing.
    """
    rows = await connection.fetch(
        """WITH RECURSIVE names AS (
               (SELECT component FROM fact_system_health ORDER BY component LIMIT 1)
               UNION ALL
               SELECT (SELECT h.component FROM fact_system_health h WHERE h.component > names.component
                        ORDER BY h.component LIMIT 1) FROM names WHERE names.component IS NOT NULL)
           SELECT word.* FROM names, LATERAL (
                      SELECT max(occurred_at) AS at FROM fact_system_health h WHERE h.component = names.component) newest,
                  LATERAL (
                      SELECT DISTINCT ON (h.location_key) h.component, h.location_key, h.occurred_at AS seen_at,
                             h.event_type, h.status, h.value, h.unit, h.message
                        FROM fact_system_health h
                       WHERE h.component = names.component AND h.occurred_at > newest.at - interval '1 hour'
                       ORDER BY h.location_key, h.occurred_at DESC) word
            WHERE names.component IS NOT NULL ORDER BY 1, 2 NULLS FIRST"""
    )
    return [Said(**dict(row)) for row in rows]
