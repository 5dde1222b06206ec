"""Events become facts once, with the keys of their time, and what can't be stored is named."""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from backend import faults
from backend.events import Event
from backend.storage.pool import Connection
from backend.storage.warehouse import facts, rebuild
from backend.stream import entries
from tests.backend.storage.warehouse import events
from tests.backend.storage.warehouse.events import NOW, arrived, rows

pytestmark = pytest.mark.anyio


async def test_an_event_of_each_kind_is_stored_and_counted(writer: Connection) -> None:
    batch = arrived(events.interaction(), events.bot(), events.deal(), events.health())

    stored = await facts.store(writer, batch)

    assert (stored.new, stored.repeated, stored.rejected) == (4, 0, [])
    hour = "SELECT interactions, bot_events, deals_added FROM agg_hourly_metrics WHERE location_key = -1 ORDER BY bot_key"
    assert await rows(writer, hour) == [(1, 0, 1), (0, 1, 0)]


async def test_a_fact_says_what_its_event_said(writer: Connection) -> None:
    """Every field, with the odd ones: a moment before 2000 by the microsecond, text beyond ASCII, truths that are false."""
    ids = {name: uuid.uuid4() for name in ("lead_id", "conversation_id")}
    words = {"channel": "SMS · ünïcode 🏠", "direction": "outbound", "stage": "offer", "temperature": "hot"}
    numbers = {"confidence": 0.12345, "frs": 12.5, "pcs": 100.0, "processing_ms": 3.0004}
    lead = events.interaction(
        **ids, **words, **numbers, agent_id=uuid.uuid4(), deal_id=uuid.uuid4(), success=False,
        bot_id="lead-bot", occurred_at=NOW.replace(microsecond=123_457), props={"é": [1, None, "\U0001f3e0"]},
    )  # fmt: skip
    bot = events.bot(
        **ids, event_type="handoff", to_bot_id="night-bot", confidence=1, quality=0, processing_ms=0,
        success=True, replied=False, reason="ärger", occurred_at=datetime(1999, 12, 31, 23, 59, 59, 999_999, UTC),
        props={"a": 1},
    )  # fmt: skip
    batch = [facts.Arrived(event=one, received_at=NOW, source_key=7) for one in (lead, bot)]

    await facts.store(writer, batch, months_kept=12 * 40)

    (found,) = await writer.fetch(
        "SELECT f.*, bot_id FROM fact_lead_interactions f JOIN dim_bot USING (bot_key)"
    )
    said = {
        "occurred_at": lead.occurred_at,
        "event_id": lead.event_id,
        "agent_id": lead.agent_id,
        "deal_id": lead.deal_id,
    }
    made = {
        "confidence_bp": 1234,
        "frs": 12.5,
        "pcs": 100.0,
        "processing_us": 3000,
        "success": False,
        "bot_id": "lead-bot",
    }
    common = {"received_at": NOW, "source_key": 7, "lead_key": None, **ids}
    expected = (
        said | made | common | words | {"agent_key": None, "event_type": "message", "date_key": 20261122}
    )
    assert dict(found) == expected | {
        "location_key": found["location_key"],
        "bot_key": found["bot_key"],
        "props": found["props"],
    }
    assert json.loads(found["props"]) == lead.props
    (found,) = await writer.fetch(
        "SELECT f.*, b.bot_id, t.bot_id AS to_bot FROM fact_bot_performance f JOIN dim_bot b USING (bot_key) "
        "JOIN dim_bot t ON t.bot_key = to_bot_key"
    )
    said = {
        "occurred_at": bot.occurred_at,
        "event_id": bot.event_id,
        "event_type": "handoff",
        "reason": "ärger",
        "date_key": 19991231,
    }
    made = {"confidence_bp": 10_000, "quality_bp": 0, "processing_us": 0, "success": True, "replied": False}
    assert (
        dict(found).items() >= (said | made | common | {"bot_id": "lead-bot", "to_bot": "night-bot"}).items()
    )
    assert json.loads(found["props"]) == bot.props


async def test_a_repeat_changes_nothing(writer: Connection) -> None:
    batch = arrived(
        events.interaction(), events.bot(conversation_id=uuid.uuid4(), replied=True), events.deal()
    )
    await facts.store(writer, batch)
    before = await rows(writer, "SELECT * FROM agg_daily_metrics ORDER BY 1, 2, 3")

    again = await facts.store(writer, batch)

    assert (again.new, again.repeated, again.tags) == (0, 3, frozenset())
    assert await rows(writer, "SELECT * FROM agg_daily_metrics ORDER BY 1, 2, 3") == before


async def test_what_somebody_else_stored_meanwhile_is_found_and_the_rest_of_the_batch_is_stored(
    owner: Connection, writer: Connection, database_url: str
) -> None:
    """The copy straight into the month stumbles over it; what lay there counts once all the same."""
    talk = {"conversation_id": uuid.uuid4(), "replied": True}
    theirs: list[Event] = [events.interaction(), events.bot(**talk), events.deal(), events.health()]
    other = await facts.connect(database_url)
    await facts.store(other, arrived(*theirs))
    await other.close()

    stored = await facts.store(
        writer, arrived(*theirs, events.interaction(), events.bot(**talk), events.bot())
    )

    assert (stored.new, stored.repeated) == (3, 4)
    assert await rows(
        owner,
        "SELECT interactions, bot_events, replies, conversations FROM "
        "(SELECT sum(interactions) interactions, sum(bot_events) bot_events, sum(replies) replies, sum(conversations) conversations "
        "FROM agg_daily_metrics WHERE location_key = -1) sums",
    ) == [(2, 3, 2, 1)]
    assert (await facts.store(writer, arrived(*theirs, events.interaction()))).new == 1


async def test_a_batch_of_several_months_goes_into_each_of_them(
    owner: Connection, writer: Connection
) -> None:
    moments = [events.before(days=days) for days in (0, 40, 80, 400)]

    stored = await facts.store(writer, arrived(*(events.interaction(occurred_at=at) for at in moments)))

    assert stored.new == 4
    assert await rows(owner, "SELECT count(DISTINCT tableoid), sum(1) FROM fact_lead_interactions") == [
        (4, 4)
    ]
    assert (await rebuild.rebuild(owner, check=True)).all_differed == 0


async def test_an_id_counts_once_within_a_batch_and_with_another_time(writer: Connection) -> None:
    one = events.interaction()
    moved = events.interaction(event_id=one.event_id, occurred_at=events.before(minutes=1))

    assert (await facts.store(writer, arrived(one, one, moved))).repeated == 2
    assert (await facts.store(writer, arrived(moved))).repeated == 1
    assert await writer.fetchval("SELECT count(*) FROM fact_lead_interactions") == 1


async def test_what_cannot_be_stored_is_named_and_the_rest_goes_through(writer: Connection) -> None:
    bad: dict[str, Event] = {
        "unknown_location": events.interaction(location_id=uuid.uuid4()),
        "too_old": events.interaction(occurred_at=NOW - timedelta(days=8 * 365)),
        "in_the_future": events.bot(occurred_at=NOW + timedelta(minutes=6)),
    }

    stored = await facts.store(writer, arrived(*bad.values(), events.interaction()))

    assert stored.new == 1
    assert {r.reason: r.arrived.event for r in stored.rejected} == bad


async def test_the_day_is_that_of_the_office_and_the_month_is_made(writer: Connection) -> None:
    late = datetime(2025, 3, 1, 7, 59, tzinfo=UTC)  # 23:59 on the last of February in California

    await facts.store(writer, arrived(events.interaction(occurred_at=late)))

    assert await rows(writer, "SELECT date_key, tableoid::regclass::text FROM fact_lead_interactions") == [
        (20250228, "fact_lead_interactions_2025_03")
    ]


_VERSION = """INSERT INTO dim_lead (lead_id, location_key, kind, stage, valid_from, valid_to, created_at)
    VALUES ($1, 1, 'seller', $2, $3, coalesce($4::timestamptz, 'infinity'), now())"""
_STAGES = (
    "SELECT d.stage FROM fact_lead_interactions f LEFT JOIN dim_lead d USING (lead_key) ORDER BY occurred_at"
)


async def test_facts_carry_the_version_of_their_time(owner: Connection, writer: Connection) -> None:
    lead, change = uuid.uuid4(), events.before(days=2)
    await owner.execute(_VERSION, lead, "new", events.before(days=9), change)
    await owner.execute(_VERSION, lead, "offer", change, None)
    moments = [events.before(days=n) for n in (12, 3, 1)]

    await facts.store(writer, arrived(*(events.interaction(lead_id=lead, occurred_at=m) for m in moments)))

    assert await rows(owner, _STAGES) == [("new",), ("new",), ("offer",)]


async def test_versions_that_come_later_are_seen(owner: Connection, writer: Connection) -> None:
    lead, change = uuid.uuid4(), events.before(days=5)
    event = {"lead_id": lead, "agent_id": uuid.uuid4()}

    await facts.store(writer, arrived(events.interaction(occurred_at=events.before(days=9), **event)))
    await owner.execute(_VERSION, lead, "new", events.before(days=8), change)
    await facts.store(writer, arrived(events.interaction(occurred_at=events.before(days=7), **event)))
    await owner.execute("UPDATE dim_lead SET valid_to = $1", change)
    await owner.execute(_VERSION, lead, "offer", change, None)
    await facts.store(writer, arrived(events.interaction(occurred_at=events.before(days=3), **event)))
    await owner.execute("DELETE FROM dim_lead")
    await facts.store(writer, arrived(events.interaction(occurred_at=events.before(days=1), **event)))

    keys = "SELECT lead_key IS NULL FROM fact_lead_interactions ORDER BY occurred_at"
    assert await rows(owner, keys) == [(True,), (False,), (False,), (True,)]
    assert await owner.fetchval("SELECT count(DISTINCT lead_key) FROM fact_lead_interactions") == 2


async def test_an_agent_has_versions_at_each_office(owner: Connection, writer: Connection) -> None:
    agent = uuid.uuid4()
    for key in (1, 2):
        await owner.execute(
            "INSERT INTO dim_agent (agent_id, location_key, role, valid_from) VALUES ($1, $2, 'agent', $3)",
            agent, key, events.before(days=9),
        )  # fmt: skip
    told = [events.interaction(agent_id=agent, location_id=place) for place in (events.PLACE, events.OTHER)]

    await facts.store(writer, arrived(*told))

    found = "SELECT f.location_key = d.location_key FROM fact_lead_interactions f JOIN dim_agent d USING (agent_key)"
    assert await rows(owner, found) == [(True,), (True,)]


async def test_a_bot_nobody_knows_gets_a_row(writer: Connection) -> None:
    await facts.store(writer, arrived(events.bot(bot_id="night-bot")))

    assert (
        await writer.fetchval("SELECT name FROM fact_bot_performance JOIN dim_bot USING (bot_key)")
        == "night-bot"
    )


async def test_tags_name_the_hour_and_day_here_and_over_all(writer: Connection) -> None:
    stored = await facts.store(writer, arrived(events.interaction()))

    key = await writer.fetchval("SELECT location_key FROM fact_lead_interactions")
    assert stored.tags == {
        tag
        for place in (key, -1)
        for tag in (entries.hour_tag(place, "2026112218"), entries.day_tag(place, 20261122))
    }


async def test_a_late_qualification_touches_the_hour_of_the_first_reply(writer: Connection) -> None:
    talk = uuid.uuid4()
    replied = events.bot(conversation_id=talk, replied=True, occurred_at=events.before(hours=5))
    await facts.store(writer, arrived(replied))

    stored = await facts.store(writer, arrived(events.bot(event_type="qualified", conversation_id=talk)))

    assert entries.hour_tag(-1, "2026112213") in stored.tags
    assert await rows(
        writer,
        "SELECT hour::text, conversations, qualified FROM agg_hourly_metrics WHERE location_key = -1 AND conversations > 0",
    ) == [("2026-11-22 13:00:00+00", 1, 1)]


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ({"side_held": "both"}, (600, 3_000_000)),
        ({"side_held": "buyer"}, (300, 1_500_000)),
        ({"rate_bp": 250}, (250, 1_250_000)),
        ({"gross_cents": 1_000_000}, (200, 1_000_000)),
        ({"price_cents": 333}, (300, 10)),
        ({"price_cents": 0}, (300, 0)),
    ],
)
async def test_the_rate_is_kept_on_the_event(
    writer: Connection, given: dict[str, object], kept: tuple[int, int]
) -> None:
    await facts.store(writer, arrived(events.deal(**given)))

    assert await rows(writer, "SELECT rate_bp, gross_cents FROM fact_commission_events") == [kept]


async def test_what_postgresql_cannot_take_stops_the_batch_and_stores_nothing(writer: Connection) -> None:
    batch = arrived(events.interaction(), events.interaction(channel="a\0b"))

    with pytest.raises(asyncpg.CharacterNotInRepertoireError) as refused:
        await facts.store(writer, batch)

    assert faults.blame(refused.value) is faults.Blame.DATA
    assert await writer.fetchval("SELECT count(*) FROM fact_lead_interactions") == 0
    assert (await facts.store(writer, batch[:1])).new == 1
