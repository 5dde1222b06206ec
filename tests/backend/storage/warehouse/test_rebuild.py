"""The aggregates are the sum of the facts after anything that can happen to them; `rebuild` proves it, and mends what was damaged."""

from __future__ import annotations

import asyncio
import random
import uuid
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import product
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backend.events import Event
from backend.storage.pool import Connection
from backend.storage.warehouse import columns, facts, packed, partitions
from backend.storage.warehouse.rebuild import rebuild
from tests.backend.storage.warehouse import events
from tests.backend.storage.warehouse.events import NOW, arrived, rows

pytestmark = pytest.mark.anyio

TALKS = [uuid.UUID(int=n) for n in range(1, 6)]
FACTS = (
    "fact_lead_interactions",
    "fact_bot_performance",
    "fact_bot_conversations",
    "fact_commission_events",
)
DAMAGE = (
    "UPDATE agg_hourly_metrics SET interactions = interactions + 1, turns_us = turns_us - 7",
    "UPDATE agg_daily_metrics SET bot_events = bot_events + 1",
    "DELETE FROM agg_daily_pipeline",
    "UPDATE agg_latency_hist SET counts[1] = counts[1] + 1",
    "DELETE FROM agg_latency_hist WHERE grain = 'd'",
    "INSERT INTO agg_hourly_metrics (hour, location_key, bot_key, calls) VALUES ('2026-11-25 03:00+00', 1, 0, 5)",
    "DELETE FROM fact_bot_conversations",
    "UPDATE fact_bot_conversations SET qualified_at = NULL, replied_at = replied_at - interval '9 days', bot_key = 0",
    "INSERT INTO fact_bot_conversations (conversation_id, location_key, bot_key, started_at, started_by, replied_at, date_key, last_at) "
    "SELECT gen_random_uuid(), 1, 0, started_at, started_by, started_at, 20261122, last_at FROM fact_bot_conversations LIMIT 1",
    "DELETE FROM fact_bot_performance WHERE replied",
    "DELETE FROM fact_commission_events WHERE line = 0",
    "DELETE FROM deal_states WHERE stage = 'offer'",
    "INSERT INTO fact_commission_events SELECT (jsonb_populate_record(f, jsonb_build_object('event_id', gen_random_uuid(), 'line', 1))).* "
    "FROM fact_commission_events f WHERE deals <> 0 LIMIT 1",
)


def invented(rng: random.Random, count: int) -> list[Event]:
    """Of three days; conversations and deals come back, and nobody keeps an order."""
    return [_one(rng, events.before(minutes=rng.randrange(3 * 1440))) for _ in range(count)]


def _one(rng: random.Random, moment: datetime) -> Event:
    common: dict[str, Any] = {
        "occurred_at": moment,
        "location_id": rng.choice([events.PLACE, events.OTHER]),
        "event_id": uuid.UUID(int=rng.getrandbits(128)),
    }
    which = rng.random()
    if which < 0.4:
        return events.interaction(
            event_type=rng.choice(["message", "call", "visit", "stage_changed"]),
            direction=rng.choice(["inbound", "outbound", None]),
            temperature=rng.choice(["hot", "cold", None]),
            bot_id=rng.choice([None, "lead-bot"]),
            **common,
        )
    if which < 0.8:
        return events.bot(
            event_type=rng.choice(["turn", "scored", "qualified", "error"]),
            bot_id=rng.choice(["lead-bot", "jorge-seller"]),
            conversation_id=rng.choice([*TALKS, None]),
            processing_ms=rng.choice([None, rng.uniform(0, 500)]),
            confidence=rng.choice([None, rng.random()]),
            quality=rng.choice([None, rng.random()]),
            success=rng.choice([None, True, False]),
            replied=rng.choice([None, True, False]),
            **common,
        )
    return events.deal(
        deal_id=rng.choice(TALKS),
        stage=rng.choice(["new", "offer", "contract", "closed", "lost"]),
        closed_on=rng.choice([None, "2026-11-20", "2026-11-30"]),
        price_cents=rng.randrange(10**9),
        **common,
    )


async def copied(owner: Connection, told: Sequence[Event]) -> None:
    """Interactions put there by a COPY of somebody else's."""
    key = await owner.fetchval("SELECT min(location_key) FROM dim_location WHERE location_key > 0")
    await owner.copy_records_to_table(
        "fact_lead_interactions",
        records=[(e.occurred_at, uuid.uuid4(), NOW, 20261122, key, "call") for e in told],
        columns=["occurred_at", "event_id", "received_at", "date_key", "location_key", "event_type"],
    )


async def emptied(owner: Connection) -> None:
    for table in (*FACTS, "deal_states"):
        await owner.execute(f"DELETE FROM {table}")  # noqa: S608 - fixed words


async def differed(connection: Connection) -> int:
    return (await rebuild(connection, check=True)).all_differed


async def sums_differed(connection: Connection) -> int:
    """Without what is made of facts that somebody took away by hand."""
    found = (await rebuild(connection, check=True)).differed
    return sum(count for table, count in found.items() if table not in FACTS)


STEPS = st.lists(
    st.sampled_from(["store", "store", "repeat", "copy", "delete", "pack", "rebuild"]), min_size=2, max_size=7
)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS, seed=st.integers(0, 10**6))
async def test_aggregates_are_the_sum_of_the_facts_whatever_happened(
    owner: Connection, writer: Connection, steps: Sequence[str], seed: int
) -> None:
    await emptied(owner)
    rng, told, whole = random.Random(seed), invented(random.Random(seed + 1), 10), True
    for step in ("store", *steps):
        if step == "store":
            told = invented(rng, rng.randrange(1, 25))
        if step in ("store", "repeat"):
            await facts.store(writer, arrived(*rng.sample(told, len(told))))
        elif step == "copy":
            await copied(owner, told)
        elif step == "delete":
            await owner.execute(f"DELETE FROM {rng.choice(FACTS)} WHERE random() < 0.5")  # noqa: S608 - fixed words
            whole = False
        elif step == "pack":
            for fact, days in product(columns.LAYOUTS, range(4)):
                await packed.pack(writer, fact, NOW.date() - timedelta(days=days))
        else:
            found = await rebuild(owner)
            assert found.all_differed == 0 or not whole
            whole = True

        assert await (differed if whole else sums_differed)(owner) == 0


async def test_the_aggregates_hold_what_was_sent(writer: Connection) -> None:
    told = invented(random.Random(5), 200)

    await facts.store(writer, arrived(*told))

    turns = [e for e in told if e.event_type == "turn"]
    timed = [round(e.processing_ms * 1000) for e in turns if e.processing_ms is not None]
    for table in ("agg_hourly_metrics", "agg_daily_metrics"):
        sums = f"SELECT sum(turns)::int, sum(timed_turns)::int, sum(turns_us)::int FROM {table} WHERE location_key = -1"  # noqa: S608 - fixed words
        assert await rows(writer, sums) == [(len(turns), len(timed), sum(timed))]
    histogram = "SELECT sum(n)::int FROM agg_latency_hist, unnest(counts) n WHERE grain = $1 AND kind = 'turn' AND (location_key, bot_key) = (-1, -1)"
    for grain in (b"h", b"d"):
        assert await rows(writer, histogram, grain) == [(len(timed),)]


@pytest.mark.parametrize("damage", DAMAGE)
async def test_damage_is_found_and_mended_and_then_nothing_differs(
    owner: Connection, writer: Connection, damage: str
) -> None:
    await facts.store(writer, arrived(*invented(random.Random(7), 120)))
    await owner.execute(damage)

    assert await differed(owner) > 0
    assert (await rebuild(owner)).all_differed > 0
    assert (await rebuild(owner)).all_differed == 0
    assert await differed(owner) == 0


async def test_only_the_days_asked_for_are_looked_at(owner: Connection, writer: Connection) -> None:
    await facts.store(writer, arrived(*invented(random.Random(7), 50)))
    await owner.execute(
        "UPDATE agg_daily_metrics SET interactions = interactions + 1 WHERE date_key = 20261121"
    )

    assert (await rebuild(owner, first=date(2026, 11, 22), check=True)).all_differed == 0
    assert (await rebuild(owner, last=date(2026, 11, 21))).differed["agg_daily_metrics"] > 0
    assert await differed(owner) == 0


async def test_days_whose_facts_were_dropped_are_left_alone(owner: Connection, writer: Connection) -> None:
    old = datetime(2025, 1, 20, tzinfo=UTC)
    await facts.store(writer, arrived(events.interaction(occurred_at=old), events.interaction()))
    await partitions.drop_old(owner, NOW, months_kept=12)

    assert (await rebuild(owner)).all_differed == 0
    assert await rows(
        writer, "SELECT sum(interactions)::int FROM agg_daily_metrics WHERE location_key = -1"
    ) == [(2,)]


async def test_traffic_goes_on_while_it_mends(owner: Connection, writer: Connection) -> None:
    rng = random.Random(11)
    await facts.store(writer, arrived(*invented(rng, 100)))
    done = asyncio.Event()

    async def traffic() -> int:
        count = 0
        while not done.is_set():
            count += (await facts.store(writer, arrived(*invented(rng, 20)))).new
        return count

    going = asyncio.create_task(traffic())
    for damage in DAMAGE * 2:
        await owner.execute(
            f"SELECT bi_alone(); {damage}{' ON CONFLICT DO NOTHING' * damage.startswith('INSERT')}"
        )
        await rebuild(owner)
    done.set()

    assert await going > 0
    assert await differed(owner) == 0
