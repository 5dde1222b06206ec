"""What bot events tell of their conversations: one row each, completed in whatever order they come."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias
from uuid import UUID

from backend.events import BotPerformance
from backend.storage.pool import Connection
from backend.storage.warehouse.keys import Spot
from backend.storage.warehouse.staging import Row

_TABLE = "stage_conversations"
COLUMNS = (
    "conversation_id location_key bot_key lead_id started_at started_by replied_at date_key qualified_at last_at"
).split()
DDL = (
    f"CREATE TEMP TABLE {_TABLE} ON COMMIT DELETE ROWS AS "  # noqa: S608 - fixed words
    f"SELECT {', '.join(COLUMNS)} FROM fact_bot_conversations WITH NO DATA"
)

# Each column is a least (or greatest) of what the events say, or belongs to the first event by (occurred_at, event_id): the order
# in which they come makes no difference. At the end, `o` is the conversation as it was before: a statement does not see what it
# writes.
_COMPLETE = f"""
WITH kept AS (
    INSERT INTO fact_bot_conversations AS c ({", ".join(COLUMNS)})
    SELECT {", ".join(COLUMNS)} FROM pg_temp.{_TABLE}
    ON CONFLICT (conversation_id) DO UPDATE SET
        location_key = CASE WHEN (excluded.started_at, excluded.started_by) < (c.started_at, c.started_by)
                            THEN excluded.location_key ELSE c.location_key END,
        bot_key = CASE WHEN (excluded.started_at, excluded.started_by) < (c.started_at, c.started_by)
                       THEN excluded.bot_key ELSE c.bot_key END,
        started_by = CASE WHEN (excluded.started_at, excluded.started_by) < (c.started_at, c.started_by)
                          THEN excluded.started_by ELSE c.started_by END,
        started_at = least(c.started_at, excluded.started_at),
        lead_id = least(c.lead_id, excluded.lead_id),
        replied_at = least(c.replied_at, excluded.replied_at),
        date_key = least(c.date_key, excluded.date_key),
        qualified_at = least(c.qualified_at, excluded.qualified_at),
        last_at = greatest(c.last_at, excluded.last_at)
    RETURNING conversation_id, location_key, bot_key, replied_at, date_key, qualified_at)
SELECT location_key, to_char(hour AT TIME ZONE 'UTC', 'YYYYMMDDHH24'), date_key FROM (
    SELECT DISTINCT touched.location_key, date_trunc('hour', touched.replied_at, 'UTC') AS hour, touched.date_key
      FROM kept k LEFT JOIN LATERAL (
               SELECT c.* FROM fact_bot_conversations c WHERE c.conversation_id = k.conversation_id OFFSET 0) AS o ON true,
           LATERAL (VALUES (k.location_key, k.replied_at, k.date_key), (o.location_key, o.replied_at, o.date_key))
                   AS touched (location_key, replied_at, date_key)
     WHERE (k.replied_at, k.location_key, k.bot_key, k.qualified_at IS NULL)
           IS DISTINCT FROM (o.replied_at, o.location_key, o.bot_key, o.qualified_at IS NULL)
       AND touched.replied_at IS NOT NULL) hours
"""  # noqa: S608 - fixed words


Touched: TypeAlias = Sequence[tuple[int, str, int]]
"""(location key, hour in UTC, date key) each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """How many rows were new, and which hours and days count otherwise than before."""

    new: int
    touched: Touched = ()


@dataclass(slots=True)
class _Talk:
    """What a batch tells of one conversation."""

    conversation_id: UUID
    location_key: int
    bot_key: int
    lead_id: UUID | None
    started_at: datetime
    started_by: UUID
    last_at: datetime
    replied_at: datetime | None = None
    date_key: int | None = None
    qualified_at: datetime | None = None

    def row(self) -> Row:
        return (
            self.conversation_id,
            self.location_key,
            self.bot_key,
            self.lead_id,
            self.started_at,
            self.started_by,
            self.replied_at,
            self.date_key,
            self.qualified_at,
            self.last_at,
        )

    def hear(self, at: datetime, by: UUID, place: int, bot: int, lead_id: UUID | None) -> None:
        if at > self.last_at:
            self.last_at = at
        elif at < self.started_at or (at == self.started_at and by.int < self.started_by.int):
            self.started_at, self.started_by, self.location_key, self.bot_key = at, by, place, bot
        if lead_id is not None and (self.lead_id is None or lead_id.int < self.lead_id.int):
            self.lead_id = lead_id

    def reply(self, at: datetime, day: int) -> None:
        if self.replied_at is None or at < self.replied_at:
            self.replied_at = at
        if self.date_key is None or day < self.date_key:
            self.date_key = day

    def qualify(self, at: datetime) -> None:
        if self.qualified_at is None or at < self.qualified_at:
            self.qualified_at = at


async def complete(connection: Connection, talks: Sequence[Row]) -> Touched:
    """With what `told` says of them, in the caller's transaction; what counts otherwise than before."""
    if not talks:
        return []
    await connection.copy_records_to_table(_TABLE, records=talks, columns=COLUMNS, schema_name="pg_temp")
    return [(row[0], row[1], row[2]) for row in await connection.fetch(_COMPLETE)]


def told(
    events: Sequence[BotPerformance],
    spots: Sequence[Spot],
    bots: Mapping[str | None, int],
    new: Container[int],
) -> Sequence[Row]:
    """A row for each conversation that new events speak of (a repeat tells nothing).

    `new`: the integers of their ids. UUIDs are known by their integers: they work their hash out in Python each time.
    """
    talks: dict[int, _Talk] = {}
    for event, spot in zip(events, spots, strict=True):
        id = event.conversation_id
        if id is None or event.event_id.int not in new:
            continue
        at, bot = event.occurred_at, bots[event.bot_id]
        talk = talks.get(id.int)
        if talk is None:
            talk = talks[id.int] = _Talk(id, spot.location_key, bot, event.lead_id, at, event.event_id, at)
        else:
            talk.hear(at, event.event_id, spot.location_key, bot, event.lead_id)
        if event.replied:
            talk.reply(at, spot.date_key)
        if event.event_type == "qualified" and event.success is not False:
            talk.qualify(at)
    return [talk.row() for talk in talks.values()]
