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

COLUMNS = (
    "conversation_id location_key bot_key lead_id started_at started_by replied_at date_key qualified_at last_at"
).split()
_TYPES = "uuid int int uuid timestamptz uuid timestamptz int timestamptz timestamptz".split()
_TOLD = ", ".join(f"${n}::{type}[]" for n, type in enumerate(_TYPES, 1))

# Each column is a least (or greatest) of what the events say, or belongs to the first event by (occurred_at, event_id): the order
# in which they come makes no difference. `o` is the conversation as it was before, in one look. Nobody else writes conversations
# meanwhile (`facts` sees to it), so there are no conflicts to look for.
_COMPLETE = f"""
WITH told AS MATERIALIZED (SELECT * FROM unnest({_TOLD}) AS t ({", ".join(COLUMNS)})),
went_on AS (
    UPDATE fact_bot_conversations c SET
        location_key = CASE WHEN (t.started_at, t.started_by) < (o.started_at, o.started_by) THEN t.location_key ELSE o.location_key END,
        bot_key = CASE WHEN (t.started_at, t.started_by) < (o.started_at, o.started_by) THEN t.bot_key ELSE o.bot_key END,
        started_by = CASE WHEN (t.started_at, t.started_by) < (o.started_at, o.started_by) THEN t.started_by ELSE o.started_by END,
        started_at = least(o.started_at, t.started_at),
        lead_id = least(o.lead_id, t.lead_id),
        replied_at = least(o.replied_at, t.replied_at),
        date_key = least(o.date_key, t.date_key),
        qualified_at = least(o.qualified_at, t.qualified_at),
        last_at = greatest(o.last_at, t.last_at)
      FROM told t JOIN fact_bot_conversations o USING (conversation_id) WHERE c.ctid = o.ctid
    RETURNING c.conversation_id, c.location_key, c.bot_key, c.replied_at, c.date_key, c.qualified_at, o.location_key AS was_location_key,
              o.bot_key AS was_bot_key, o.replied_at AS was_replied_at, o.date_key AS was_date_key, o.qualified_at AS was_qualified_at),
begun AS (
    INSERT INTO fact_bot_conversations ({", ".join(COLUMNS)})
    SELECT * FROM told t WHERE NOT EXISTS (SELECT FROM went_on w WHERE w.conversation_id = t.conversation_id)
    RETURNING location_key, replied_at, date_key),
touched AS (
    SELECT location_key, replied_at, date_key FROM begun
    UNION ALL
    SELECT place.* FROM went_on, LATERAL (
        VALUES (location_key, replied_at, date_key), (was_location_key, was_replied_at, was_date_key)) AS place
     WHERE (replied_at, location_key, bot_key, qualified_at IS NULL)
           IS DISTINCT FROM (was_replied_at, was_location_key, was_bot_key, was_qualified_at IS NULL))
SELECT location_key, to_char(hour AT TIME ZONE 'UTC', 'YYYYMMDDHH24'), date_key FROM (
    SELECT DISTINCT location_key, date_trunc('hour', replied_at, 'UTC') AS hour, date_key FROM touched WHERE replied_at IS NOT NULL) hours
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
    return [(row[0], row[1], row[2]) for row in await connection.fetch(_COMPLETE, *zip(*talks, strict=True))]


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
