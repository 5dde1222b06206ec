"""The brokerage's devices as the server sees them: who has unsent work, and who has not been seen."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from domain import errors
from services.desk import Desk
from services.ports import DeviceList

LATE = timedelta(hours=24)
"""Unsent work of a day, or a device that was not seen for a day although work waits there, needs a look."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceItem:
    """One device. `late`: somebody should look at it."""

    id: str
    person: str
    schema: int
    loading: bool
    error: str
    seen_at: datetime | None
    behind: int
    waiting: int
    parked: int
    oldest_at: datetime | None
    late: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Devices:
    """For managers and admins. `source` None = this session has no line to the server."""

    desk: Desk
    source: DeviceList | None = None

    async def read(self) -> tuple[DeviceItem, ...]:
        """Worst first, from the server now. Raises: ForbiddenError, NetworkError, AccessError."""
        if not self.desk.user.is_executive:
            raise errors.ForbiddenError(
                "Only managers see the devices.", where="devices", hint="Ask your manager."
            )
        if self.source is None or self.desk.sync.status().forced_offline:
            raise errors.UnreachableError(
                "This list comes live from the server.", where="devices", hint="Go online and ask again."
            )
        now = self.desk.now()
        found = [
            DeviceItem(
                id=line.id,
                person=line.person,
                schema=line.schema,
                loading=line.loading,
                error=line.error,
                seen_at=line.seen_at,
                behind=line.behind,
                waiting=line.waiting,
                parked=line.parked,
                oldest_at=line.oldest_at,
                late=bool(line.parked)
                or _old(line.oldest_at, now)
                or (_old(line.seen_at, now) and line.behind > 0),
            )
            for line in await self.source.fetch()
        ]
        return tuple(sorted(found, key=_badness))


def _old(moment: datetime | None, now: datetime) -> bool:
    return moment is not None and now - moment >= LATE


_NEVER = datetime(1, 1, 1, tzinfo=UTC)
_LATER = datetime(9999, 1, 1, tzinfo=UTC)


def _badness(item: DeviceItem) -> tuple[bool, int, datetime, int, datetime]:
    """Those to look at first; among them the most refused, the oldest work, the furthest behind, the longest unseen."""
    return (
        not item.late,
        -item.parked,
        item.oldest_at or _LATER,
        -item.behind,
        item.seen_at or _NEVER,
    )
