"""What was there before the warehouse: the demo's year, and what earlier releases kept of the bots."""

from __future__ import annotations

import asyncio
import uuid
from datetime import timedelta
from typing import Any

import orjson
import pytest

from backend.deps import Deps
from backend.events import STREAMS
from backend.services import demo
from backend.services.demo import filling
from backend.storage.warehouse import feed_cursor
from backend.stream import entries
from backend.stream.from_sync.follower import Follower
from tests.backend.stream.synced_world import NOTHING, catch_up, differences
from tests.serving import MakeUser

pytestmark = pytest.mark.anyio

_LEGACY = """
CREATE TABLE bot_events_legacy (id uuid PRIMARY KEY, location_id uuid, bot_id text, lead_id uuid, conversation_id uuid,
    event_type text, occurred_at timestamptz, processing_ms float8, confidence float8, success boolean, replied boolean)
"""


async def test_the_demo_leaves_nothing_to_follow(deps: Deps, follower: Follower) -> None:
    await demo.run_demo(deps, lead_count=60)
    before = await _counts(deps)

    await catch_up(follower)

    assert await differences(deps) == NOTHING
    assert await _counts(deps) == before
    assert (await feed_cursor.read(follower.connection)) is not None


async def test_a_follower_that_runs_meanwhile_does_not_cut_off_the_demo_s_past(
    deps: Deps, follower: Follower, monkeypatch: pytest.MonkeyPatch
) -> None:
    await catch_up(follower)
    dimensions = filling._dimensions

    async def followed(*args: Any) -> None:
        await catch_up(follower)
        await dimensions(*args)
        await catch_up(follower)

    with monkeypatch.context() as between:
        between.setattr(filling, "_dimensions", followed)
        await demo.run_demo(deps, lead_count=60)
    await catch_up(follower)

    assert await differences(deps) == NOTHING
    async with deps.pool.acquire() as connection:
        stands = await connection.fetch("SELECT stage, count(*) AS n FROM deals GROUP BY 1")
        ledger = await connection.fetch(
            "SELECT stage, sum(deals) AS n FROM fact_commission_events GROUP BY 1 HAVING sum(deals) > 0"
        )
        assert await connection.fetchval("SELECT count(*) > count(DISTINCT lead_id) FROM dim_lead")
    assert {tuple(row) for row in ledger} == {tuple(row) for row in stands}


async def test_windows_that_run_already_hear_of_the_demo_s_last_day(deps: Deps) -> None:
    await demo.run_demo(deps, lead_count=60)

    read: list[Any] = [
        entry for name in STREAMS for _, entry in await deps.valkey.xrange(entries.PREFIX + name) or ()
    ]
    told = {one["event_id"] for entry in read for one in orjson.loads(entry[b"events"])}
    async with deps.pool.acquire() as connection:
        facts = await connection.fetch(
            "SELECT event_id FROM fact_bot_performance WHERE occurred_at > now() - interval '24 hours'"
        )
    assert facts
    assert {str(row["event_id"]) for row in facts} <= told


async def test_a_load_finds_the_demo_s_year_as_it_is(deps: Deps, follower: Follower) -> None:
    await demo.run_demo(deps, lead_count=60)
    before = await _counts(deps)
    await feed_cursor.start_over(follower.connection)

    await catch_up(follower)

    assert await differences(deps) == NOTHING
    assert await _counts(deps) == before


async def test_a_demo_that_was_stopped_half_way_is_finished_by_the_next_one(
    deps: Deps, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as stopped:
        stopped.setattr(filling, "_facts", _stop)
        with pytest.raises(asyncio.CancelledError):
            await demo.run_demo(deps, lead_count=60)

    await demo.run_demo(deps, lead_count=60)

    assert await differences(deps) == NOTHING


async def _stop(*_: object) -> None:
    raise asyncio.CancelledError


async def test_what_earlier_releases_kept_of_bots_becomes_facts_and_its_table_goes(
    deps: Deps, follower: Follower, make_user: MakeUser
) -> None:
    await make_user()
    conversation, at = uuid.uuid4(), deps.clock.now() - timedelta(days=400)
    async with deps.pool.acquire() as connection:
        await connection.execute(_LEGACY)
        await connection.execute(
            """INSERT INTO bot_events_legacy SELECT gen_random_uuid(), l.id, 'jorge-seller', NULL, $1, kind, $2, 140, 0.8, true,
                      kind = 'turn' FROM locations l, unnest('{turn,qualified}'::text[]) kind""",
            conversation,
            at,
        )
    await catch_up(follower)

    async with deps.pool.acquire() as connection:
        kept = await connection.fetch("SELECT event_type, processing_us FROM fact_bot_performance ORDER BY 1")
        talk = await connection.fetchrow("SELECT replied_at, qualified_at FROM fact_bot_conversations")
        assert await connection.fetchval("SELECT to_regclass('bot_events_legacy')") is None
    assert [tuple(row) for row in kept] == [("qualified", 140_000), ("turn", 140_000)]
    assert talk is not None
    assert tuple(talk) == (at, at)


async def _counts(deps: Deps) -> list[int]:
    names = (
        "fact_lead_interactions",
        "fact_bot_performance",
        "fact_commission_events",
        "deal_states",
        "dim_lead",
        "dim_agent",
    )
    async with deps.pool.acquire() as connection:
        return [await connection.fetchval(f"SELECT count(*) FROM {name}") for name in names]  # noqa: S608
