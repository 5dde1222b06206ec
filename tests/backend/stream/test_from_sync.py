"""The warehouse follows the synced tables: whatever happens to rows and to the follower, at the end both say the same."""

from __future__ import annotations

import uuid
from datetime import timedelta

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backend.deps import Deps
from backend.storage import feed, pool
from backend.storage.warehouse import feed_cursor, synced
from backend.stream import from_sync
from backend.stream.from_sync.changed import Changed
from backend.stream.from_sync.follower import Follower
from domain import tables, values
from tests.backend.stream.synced_world import NOTHING, World, catch_up, differences, number
from tests.waiting import running, until

pytestmark = pytest.mark.anyio


STEPS = (*("change",) * 6, *("follow",) * 4, "spoil", "crash", "lose")


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    seed=st.integers(0, 10**6),
    steps=st.lists(st.sampled_from(STEPS), min_size=10, max_size=60),
)
async def test_after_any_changes_and_crashes_the_warehouse_says_what_the_tables_say(
    follower: Follower, world: World, seed: int, steps: list[str]
) -> None:
    await _begin_anew(follower, world, seed)
    for step in steps:
        if step == "change":
            await world.change()
        elif step == "follow":
            await catch_up(follower)
        elif step == "crash":
            await _halfway(follower)
        elif step == "spoil":
            await _spoil(world)
        else:
            await _lose_the_feed(follower)
    await catch_up(follower)
    await follower.deps.pool.execute("UPDATE leads SET kind = 'buyer' WHERE kind = 'odd'")
    await catch_up(follower)

    assert await differences(follower.deps) == NOTHING
    assert await follower.connection.fetchval("SELECT count(*) FROM bi_feed_aside") == 0


async def _begin_anew(follower: Follower, world: World, seed: int) -> None:
    world.begin_anew(seed)
    async with pool.transaction(follower.deps.pool) as connection:
        for table in (tables.INTERACTIONS, tables.TASKS, tables.DEALS, tables.LEADS):
            await connection.execute(f"DELETE FROM {table.name}")  # noqa: S608
    await _empty(follower.deps)
    await catch_up(follower)


async def _spoil(world: World) -> None:
    """A lead becomes what the warehouse does not take."""
    await world.deps.pool.execute(
        """ALTER TABLE dim_lead DROP CONSTRAINT IF EXISTS odd, ADD CONSTRAINT odd CHECK (kind <> 'odd');
           UPDATE leads SET kind = 'odd' WHERE id = (SELECT id FROM leads ORDER BY id LIMIT 1)"""
    )


async def _halfway(follower: Follower) -> None:
    """A page is brought, and the process dies before the cursor moves."""
    await number(follower.deps)
    cursor = await feed_cursor.read(follower.connection)
    if cursor is not None:
        page = await feed_cursor.page(follower.connection, cursor.seq, limit=7)
        await follower.bring(Changed.of(page.changes))


async def _lose_the_feed(follower: Follower) -> None:
    """The feed forgets what the follower has not read: it must load everything anew."""
    await number(follower.deps)
    async with pool.transaction(follower.deps.pool) as connection:
        await feed.forget(connection, follower.deps.clock.now() + timedelta(hours=1))


async def test_a_load_from_nothing_says_the_same_as_following(follower: Follower, world: World) -> None:
    for _ in range(60):
        await world.change()
        await catch_up(follower)
    followed = await _facts(follower.deps)
    await _empty(follower.deps)

    await catch_up(follower)

    assert await differences(follower.deps) == NOTHING
    assert await _facts(follower.deps) == followed


async def _facts(deps: Deps) -> list[tuple[object, ...]]:
    """But for changes of stage: of those only each lead's last one is known to its row."""
    async with deps.pool.acquire() as connection:
        found = await connection.fetch(
            """SELECT event_id, occurred_at, date_key, location_key, bot_key, lead_id, agent_id, event_type, channel, direction
                 FROM fact_lead_interactions WHERE event_type <> 'stage_changed' ORDER BY event_id"""
        )
    return [tuple(row) for row in found]


async def _empty(deps: Deps) -> None:
    """As a database that an earlier release wrote: rows, and no warehouse."""
    async with pool.transaction(deps.pool) as connection:
        for table in (
            "fact_lead_interactions",
            "fact_commission_events",
            "deal_states",
            "dim_lead",
            "dim_agent",
        ):
            await connection.execute(f"DELETE FROM {table}")  # noqa: S608
        await connection.execute("UPDATE bi_feed_cursor SET incarnation = NULL, seq = 0")


async def test_a_lead_has_a_version_for_each_thing_it_is_counted_by(follower: Follower, world: World) -> None:
    lead = await world.add_lead()
    await catch_up(follower)
    for edit in ({"stage": "offer"}, {"name": "Nobody counts by it"}, {"temperature": "hot"}):
        await world.set(tables.LEADS, lead, edit)
        await catch_up(follower)

    async with follower.deps.pool.acquire() as connection:
        found = await connection.fetch(
            """SELECT stage, temperature, is_current, valid_from, lag(valid_to) OVER (ORDER BY valid_from) AS before
                 FROM dim_lead WHERE lead_id = $1 ORDER BY valid_from""",
            lead,
        )
    assert [(row["temperature"], row["is_current"]) for row in found] == [
        ("", False),
        ("", False),
        ("hot", True),
    ]
    assert all(row["before"] in {None, row["valid_from"]} for row in found)


async def test_a_change_of_stage_is_told_once_with_the_time_of_the_edit(
    follower: Follower, world: World
) -> None:
    lead = await world.add_lead()
    await world.set(tables.LEADS, lead, {"stage": "new"})
    await catch_up(follower)
    await world.set(tables.LEADS, lead, {"stage": "agreement"})
    await catch_up(follower)
    await world.set(tables.LEADS, lead, {"name": "Told already"})
    await catch_up(follower)
    await _lose_the_feed(follower)
    await catch_up(follower)

    async with follower.deps.pool.acquire() as connection:
        found = await connection.fetch(
            """SELECT f.stage, f.occurred_at = to_timestamp((l._fver -> 'stage' ->> 1)::float8 / 1000) AS then
                 FROM fact_lead_interactions f JOIN leads l ON l.id = f.lead_id
                WHERE f.event_type = 'stage_changed' AND f.stage = 'agreement'"""
        )
    assert [tuple(row) for row in found] == [("agreement", True)]


async def test_a_task_given_to_another_lead_leaves_the_first_one(follower: Follower, world: World) -> None:
    first, second = await world.add_lead(), await world.add_lead()
    task = await world.add(tables.TASKS, lead_id=first, title="Call", kind="call", due_at=world.moment())
    await catch_up(follower)

    await world.set(tables.TASKS, task, {"lead_id": second})
    await catch_up(follower)

    assert await differences(follower.deps) == NOTHING


async def test_what_lies_ahead_becomes_a_fact_when_it_has_happened(follower: Follower, world: World) -> None:
    lead = await world.add_lead()
    ahead = follower.deps.clock.now() + timedelta(minutes=20)
    row_id = await world.add(
        tables.INTERACTIONS, lead_id=lead, kind="call", occurred_at=f"{ahead:%Y-%m-%dT%H:%M:%S.000Z}"
    )
    await catch_up(follower)
    assert await _known(follower.deps, row_id) == 0

    async with follower.deps.pool.acquire() as connection:  # twenty minutes later, but for the clock
        await connection.execute("UPDATE interactions SET occurred_at = now() WHERE id = $1", row_id)
        await connection.execute("UPDATE bi_feed_later SET due_at = now() - interval '1 second'")
    await catch_up(follower)

    assert await _known(follower.deps, row_id) == 1
    async with follower.deps.pool.acquire() as connection:
        assert await connection.fetchval("SELECT count(*) FROM bi_feed_later") == 0


async def test_a_load_takes_away_what_no_row_stands_behind(follower: Follower, world: World) -> None:
    """As in a restored database, when the streams still held what it lost."""
    await world.add_interaction()
    await catch_up(follower)
    async with follower.deps.pool.acquire() as connection:
        await connection.execute(
            """INSERT INTO fact_lead_interactions (occurred_at, event_id, received_at, date_key, location_key, event_type, source_key)
               SELECT occurred_at, gen_random_uuid(), received_at, date_key, location_key, event_type, $1
                 FROM fact_lead_interactions""",
            synced.SOURCE,
        )
    assert (await differences(follower.deps))["interactions"]

    async with pool.transaction(follower.deps.pool) as connection:
        await feed.renew_incarnation(connection)
    await catch_up(follower)

    assert await differences(follower.deps) == NOTHING


async def test_a_deal_that_came_whole_counts_on_the_day_it_closed(follower: Follower, world: World) -> None:
    """Older releases wrote the demo's deals so: no edit says when it closed, and it was made long before."""
    now = world.deps.clock.now()
    closed_on = (now - timedelta(days=3)).date()
    lead = await world.add_lead()
    deal = await world.add(
        tables.DEALS,
        lead_id=lead,
        side_held="listing",
        stage="closed",
        price_cents=50_000_000,
        gross_cents=1_500_000,
        closed_on=closed_on.isoformat(),
        created_at=values.time_text(now - timedelta(days=90)),
    )
    await catch_up(follower)

    rows = await follower.connection.fetch(
        "SELECT date_key, gross_cents FROM fact_commission_events WHERE deal_id = $1", uuid.UUID(deal)
    )
    assert [tuple(row) for row in rows] == [(int(f"{closed_on:%Y%m%d}"), 1_500_000)]


async def test_only_one_process_follows(deps: Deps, follower: Follower) -> None:
    other = await asyncpg.connect(deps.database_url)

    assert await feed_cursor.claim(follower.connection)
    assert not await feed_cursor.claim(other)

    await follower.connection.close()
    await until(lambda: feed_cursor.claim(other))
    await other.close()


async def test_the_job_brings_what_is_written_while_it_runs(
    deps: Deps, follower: Follower, world: World
) -> None:
    async with running(from_sync.run(deps)):
        await world.add_interaction()
        await number(deps)
        await until(lambda: _is_equal(deps))


async def test_an_interaction_of_a_strange_kind_or_bot_still_counts(follower: Follower, world: World) -> None:
    lead = await world.add_lead()
    row_id = await world.add(
        tables.INTERACTIONS, lead_id=lead, kind="SMS", bot_id="Not A Bot!", channel="+1 909 555 0100",
        occurred_at=world.moment(),
    )  # fmt: skip
    await catch_up(follower)

    async with follower.deps.pool.acquire() as connection:
        found = await connection.fetchrow(
            "SELECT event_type, bot_key, channel FROM fact_lead_interactions WHERE event_id = $1", row_id
        )
    assert found is not None
    assert tuple(found) == ("message", 0, None)


async def _is_equal(deps: Deps) -> bool:
    return await differences(deps) == NOTHING


async def _known(deps: Deps, row_id: str | uuid.UUID) -> int:
    async with deps.pool.acquire() as connection:
        return int(
            await connection.fetchval(
                "SELECT count(*) FROM fact_lead_interactions WHERE event_id = $1", str(row_id)
            )
        )
