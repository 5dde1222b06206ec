"""Upkeep of the warehouse by hand."""

from __future__ import annotations

from datetime import date

import pytest

from backend.cache import versions
from backend.deps import Deps
from backend.services import warehouse
from backend.storage.warehouse import facts
from backend.stream import entries
from domain import errors
from tests.backend.storage.warehouse import events

pytestmark = pytest.mark.anyio


@pytest.fixture
async def stored(deps: Deps) -> None:
    """An interaction."""
    async with deps.pool.acquire() as pooled:
        await events.offices(pooled)
    connection = await facts.connect(deps.database_url)
    await facts.store(connection, events.arrived(events.interaction()))
    await connection.close()


@pytest.mark.usefixtures("stored")
async def test_rebuilding_says_rows_and_differences(deps: Deps) -> None:
    said: list[str] = []

    await warehouse.rebuild_aggregates(deps, told=said.append)

    assert said == [
        "fact_bot_conversations: 0 rows, 0 differed",
        "fact_commission_events: 0 rows, 0 differed",
        "agg_hourly_metrics: 2 rows, 0 differed",
        "agg_daily_metrics: 2 rows, 0 differed",
        "agg_daily_pipeline: 0 rows, 0 differed",
        "agg_latency_hist: 0 rows, 0 differed",
        "agg_daily_columns: 0 rows, 0 differed",
    ]


@pytest.mark.usefixtures("stored")
async def test_a_check_that_finds_a_difference_fails_and_changes_nothing(deps: Deps) -> None:
    await deps.pool.execute("UPDATE agg_daily_metrics SET calls = 3")

    for _ in range(2):
        with pytest.raises(errors.RuleError, match="not the sum"):
            await warehouse.rebuild_aggregates(deps, check=True, told=lambda _: None)


@pytest.mark.usefixtures("stored")
async def test_caches_hear_of_what_was_mended(deps: Deps) -> None:
    await deps.pool.execute("UPDATE agg_daily_metrics SET calls = 3")

    await warehouse.rebuild_aggregates(deps, told=lambda _: None)

    day, place = await deps.pool.fetchval(
        "SELECT (date_key, location_key) FROM agg_daily_metrics WHERE location_key > 0"
    )
    assert await deps.valkey.hexists(versions.HASH, entries.day_tag(place, day))


async def test_days_the_wrong_way_round_are_refused(deps: Deps) -> None:
    with pytest.raises(errors.InputError, match="after the last"):
        await warehouse.rebuild_aggregates(deps, first=date(2026, 2, 1), last=date(2026, 1, 1), told=print)


async def test_partitions_are_made_once(deps: Deps) -> None:
    await warehouse.make_partitions(deps)

    assert await warehouse.make_partitions(deps) == 0
