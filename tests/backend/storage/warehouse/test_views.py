"""The materialized views are refreshed while they are read, by the writer's role alone."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime

import pytest

from backend.deps import Deps
from backend.jobs import views as job
from backend.storage.pool import Connection
from backend.storage.warehouse import facts, views
from tests.backend.storage.warehouse import events
from tests.backend.storage.warehouse.events import arrived, rows

pytestmark = pytest.mark.anyio


async def test_they_say_what_the_facts_say(owner: Connection, writer: Connection) -> None:
    now = datetime.now(UTC)
    talk = {"conversation_id": uuid.uuid4(), "replied": True, "occurred_at": now}
    scored = [events.bot(event_type="scored", processing_ms=ms, occurred_at=now) for ms in (10, 20, 30)]
    await facts.store(
        writer, arrived(events.interaction(occurred_at=now), events.bot(**talk), *scored, at=now)
    )

    took = await views.refresh(owner)

    assert set(took) == set(views.VIEWS)
    seen = "SELECT interactions, leads, bot_events, scored, scored_p50_us, conversations FROM mv_real_time_dashboard ORDER BY location_key"
    assert await rows(owner, seen) == [(1, 1, 4, 3, 20_000.0, 1)] * 2
    weekly = "SELECT sum(interactions)::int, sum(bot_events)::int, sum(conversations)::int FROM mv_weekly_trends WHERE location_key = -1"
    assert await rows(owner, weekly) == [(1, 4, 1)]


async def test_one_that_is_being_refreshed_is_left_to_who_does(owner: Connection, writer: Connection) -> None:
    async with writer.transaction():
        await writer.execute("SELECT pg_advisory_xact_lock(hashtext('mv_weekly_trends'))")

        assert set(await views.refresh(owner)) == {"mv_real_time_dashboard"}


async def test_the_rollup_ratio_is_facts_by_hourly_row(writer: Connection) -> None:
    assert await views.rollup_ratio(writer, 20261101) is None

    await facts.store(writer, arrived(*(events.interaction() for _ in range(30))))

    assert await views.rollup_ratio(writer, 20261101) == 15.0  # one row of the office, one of all
    assert await views.rollup_ratio(writer, 20261201) is None


async def test_the_job_refreshes(deps: Deps) -> None:
    await job.once(deps)
