"""What is set aside: the book that the follower keeps of it."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from backend.storage.warehouse import feed_aside
from backend.stream.from_sync.changed import Changed

if TYPE_CHECKING:
    from backend.deps import Deps
    from backend.storage.pool import Connection
    from backend.storage.warehouse.feed_aside import Row

logger = logging.getLogger(__name__)

MOST_AT_ONCE = 100


@dataclass(slots=True, kw_only=True)
class Aside:
    """`count`: rows that are set aside; None: not looked yet. Nobody else writes there while this one follows."""

    deps: Deps
    connection: Connection
    count: int | None = None

    def numbers(self) -> Mapping[str, float]:
        """For GET /metrics."""
        return {"aside": float(self.count or 0)}

    async def among(self, rows: Collection[Row]) -> set[Row]:
        """Those of `rows` that are set aside."""
        return await feed_aside.among(self.connection, rows) if rows and await self._counted() else set()

    async def due(self) -> Changed:
        """What is to be tried again by now."""
        now = self.deps.clock.now()
        if not await self._counted():
            return Changed()
        return Changed.anew(await feed_aside.due(self.connection, now, limit=MOST_AT_ONCE), now)

    async def _counted(self) -> int:
        if self.count is None:
            self.count = await feed_aside.count(self.connection)
        return self.count

    async def keep(self, changed: Changed, accused: Mapping[Row, str], known: Collection[Row]) -> None:
        """All of `changed` was brought, but for the accused; `known`: which of them were set aside before."""
        if accused:
            await feed_aside.put(self.connection, accused, self.deps.clock.now())
            _tell({row: reason for row, reason in accused.items() if row not in known})
        if brought := [row for row in known if row not in accused]:
            await feed_aside.take_back(self.connection, brought)
            logger.info("from_sync.taken_back", extra={"rows": len(brought)})
        if accused or brought:
            self.count = await feed_aside.count(self.connection)
        if self.count and (leads := [one for one in changed.lead_versions if ("leads", one) not in accused]):
            await feed_aside.hurry(self.connection, leads, self.deps.clock.now())


def _tell(accused: Mapping[Row, str]) -> None:
    """A line for each table and reason, with one of its rows."""
    groups = Counter((table, reason) for (table, _), reason in accused.items())
    for (table, reason), count in groups.items():
        row = next(row_id for (its, row_id), why in accused.items() if (its, why) == (table, reason))
        extra = {"table": table, "reason": reason, "rows": count, "row": str(row)}
        logger.warning("from_sync.set_aside", extra=extra)
