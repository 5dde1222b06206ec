"""A year of invented facts, made by PostgreSQL itself month by month and counted by the warehouse's own triggers."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import asyncpg

LOCATIONS, AGENTS, LEADS, DEALS = 24, 240, 40_000, 20_000
MONTHS = 12
ZONES = ("America/Los_Angeles", "America/Denver", "America/Chicago", "America/New_York")


@dataclass(frozen=True, slots=True, kw_only=True)
class Year:
    """`facts`: interactions (80 %), what bots did (17 %), conversations (3 %); 5 ledger lines a deal beside them."""

    facts: int
    now: datetime

    @property
    def months(self) -> list[tuple[datetime, datetime]]:
        step = timedelta(days=366) / MONTHS
        return [(self.now - step * (n + 1), self.now - step * n) for n in reversed(range(MONTHS))]


async def fill(url: str, facts: int, tell: Callable[[str], object]) -> float:
    """Seconds it took. The database has the warehouse's tables and no facts yet."""
    year = Year(facts=facts, now=datetime.now(UTC))
    connection = await asyncpg.connect(url)
    began = time.perf_counter()
    try:
        await connection.execute(
            "SELECT bi_make_partitions($1::date, $2::date)",
            year.now.date() - timedelta(days=370),
            year.now.date(),
        )
        await connection.execute("SELECT setseed(0.42)")
        await _dimensions(connection)
        for n, (since, until) in enumerate(year.months):
            for statement, count in _STATEMENTS:
                await connection.execute(statement, since, until, round(count(facts) / MONTHS))
            tell(f"  month {n + 1} of {MONTHS}: {time.perf_counter() - began:.0f} s")
        await connection.execute("VACUUM ANALYZE")
    finally:
        await connection.close()
    return time.perf_counter() - began


async def _dimensions(connection: asyncpg.Connection[asyncpg.Record]) -> None:
    await connection.execute(
        "INSERT INTO locations (id, name, state, zone) SELECT gen_random_uuid(), 'Office ' || i, 'CA',"
        " ($2::text[])[1 + i % 4] FROM generate_series(1, $1::int) i",
        LOCATIONS,
        list(ZONES),
    )
    await connection.execute(
        f"""INSERT INTO dim_lead (lead_id, location_key, agent_id, kind, source, stage, temperature, valid_from,
                                  created_at, last_contact_at, next_touch_at, answer_due_at)
            SELECT {_id("i")}, {_place("i")}, {_id(f"1000000 + i % {AGENTS}")}, 'seller', 'source ' || i % 9,
                   (ARRAY['new', 'contacted', 'qualified', 'agreement', 'offer', 'contract', 'closed', 'lost'])[1 + i % 8],
                   (ARRAY['hot', 'warm', 'lukewarm', 'cold', 'ice_cold'])[1 + (i / 8) % 5],
                   now() - interval '2 years', now() - random() * interval '1 year',
                   now() - random() * interval '90 days', now() + random() * interval '60 days', now()
              FROM generate_series(1, $1::int) i""",  # noqa: S608 - our own words
        LEADS,
    )


def _id(number: str) -> str:
    return f"('00000000-0000-7000-8000-' || lpad(to_hex({number}), 12, '0'))::uuid"


def _place(lead: str) -> str:
    """The office of a lead, as dim_location numbers them."""
    first = "(SELECT min(location_key) FROM dim_location WHERE location_key > 0)"
    return f"{first} + ({lead}) % {LOCATIONS}"


_MOMENTS = f"""
    SELECT i, lead, at, {_id("lead")} AS lead_id, {_id(f"1000000 + lead % {AGENTS}")} AS agent_id,
           (SELECT min(location_key) FROM dim_location WHERE location_key > 0) + lead % {LOCATIONS} AS place,
           random() AS dice, random() AS other
      FROM (SELECT i, 1 + floor(random() * {LEADS})::int AS lead, $1::timestamptz + random() * ($2::timestamptz - $1) AS at
              FROM generate_series(1, $3::int) i) made"""  # noqa: S608 - our own words
_DAY = "to_char(m.at AT TIME ZONE l.zone, 'YYYYMMDD')::int"
_FROM = f"FROM ({_MOMENTS}) m JOIN dim_location l ON l.location_key = m.place"

_STATEMENTS: tuple[tuple[str, Callable[[int], int]], ...] = (
    (
        f"""INSERT INTO fact_lead_interactions (occurred_at, event_id, received_at, date_key, location_key, bot_key, lead_key,
                agent_id, lead_id, event_type, channel, direction, stage, temperature)
            SELECT at, gen_random_uuid(), at, {_DAY}, place, floor(dice * 5)::int, lead, agent_id, lead_id,
                   (ARRAY['message', 'message', 'call', 'note', 'bot_turn', 'showing'])[1 + floor(other * 6)::int],
                   (ARRAY['sms', 'phone', 'email', 'web'])[1 + floor(dice * 4)::int],
                   (ARRAY['inbound', 'outbound'])[1 + floor(other * 2)::int],
                   (ARRAY['new', 'contacted', 'qualified', 'agreement'])[1 + lead % 4],
                   (ARRAY['hot', 'warm', 'lukewarm', 'cold', 'ice_cold'])[1 + lead % 5] {_FROM}""",
        lambda facts: facts * 80 // 100,
    ),
    (
        f"""INSERT INTO fact_bot_performance (occurred_at, event_id, received_at, date_key, location_key, bot_key, lead_key,
                lead_id, conversation_id, event_type, confidence_bp, quality_bp, processing_us, replied)
            SELECT at, gen_random_uuid(), at, {_DAY}, place, 1 + floor(dice * 4)::int, lead, lead_id, gen_random_uuid(),
                   (ARRAY['turn', 'turn', 'scored', 'scored', 'handoff', 'error'])[1 + floor(other * 6)::int],
                   floor(dice * 10000)::int, floor(other * 10000)::int, floor(8000 * exp(2 * dice))::int, dice > 0.5
            {_FROM}""",
        lambda facts: facts * 17 // 100,
    ),
    (
        f"""INSERT INTO fact_bot_conversations (conversation_id, location_key, bot_key, lead_id, started_at, started_by,
                replied_at, date_key, qualified_at, last_at)
            SELECT gen_random_uuid(), place, 1 + floor(dice * 4)::int, lead_id, at, gen_random_uuid(),
                   CASE WHEN other > 0.2 THEN at END, CASE WHEN other > 0.2 THEN {_DAY} END,
                   CASE WHEN other > 0.7 THEN at END, at {_FROM}""",
        lambda facts: facts * 3 // 100,
    ),
    (
        f"""INSERT INTO fact_commission_events (occurred_at, event_id, line, received_at, date_key, location_key, deal_id,
                lead_key, lead_id, agent_id, stage, sells, rate_bp, added, deals, price_cents, gross_cents, company_cents,
                source)
            SELECT at, gen_random_uuid(), step, at, {_DAY}, place, gen_random_uuid(), lead, lead_id, agent_id,
                   (ARRAY['new', 'new', 'contract', 'contract', 'closed'])[step], dice > 0.5, 300,
                   CASE step WHEN 1 THEN 1 ELSE 0 END, (ARRAY[1, -1, 1, -1, 1])[step],
                   (ARRAY[1, -1, 1, -1, 1])[step] * 50000000, (ARRAY[1, -1, 1, -1, 1])[step] * 1500000,
                   (ARRAY[1, -1, 1, -1, 1])[step] * 300000, 'source ' || lead % 9
              {_FROM}, generate_series(1, CASE WHEN other > 0.3 THEN 5 ELSE 1 END) AS step""",
        lambda facts: DEALS,
    ),
)
