"""Hand-offs between bots, judged by the rules of coordination, and conversations that nobody ended."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from backend.storage.pool import Connection

BACK_WITHIN = timedelta(minutes=30)
MOST_AN_HOUR = 3
MOST_A_DAY = 10
LEAST_CONFIDENCE_BP = 7_000
IDLE = timedelta(hours=24)
"""A conversation that is silent for longer, and neither qualified nor ended, was left unfinished."""
EXAMPLES = 10

# The unit that is handed about is the lead; where an event names none, its conversation.
_JUDGED = f"""
    WITH passes AS MATERIALIZED (
        SELECT event_id, occurred_at, location_key, bot_key, to_bot_key, confidence_bp, lead_id, conversation_id, reason,
               coalesce(lead_id, conversation_id) AS unit
          FROM fact_bot_performance
         WHERE event_type = 'handoff' AND location_key = ANY($1::int[])
           AND occurred_at >= $2::timestamptz - interval '1 day' AND occurred_at < $3),
    judged AS MATERIALIZED (
        SELECT *, unit IS NOT NULL AND coalesce(to_bot_key = ANY (array_agg(bot_key) OVER earlier), false) AS back,
               CASE WHEN unit IS NULL THEN 1 ELSE count(*) OVER an_hour END AS in_hour,
               CASE WHEN unit IS NULL THEN 1 ELSE count(*) OVER a_day END AS in_day
          FROM passes
        WINDOW earlier AS (PARTITION BY unit ORDER BY occurred_at
                          RANGE BETWEEN interval '{BACK_WITHIN.total_seconds():.0f} s' PRECEDING AND CURRENT ROW EXCLUDE GROUP),
               an_hour AS (PARTITION BY unit ORDER BY occurred_at RANGE BETWEEN interval '1 hour' PRECEDING AND CURRENT ROW),
               a_day AS (PARTITION BY unit ORDER BY occurred_at RANGE BETWEEN interval '1 day' PRECEDING AND CURRENT ROW)),
    flagged AS MATERIALIZED (
        SELECT *, confidence_bp < {LEAST_CONFIDENCE_BP} AS unsure, in_hour > {MOST_AN_HOUR} AS over_hour, in_day > {MOST_A_DAY} AS over_day
          FROM judged WHERE occurred_at >= $2)"""  # noqa: S608 - fixed words


_SHOWN = """event_id, occurred_at, bot_key, to_bot_key, confidence_bp, lead_id, conversation_id, location_key,
            in_hour, in_day, reason"""
_FLAGS = ("unsure", "back", "over_hour", "over_day")


@dataclass(frozen=True, slots=True, kw_only=True)
class Passes:
    """`flow`: one line a pair of bots; `counts`: hand-offs and units by flag; `examples`: the newest of each flag."""

    flow: Sequence[Mapping[str, Any]]
    counts: Mapping[str, int]
    examples: Mapping[str, Sequence[Mapping[str, Any]]]


def _examples(flag: str) -> str:
    return f"""(SELECT coalesce(jsonb_agg(e), '[]') FROM (
        SELECT {_SHOWN} FROM flagged WHERE {flag} ORDER BY occurred_at DESC LIMIT {EXAMPLES}) e) AS {flag}"""  # noqa: S608 - fixed words


_COUNTS = ", ".join(
    f"count(*) FILTER (WHERE {flag}) AS {flag}, count(DISTINCT unit) FILTER (WHERE {flag}) AS {flag}_units"
    for flag in _FLAGS
)
_PASSES = f"""{_JUDGED}
    SELECT (SELECT coalesce(jsonb_agg(f), '[]') FROM (
                SELECT bot_key, to_bot_key, count(*) AS n, sum(confidence_bp) AS confidence_bp, count(confidence_bp) AS rated,
                       count(*) FILTER (WHERE unsure) AS unsure
                  FROM flagged GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2) f) AS flow,
           (SELECT to_jsonb(c) FROM (
                SELECT count(*) AS n, count(confidence_bp) AS rated, count(DISTINCT unit) AS units,
                       count(*) FILTER (WHERE unit IS NULL) AS without_unit, {_COUNTS} FROM flagged) c) AS counts,
           {", ".join(map(_examples, _FLAGS))}"""  # noqa: S608 - fixed words


async def judged(connection: Connection, keys: Sequence[int], start: datetime, end: datetime) -> Passes:
    """Every hand-off in [start, end) held against the rules; those of the day before `start` count towards its limits."""
    row = await connection.fetchrow(_PASSES, list(keys), start, end)
    assert row is not None  # an aggregate without GROUP BY always has its row
    return Passes(flow=row["flow"], counts=row["counts"], examples={flag: row[flag] for flag in _FLAGS})


async def broken_by_bot(connection: Connection, start: datetime, end: datetime) -> list[Mapping[str, Any]]:
    """Of every office and bot that hands over: hand-offs, those that went back, those beyond a limit."""
    keys = [row["location_key"] for row in await connection.fetch("SELECT location_key FROM dim_location")]
    rows = await connection.fetch(
        f"""{_JUDGED} SELECT location_key, bot_key, count(*) AS n, count(*) FILTER (WHERE back) AS back,
                             count(*) FILTER (WHERE over_hour OR over_day) AS over_limit
                        FROM flagged GROUP BY 1, 2""",  # noqa: S608 - fixed words
        keys,
        start,
        end,
    )
    return [dict(row) for row in rows]


async def unfinished(
    connection: Connection, keys: Sequence[int], start: datetime, end: datetime, *, now: datetime
) -> Mapping[str, Any]:
    """Conversations whose first reply lies in [start, end), by the bot that began them; those left without an end."""
    row = await connection.fetchrow(
        f"""WITH ended AS MATERIALIZED (
                SELECT DISTINCT conversation_id FROM fact_bot_performance
                 WHERE event_type = 'conversation_ended' AND location_key = ANY($1::int[]) AND occurred_at >= $2),
            talks AS MATERIALIZED (
                SELECT c.*, qualified_at IS NULL AND ended.conversation_id IS NULL AND last_at < $4 AS open
                  FROM fact_bot_conversations c LEFT JOIN ended USING (conversation_id)
                 WHERE location_key = ANY($1::int[]) AND replied_at >= $2 AND replied_at < $3)
            SELECT (SELECT coalesce(jsonb_agg(b), '[]') FROM (
                        SELECT bot_key, count(*) AS n, count(*) FILTER (WHERE open) AS unfinished
                          FROM talks GROUP BY 1 ORDER BY 1) b) AS bots,
                   (SELECT coalesce(jsonb_agg(e), '[]') FROM (
                        SELECT conversation_id, lead_id, bot_key, replied_at, last_at FROM talks WHERE open
                         ORDER BY last_at DESC LIMIT {EXAMPLES}) e) AS examples""",  # noqa: S608 - fixed words
        list(keys),
        start,
        end,
        now - IDLE,
    )
    assert row is not None  # a SELECT of sub-selects always has its row
    return dict(row)
