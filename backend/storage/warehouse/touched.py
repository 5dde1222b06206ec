"""All that events may have changed, for when it is not known whether anybody was told."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from uuid import UUID

from backend.events import BotPerformance, CommissionEvent, Event
from backend.storage.pool import Connection
from backend.storage.warehouse.scope import ALL
from backend.stream import entries

_HOUR = "to_char({} AT TIME ZONE 'UTC', 'YYYYMMDDHH24')"
_OF_FACTS = " UNION ".join(
    f"SELECT location_key, {_HOUR.format('occurred_at')}, date_key FROM {fact} "  # noqa: S608 - fixed words
    "JOIN unnest($1::timestamptz[], $2::uuid[]) AS told (occurred_at, event_id) USING (occurred_at, event_id)"
    for fact in ("fact_lead_interactions", "fact_bot_performance")
)
_OF_TALKS = (
    f"SELECT DISTINCT location_key, {_HOUR.format('replied_at')}, date_key FROM fact_bot_conversations "  # noqa: S608 - fixed words
    "WHERE conversation_id = ANY ($1::uuid[]) AND replied_at IS NOT NULL"
)
_OF_DEALS = (
    f"SELECT DISTINCT location_key, {_HOUR.format('occurred_at')}, date_key FROM fact_commission_events "  # noqa: S608 - fixed words
    "WHERE deal_id = ANY ($1::uuid[]) AND event_id = ANY ($2::uuid[])"
)


def tags(touched: Iterable[tuple[int, str, int]], *, stock: bool = False) -> set[str]:
    """Of (location key, hour in UTC, date key): the hour and the day, there and over all."""
    found = set()
    for key, hour, day in touched:
        for place in (key, ALL):
            found |= {entries.hour_tag(place, hour), entries.day_tag(place, day)}
            if stock:
                found.add(entries.stock_tag(place))
    return found


async def by(connection: Connection, events: Sequence[Event]) -> set[str]:
    """Tags of every count that these events, stored before, may have moved."""
    ids = [event.event_id for event in events]
    talks = _ids(event.conversation_id for event in events if isinstance(event, BotPerformance))
    deals = _ids(event.deal_id for event in events if isinstance(event, CommissionEvent))
    found = tags(await _rows(connection, _OF_FACTS, [event.occurred_at for event in events], ids))
    if talks:
        found |= tags(await _rows(connection, _OF_TALKS, talks))
    if deals:
        found |= tags(await _rows(connection, _OF_DEALS, deals, ids), stock=True)
    return found


async def _rows(connection: Connection, sql: str, *given: object) -> list[tuple[int, str, int]]:
    return [(row[0], row[1], row[2]) for row in await connection.fetch(sql, *given)]


def _ids(given: Iterable[UUID | None]) -> list[UUID]:
    return list({one for one in given if one is not None})
