"""Hand-offs between bots as columns of numbers, the events behind some of them, and conversations that nobody ended."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from backend.storage.warehouse import latencies

if TYPE_CHECKING:
    from backend.storage.pool import Connection

IDLE = timedelta(hours=24)
"""A conversation that is silent for longer, and neither qualified nor ended, was left unfinished."""
EXAMPLES = 10
UNKNOWN = -1
Numbers: TypeAlias = NDArray[np.int64]
_NONE: Numbers = np.zeros(0, np.int64)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Passes:
    """One hand-off at each place of all columns. `at` in µs since 1970; `confidence_bp` UNKNOWN where none is told.

    `unit` stands for who is handed about: the lead; where an event names none, its conversation; else the event itself.
    """

    at: Numbers
    location: Numbers
    giver: Numbers
    taker: Numbers
    unit: Numbers
    confidence_bp: Numbers


_COLUMNS: Mapping[str, str] = {
    "at": "round(extract(epoch FROM occurred_at) * 1000000)::bigint",
    "location": "location_key::bigint",
    "giver": "bot_key::bigint",
    "taker": "coalesce(to_bot_key, 0)::bigint",
    "unit": "uuid_hash_extended(coalesce(lead_id, conversation_id, event_id), 0)",
    "confidence_bp": f"coalesce(confidence_bp, {UNKNOWN})::bigint",
}


async def passes(connection: Connection, keys: Sequence[int], start: datetime, end: datetime) -> Passes:
    """Those in [start, end), in no order. As columns: row by row they would cost twenty times as much."""
    wanted = ", ".join(f"array_send(array_agg({column})) AS {name}" for name, column in _COLUMNS.items())
    row = await connection.fetchrow(
        f"""SELECT {wanted} FROM fact_bot_performance
             WHERE event_type = 'handoff' AND location_key = ANY($1::int[]) AND occurred_at >= $2 AND occurred_at < $3""",  # noqa: S608 - fixed words
        list(keys),
        start,
        end,
    )
    assert row is not None  # an aggregate without GROUP BY always has its row
    return Passes(**{name: latencies.decoded(row[name]) if row[name] else _NONE for name in _COLUMNS})


Key: TypeAlias = tuple[int, int, int, int]
"""Moment in µs, unit, giver, taker."""


async def events(
    connection: Connection, keys: Sequence[int], moments: Sequence[int]
) -> dict[Key, Mapping[str, Any]]:
    """The hand-offs of these moments (µs since 1970)."""
    rows = await connection.fetch(
        f"""SELECT {_COLUMNS["at"]} AS at, {_COLUMNS["unit"]} AS unit, event_id, occurred_at, bot_key, to_bot_key, confidence_bp,
                  lead_id, conversation_id, reason
             FROM fact_bot_performance
            WHERE occurred_at = ANY($2::timestamptz[]) AND event_type = 'handoff' AND location_key = ANY($1::int[])""",  # noqa: S608 - fixed words
        list(keys),
        [_EPOCH + timedelta(microseconds=moment) for moment in sorted(set(moments))],
    )
    return {(row["at"], row["unit"], row["bot_key"], row["to_bot_key"] or 0): dict(row) for row in rows}


async def unfinished(
    connection: Connection, keys: Sequence[int], start: datetime, end: datetime, *, now: datetime
) -> Mapping[str, Any]:
    """Conversations whose first reply lies in [start, end), by the bot that began them; those left without an end."""
    row = await connection.fetchrow(
        f"""WITH ended AS MATERIALIZED (
                SELECT DISTINCT conversation_id FROM fact_bot_performance
                 WHERE event_type = 'conversation_ended' AND location_key = ANY($1::int[]) AND occurred_at >= $2),
            talks AS MATERIALIZED (
                SELECT c.conversation_id, c.bot_key, c.last_at,
                       qualified_at IS NULL AND ended.conversation_id IS NULL AND last_at < $4 AS open
                  FROM fact_bot_conversations c LEFT JOIN ended USING (conversation_id)
                 WHERE location_key = ANY($1::int[]) AND replied_at >= $2 AND replied_at < $3)
            SELECT (SELECT coalesce(jsonb_agg(b), '[]') FROM (
                        SELECT bot_key, count(*) AS n, count(*) FILTER (WHERE open) AS unfinished
                          FROM talks GROUP BY 1 ORDER BY 1) b) AS bots,
                   (SELECT coalesce(jsonb_agg(e), '[]') FROM (
                        SELECT c.conversation_id, c.lead_id, c.bot_key, c.replied_at, c.last_at
                          FROM (SELECT conversation_id FROM talks WHERE open ORDER BY last_at DESC LIMIT {EXAMPLES}) newest
                          JOIN fact_bot_conversations c USING (conversation_id) ORDER BY c.last_at DESC) e) AS examples""",  # noqa: S608 - fixed words
        list(keys),
        start,
        end,
        now - IDLE,
    )
    assert row is not None  # a SELECT of sub-selects always has its row
    return dict(row)
