"""The ledger's lines up to any moment say what the deals' states say, in whatever order the news came."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backend.events import CommissionEvent
from backend.events.kinds import Stage
from backend.storage.pool import Connection
from backend.storage.warehouse import facts
from tests.backend.storage.warehouse import events
from tests.backend.storage.warehouse.events import arrived, rows

pytestmark = pytest.mark.anyio

EPOCH = events.before(days=40)


@st.composite
def news(draw: st.DrawFn) -> Sequence[CommissionEvent]:
    """States of two deals; several may share a moment."""
    deals = [uuid.UUID(int=n) for n in (1, 2)]
    return [
        events.deal(
            event_id=uuid.uuid4(),
            deal_id=draw(st.sampled_from(deals)),
            occurred_at=EPOCH + timedelta(hours=draw(st.integers(0, 9)) * 7),
            stage=draw(st.sampled_from(get_args(Stage))),
            side_held=draw(st.sampled_from(["listing", "buyer", "both"])),
            price_cents=draw(st.integers(0, 10**9)),
            closed_on=draw(st.none() | st.sampled_from(["2026-10-01", "2026-10-13", "2027-01-01"])),
            location_id=draw(st.sampled_from([events.PLACE, events.OTHER])),
        )
        for _ in range(draw(st.integers(1, 9)))
    ]


def stands(told: Sequence[CommissionEvent], moment: datetime) -> Counter[Any]:
    """(office, stage, price) → deals, by brute force."""
    last = {}
    for event in sorted(told, key=lambda e: (e.occurred_at, e.event_id)):
        if event.occurred_at <= moment:
            last[event.deal_id] = event
    return Counter((e.location_id, e.stage, e.side_held != "buyer", e.price_cents) for e in last.values())


_LEDGER = """
SELECT d.location_id, stage, sells, abs(price_cents), sum(deals) FROM fact_commission_events JOIN dim_location d USING (location_key)
 WHERE occurred_at <= $1 GROUP BY 1, 2, 3, 4 HAVING sum(deals) <> 0
"""
_BY_DAY = """
SELECT date_key, location_key, sum(added), sum(deals) FILTER (WHERE stage = 'closed'), sum(gross_cents) FILTER (WHERE stage = 'closed')
  FROM fact_commission_events GROUP BY 1, 2 ORDER BY 1, 2
"""


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(told=news(), order=st.randoms(use_true_random=False), size=st.integers(1, 9))
async def test_any_order_of_news_makes_the_same_ledger(
    owner: Connection, writer: Connection, told: Sequence[CommissionEvent], order: Any, size: int
) -> None:
    await _empty(owner)
    shuffled = order.sample(told, len(told))
    for first in range(0, len(told), size):
        await facts.store(writer, arrived(*shuffled[first : first + size]))
        for moment in {event.occurred_at for event in told}:
            held = {row[:4]: row[4] for row in await rows(writer, _LEDGER, moment)}
            assert held == stands(shuffled[: first + size], moment)
    counted = await rows(writer, _BY_DAY)
    assert counted_by_day(counted) == await _by_day_of(
        owner, writer, sorted(told, key=lambda e: (e.occurred_at, e.event_id))
    )


def counted_by_day(found: Sequence[tuple[Any, ...]]) -> Sequence[tuple[Any, ...]]:
    return [row for row in ((*row[:2], row[2], row[3] or 0, row[4] or 0) for row in found) if any(row[2:])]


async def _by_day_of(
    owner: Connection, writer: Connection, told: Sequence[CommissionEvent]
) -> Sequence[tuple[Any, ...]]:
    """What the ledger says by day when the same news come one by one in their order."""
    await _empty(owner)
    for event in told:
        await facts.store(writer, arrived(event))
    return counted_by_day(await rows(writer, _BY_DAY))


async def _empty(owner: Connection) -> None:
    await owner.execute("DELETE FROM fact_commission_events")
    await owner.execute("DELETE FROM deal_states")


async def test_a_closing_counts_on_its_day_and_moves_when_it_is_put_right(writer: Connection) -> None:
    deal = uuid.uuid4()
    offer = events.deal(deal_id=deal, stage="offer", occurred_at=events.before(days=9))
    closed = events.deal(
        deal_id=deal, stage="closed", closed_on="2026-11-15", occurred_at=events.before(days=2)
    )
    righted = events.deal(deal_id=deal, stage="closed", closed_on="2026-11-16")

    await facts.store(writer, arrived(closed, offer))
    await facts.store(writer, arrived(righted))

    daily = (
        "SELECT date_key, deals_added, deals_won, won_price_cents FROM agg_daily_metrics "
        "WHERE location_key = -1 AND (deals_added, deals_won) <> (0, 0) ORDER BY 1"
    )
    assert await rows(writer, daily) == [(20261113, 1, 0, 0), (20261116, 0, 1, 50_000_000)]
    pipeline = (
        "SELECT stage, sum(deals)::int FROM agg_daily_pipeline WHERE location_key = -1 GROUP BY 1 ORDER BY 1"
    )
    assert await rows(writer, pipeline) == [("closed", 1), ("offer", 0)]
