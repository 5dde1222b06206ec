"""Months are there before they are needed, and go when they are too old; what they counted stays."""

from __future__ import annotations

import uuid
from datetime import UTC, date, datetime

import pytest

from backend.deps import Deps
from backend.events import Event
from backend.jobs import partitions as job
from backend.storage.pool import Connection
from backend.storage.warehouse import facts, partitions
from tests.backend.storage.warehouse import events
from tests.backend.storage.warehouse.events import NOW, arrived, rows

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("plus", "month"), [(0, (2026, 11)), (2, (2027, 1)), (-11, (2025, 12)), (-84, (2019, 11))]
)
def test_months_are_counted(plus: int, month: tuple[int, int]) -> None:
    assert partitions.month_of(NOW, plus=plus) == date(*month, 1)


async def test_three_months_ahead_are_made_once(owner: Connection) -> None:
    later = datetime(2027, 6, 15, tzinfo=UTC)

    assert await partitions.make_ahead(owner, later) == 4 * 4
    assert await partitions.make_ahead(owner, later) == 0
    assert partitions.month_of(later, plus=3) in await partitions.complete(owner)


async def test_rows_without_a_month_are_told_of_and_moved(owner: Connection) -> None:
    """Only one who writes past `facts.store` puts them there."""
    await owner.execute(
        "INSERT INTO fact_system_health (occurred_at, event_id, received_at, component, event_type, status) "
        "VALUES ('2024-02-29 12:00+00', gen_random_uuid(), now(), 'api', 'heartbeat', 'ok')"
    )

    assert await partitions.strays(owner) == {"fact_system_health": 1}
    assert await partitions.rescue(owner) == 4
    assert await partitions.strays(owner) == {}
    assert await rows(owner, "SELECT tableoid::regclass::text FROM fact_system_health") == [
        ("fact_system_health_2024_02",)
    ]


async def test_old_months_go_and_the_aggregates_stay(owner: Connection, writer: Connection) -> None:
    talk = {"conversation_id": uuid.uuid4(), "replied": True}
    told: list[Event] = [events.interaction(), events.bot(**talk), events.deal()]
    old = datetime(2025, 1, 20, tzinfo=UTC)
    await facts.store(
        writer, arrived(*told, events.interaction(occurred_at=old), events.bot(occurred_at=old, **talk))
    )
    gone = {"conversation_id": uuid.uuid4(), "replied": True, "occurred_at": old}
    await facts.store(writer, arrived(events.bot(**gone)))
    sums = "SELECT sum(interactions), sum(bot_events), sum(conversations) FROM agg_daily_metrics WHERE location_key = -1"
    before = await rows(owner, sums)

    dropped = await partitions.drop_old(owner, NOW, months_kept=12)

    assert "fact_lead_interactions_2025_01" in dropped
    assert await rows(owner, sums) == before == [(2, 3, 2)]
    assert await rows(owner, "SELECT count(*) FROM fact_lead_interactions") == [(1,)]
    assert await rows(owner, "SELECT count(*) FROM fact_bot_conversations") == [(1,)]
    assert await rows(owner, "SELECT kept_from FROM bi_retention") == [(datetime(2025, 11, 1, tzinfo=UTC),)]


async def test_what_is_in_use_is_dropped_another_time(owner: Connection, writer: Connection) -> None:
    await facts.store(writer, arrived(events.interaction(occurred_at=datetime(2025, 1, 20, tzinfo=UTC))))
    async with writer.transaction():
        await writer.fetchval("SELECT count(*) FROM fact_lead_interactions")

        assert "fact_lead_interactions_2025_01" not in await partitions.drop_old(
            owner, NOW, months_kept=12, patience_ms=50
        )

    assert "fact_lead_interactions_2025_01" in await partitions.drop_old(owner, NOW, months_kept=12)


async def test_the_job_does_all_of_it(deps: Deps) -> None:
    made = await job.once(deps)

    assert made in (0, 4)  # the template was made in an earlier month
    assert await job.once(deps) == 0
