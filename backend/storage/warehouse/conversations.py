"""Bot events into facts, and what they tell of their conversations: one row each, completed in whatever order they come."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from backend.storage.pool import Connection

_COLUMNS = (
    "occurred_at, event_id, received_at, date_key, location_key, bot_key, to_bot_key, lead_id, conversation_id, event_type, "
    "confidence_bp, quality_bp, processing_us, success, replied, reason, source_key, props, lead_key"
)

# Only facts that are new tell anything, so a repeat changes nothing here either. Each column is a least (or greatest) of what the
# events say, or belongs to the first event by (occurred_at, event_id): the order in which they come makes no difference.
# At the end, `o` is the conversation as it was before: a statement does not see what it writes.
_STORE = f"""
WITH came AS (
    INSERT INTO fact_bot_performance ({_COLUMNS})
    SELECT {_COLUMNS} FROM pg_temp.stage_performance ON CONFLICT DO NOTHING
    RETURNING conversation_id, occurred_at, event_id, date_key, location_key, bot_key, lead_id, event_type, success, replied),
told AS MATERIALIZED (
    SELECT conversation_id,
           (array_agg(location_key ORDER BY occurred_at, event_id))[1] AS location_key,
           (array_agg(bot_key ORDER BY occurred_at, event_id))[1] AS bot_key,
           (array_agg(event_id ORDER BY occurred_at, event_id))[1] AS started_by,
           (array_agg(lead_id ORDER BY lead_id))[1] AS lead_id,
           min(occurred_at) AS started_at, max(occurred_at) AS last_at,
           min(occurred_at) FILTER (WHERE replied) AS replied_at, min(date_key) FILTER (WHERE replied) AS date_key,
           min(occurred_at) FILTER (WHERE event_type = 'qualified' AND success IS NOT FALSE) AS qualified_at
      FROM came WHERE conversation_id IS NOT NULL GROUP BY conversation_id),
kept AS (
    INSERT INTO fact_bot_conversations AS c (conversation_id, location_key, bot_key, lead_id, started_at, started_by, replied_at,
                                             date_key, qualified_at, last_at)
    SELECT conversation_id, location_key, bot_key, lead_id, started_at, started_by, replied_at, date_key, qualified_at, last_at
      FROM told ORDER BY conversation_id
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
    RETURNING *)
SELECT NULL::int, NULL::text, NULL::int, count(*) FROM came
UNION ALL
SELECT DISTINCT touched.location_key, to_char(touched.replied_at AT TIME ZONE 'UTC', 'YYYYMMDDHH24'), touched.date_key, 0
  FROM kept k LEFT JOIN LATERAL (
           SELECT c.* FROM fact_bot_conversations c WHERE c.conversation_id = k.conversation_id OFFSET 0) AS o ON true,
       LATERAL (VALUES (k.location_key, k.replied_at, k.date_key), (o.location_key, o.replied_at, o.date_key))
               AS touched (location_key, replied_at, date_key)
 WHERE (k.replied_at, k.location_key, k.bot_key, k.qualified_at IS NULL)
       IS DISTINCT FROM (o.replied_at, o.location_key, o.bot_key, o.qualified_at IS NULL)
   AND touched.replied_at IS NOT NULL
"""  # noqa: S608 - fixed words


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """How many rows were new, and which hours and days (location key, hour in UTC, date key) count otherwise than before."""

    new: int
    touched: Iterable[tuple[int, str, int]] = ()


async def store(connection: Connection) -> Counted:
    """What lies in stage_performance, in the caller's transaction."""
    first, *rest = sorted(await connection.fetch(_STORE), key=lambda row: row[0] is not None)
    return Counted(new=first[3], touched=[(row[0], row[1], row[2]) for row in rest])
