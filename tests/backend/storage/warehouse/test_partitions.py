"""Months are there before they are needed, and go when they are too old; what they counted stays."""

from __future__ import annotations

import uuid
from datetime import UTC, date, datetime

import asyncpg
import pytest

from backend.deps import Deps
from backend.events import Event
from backend.jobs import partitions as job
from backend.storage.pool import Connection
from backend.storage.warehouse import facts, partitions, rebuild
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


async def test_each_month_counts_as_its_fact_does(owner: Connection, writer: Connection) -> None:
    """Writers copy straight into months: a trigger of the fact that a month lacked would count nothing there."""
    await partitions.make_ahead(owner, datetime(2027, 6, 15, tzinfo=UTC))
    await facts.store(writer, arrived(events.interaction(occurred_at=datetime(2024, 2, 29, tzinfo=UTC))))

    assert await rows(owner, "SELECT * FROM bi_triggers_missing") == []
    assert await rows(
        owner,
        "SELECT count(*) > 0 FROM pg_trigger WHERE tgrelid = 'fact_lead_interactions_2024_02'::regclass AND tgname = 'bi_count_came'",
    ) == [(True,)]


async def test_what_is_written_into_a_month_by_hand_is_counted(owner: Connection, writer: Connection) -> None:
    await facts.store(writer, arrived(events.interaction()))
    month = partitions.name_of("fact_lead_interactions", date(2026, 11, 1))

    await owner.execute(
        f"INSERT INTO {month} (occurred_at, event_id, received_at, date_key, location_key, event_type) "  # noqa: S608 - fixed words
        f"SELECT occurred_at, gen_random_uuid(), received_at, date_key, location_key, event_type FROM {month}"
    )
    assert (await rebuild.rebuild(owner, check=True)).all_differed == 0
    assert await rows(owner, "SELECT interactions FROM agg_daily_metrics WHERE location_key = -1") == [(2,)]

    with pytest.raises(asyncpg.RaiseError, match="never changed"):
        await owner.execute(f"UPDATE {month} SET channel = 'sms'")  # noqa: S608 - fixed words


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
