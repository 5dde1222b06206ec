"""How leads fared, out of the versions of `dim_lead`: who cooled and came back or not, and what each source brought."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from backend.storage.pool import Connection

COOLED_WITHIN_DAYS = 14
CAME_BACK_WITHIN_DAYS = 30
LOOKED_BACK_DAYS = 180
EXAMPLES = 20

_STEPS = f"""
    WITH marked AS (
        SELECT lead_id, stage, valid_from, valid_to,
               array_position(ARRAY['ice_cold', 'cold', 'lukewarm', 'warm', 'hot'], temperature) AS heat,
               lag(array_position(ARRAY['ice_cold', 'cold', 'lukewarm', 'warm', 'hot'], temperature)) OVER later AS before,
               lead(array_position(ARRAY['ice_cold', 'cold', 'lukewarm', 'warm', 'hot'], temperature)) OVER later AS after,
               lead(stage) OVER later AS stage_after
          FROM dim_lead
         WHERE location_key = ANY($1::int[]) AND NOT opted_out
           AND valid_to > $2::timestamptz - interval '{LOOKED_BACK_DAYS + CAME_BACK_WITHIN_DAYS + 30} days'
        WINDOW later AS (PARTITION BY lead_id ORDER BY valid_from))"""  # noqa: S608 - fixed words


@dataclass(frozen=True, slots=True, kw_only=True)
class Cooling:
    """`cooling`: warm or hot leads that cooled within two weeks and are still in the pipe. Of those that cooled earlier,
    `stayed_cold` of `tried` were neither as warm again nor closed within a month."""

    cooling: int
    active: int
    tried: int
    stayed_cold: int
    examples: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class HotSpells:
    """Times that leads were hot and that are over: how many, and how many of them ended colder instead of closed."""

    ended: int
    cooled: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Leads of a source that were won or lost within a year."""

    source: str
    won: int
    resolved: int


async def cooling(connection: Connection, keys: Sequence[int], now: datetime) -> Cooling:
    row = await connection.fetchrow(
        f"""{_STEPS},
            cooled AS (SELECT * FROM marked WHERE heat < before AND before >= 4 AND valid_from <= $2),
            judged AS (
                SELECT NOT EXISTS (
                           SELECT FROM marked m WHERE m.lead_id = c.lead_id AND m.valid_from > c.valid_from
                              AND m.valid_from <= c.valid_from + interval '{CAME_BACK_WITHIN_DAYS} days'
                              AND (m.heat >= c.before OR m.stage = 'closed')) AS cold
                  FROM cooled c
                 WHERE valid_from <= $2 - interval '{CAME_BACK_WITHIN_DAYS} days'
                   AND valid_from > $2 - interval '{LOOKED_BACK_DAYS + CAME_BACK_WITHIN_DAYS} days'),
            fresh AS (
                SELECT lead_id, max(valid_from) AS at FROM cooled
                 WHERE valid_from > $2 - interval '{COOLED_WITHIN_DAYS} days' AND valid_to = 'infinity'
                   AND stage NOT IN ('closed', 'lost') GROUP BY 1)
            SELECT (SELECT count(*) FROM fresh) AS cooling,
                   (SELECT count(*) FROM marked WHERE valid_to = 'infinity' AND stage NOT IN ('closed', 'lost')) AS active,
                   (SELECT count(*) FROM judged) AS tried,
                   (SELECT count(*) FILTER (WHERE cold) FROM judged) AS stayed_cold,
                   (SELECT coalesce(array_agg(lead_id::text), '{{}}') FROM (
                        SELECT lead_id FROM fresh ORDER BY at DESC, lead_id LIMIT {EXAMPLES}) e) AS examples""",  # noqa: S608 - fixed words
        list(keys),
        now,
    )
    assert row is not None  # a SELECT of sub-selects always has its row
    return Cooling(**{**dict(row), "examples": tuple(row["examples"])})


async def hot_spells(connection: Connection, keys: Sequence[int], now: datetime) -> HotSpells:
    row = await connection.fetchrow(
        f"""{_STEPS}
            SELECT count(*) AS ended,
                   count(*) FILTER (WHERE after < 5 AND stage_after NOT IN ('closed', 'contract', 'offer')) AS cooled
              FROM marked WHERE heat = 5 AND stage NOT IN ('closed', 'lost') AND valid_to <= $2
               AND valid_to > $2 - interval '{LOOKED_BACK_DAYS} days' AND (after < 5 OR stage_after = 'closed')""",  # noqa: S608 - fixed words
        list(keys),
        now,
    )
    assert row is not None  # an aggregate without GROUP BY always has its row
    return HotSpells(**dict(row))


async def sources(connection: Connection, keys: Sequence[int], now: datetime) -> list[Source]:
    rows = await connection.fetch(
        """SELECT source, count(*) FILTER (WHERE stage = 'closed') AS won, count(*) AS resolved
             FROM dim_lead
            WHERE location_key = ANY($1::int[]) AND valid_to = 'infinity' AND stage IN ('closed', 'lost') AND source <> ''
              AND valid_from > $2::timestamptz - interval '365 days' GROUP BY 1 ORDER BY 1""",
        list(keys),
        now,
    )
    return [Source(**dict(row)) for row in rows]
