"""From POST /api/events to facts and counts, with the sink beside: stored means stored, once."""

from __future__ import annotations

import asyncio

import pytest

from backend.deps import Deps
from backend.stream import dead, entries
from domain import ids
from tests.backend.api.conftest import Bot
from tests.backend.events import samples
from tests.backend.stream.test_ingest import storing
from tests.waiting import until

pytestmark = pytest.mark.anyio


async def counted(deps: Deps) -> tuple[int, int, int]:
    """Facts of leads, of bots, and the interactions that the aggregates counted over all."""
    row = await deps.pool.fetchrow(
        """SELECT (SELECT count(*) FROM fact_lead_interactions), (SELECT count(*) FROM fact_bot_performance),
                  (SELECT coalesce(sum(interactions), 0)::int FROM agg_hourly_metrics WHERE location_key = -1)"""
    )
    assert row is not None
    return row[0], row[1], row[2]


async def test_200_means_that_facts_and_counts_are_there(bot: Bot, deps: Deps) -> None:
    async with storing(deps):
        answer = await bot.send(bot.message(), bot.message(), bot.turn(), bot.deal(), 7, wait=20)

        assert answer.status_code == 200
        assert (answer.json()["accepted"], answer.json()["stored"]) == (4, True)
        assert await counted(deps) == (2, 1, 2)
        assert (
            await deps.pool.fetchval("SELECT DISTINCT source_key FROM fact_lead_interactions")
            == bot.source.key
        )


async def test_a_repeat_of_all_of_it_changes_nothing(bot: Bot, deps: Deps) -> None:
    events = [bot.message() for _ in range(20)]
    async with storing(deps):
        for part in (events[:12], events, events[::-1]):
            assert (await bot.send(*part, wait=20)).status_code == 200

        assert await counted(deps) == (20, 0, 20)


async def test_202_becomes_stored_when_the_sink_is_back(bot: Bot, deps: Deps) -> None:
    event = bot.message()
    assert (await bot.send(event, wait=0.1)).status_code == 202
    assert await counted(deps) == (0, 0, 0)

    async with storing(deps):
        assert (await bot.send(event, wait=20)).status_code == 200

        assert await counted(deps) == (1, 0, 1)


async def test_many_senders_at_once_are_all_answered_with_what_is_true(bot: Bot, deps: Deps) -> None:
    async with storing(deps):
        answers = await asyncio.gather(
            *(bot.send(*[bot.message() for _ in range(25)], wait=30) for _ in range(8))
        )

        assert {one.status_code for one in answers} == {200}
        assert await counted(deps) == (200, 0, 200)


async def test_what_goes_straight_into_a_stream_and_does_not_fit_is_replayed_once_mended(
    bot: Bot, deps: Deps, admin: dict[str, str]
) -> None:
    office = ids.new_id()
    event = samples.body(samples.message(location_id=office))[1:-1]
    async with storing(deps):
        await deps.valkey.xadd("bi:stream:lead_interactions", {"event": event})
        await until(lambda: deps.valkey.exists(entries.DEAD))
        assert await counted(deps) == (0, 0, 0)
        await deps.pool.execute("INSERT INTO locations (id, name) VALUES ($1, 'Opened today')", office)

        done = await bot.client.post("/api/admin/dead-letters/replay", json={"all": True}, headers=admin)

        assert (done.json()["sent"], done.json()["stored"]) == (1, True)
        assert await counted(deps) == (1, 0, 1)
    assert (await dead.counts(deps.valkey))["waiting"] == 0
