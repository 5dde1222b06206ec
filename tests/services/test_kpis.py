"""Figures and what stands behind them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from domain import errors, ids, values
from services.user import Role
from storage import cursor, kpis
from tests.services.conftest import AGENT, LOCATION, OTHER, Bench, in_days


@pytest.fixture
def bench(make_bench: Callable[..., Bench]) -> Bench:
    made = make_bench(Role.MANAGER)
    with made.db.write_tx() as tx:
        cursor.saw_server(tx, server_ms=round(made.clock.now().timestamp() * 1000), now_ms=0)
    return made


def active(bench: Bench, **fields: object) -> str:
    recent = values.time_text(bench.clock.now() - timedelta(days=3))
    return bench.lead(**{"last_touch_at": recent, **fields})


def deal(bench: Bench, lead_id: str, stage: str, net_cents: int, **fields: object) -> None:
    row = {
        "lead_id": lead_id,
        "stage": stage,
        "side_held": "buyer",
        "gross_cents": 2 * net_cents,
        "net_cents": net_cents,
    }
    bench.server("deals", ids.new_id(), {**row, **fields})


def test_before_anything_was_loaded_there_is_no_data_yet(make_bench: Callable[..., Bench]) -> None:
    found = make_bench(Role.MANAGER).sv.kpis.tiles()

    assert (found.tiles, found.as_of) == ((), None)


def test_the_servers_tiles_are_shown_stamped_as_they_came(bench: Bench) -> None:
    sent: dict[str, Any] = {
        "name": "hot_leads",
        "title": "Hot leads",
        "value": 27,
        "unit": "count",
        "n": 27,
        "definition": "Hot.",
        "comparison": {"previous": 22.0, "change": 0.227, "label": "prev 30d"},
        "trend": [1, None, 3],
        "tier": "watch",
        "parts": {"past_due": 2},
    }
    with bench.db.write_tx() as tx:
        tiles: dict[str, dict[str, Any]] = {"hot_leads": sent, "ml_response": {"name": "ml_response"}}
        kpis.save(tx, location_id="", timeframe="30d", tiles=tiles, as_of=bench.clock.now())

    found = bench.sv.kpis.tiles("30d")

    (tile,) = found.tiles
    assert list(tile.trend) == [1, None, 3]
    assert (tile.value, tile.as_of, tile.parts, found.source) == (
        27,
        bench.clock.now(),
        (("past_due", 2.0),),
        "server",
    )


def test_without_the_servers_tiles_the_device_counts_by_the_same_rules(bench: Bench) -> None:
    hot = active(bench, temperature="hot", score=80.0, answer_due_at=values.time_text(in_days(bench, -1)))
    active(bench)
    bench.lead()  # nobody was in touch
    active(bench, stage="lost")
    active(bench, opted_out=True)
    deal(bench, hot, "offer", 1_000_000)

    tiles = {tile.name: tile for tile in bench.sv.kpis.tiles().tiles}

    assert tiles["active_leads"].value == 2
    assert dict(tiles["active_leads"].parts)["warm"] == 1
    assert (tiles["hot_leads"].value, tiles["hot_leads"].parts) == (1, (("past_due", 1.0),))
    assert tiles["revenue_pipeline"].value == 500_000
    assert tiles["ml_response"].value is None
    assert tiles["bot_success"].value is None


def test_nothing_is_zero_where_leads_and_deals_are_known_and_no_data_where_none_ever_came(
    bench: Bench,
) -> None:
    def told() -> list[float | None]:
        """By the tiles, which are the same as what stands above the leads behind them."""
        found = {tile.name: tile.value for tile in bench.sv.kpis.tiles().tiles}
        names = ("revenue_pipeline", "active_leads", "hot_leads")
        assert [bench.sv.kpis.drill(name).value for name in names] == [found[name] for name in names]
        return [found[name] for name in names]

    assert told() == [None, None, None]
    lead_id = bench.lead(stage="closed")
    assert told() == [None, 0, 0]
    deal(bench, lead_id, "closed", 1_000_000)
    assert told() == [0, 0, 0]
    assert bench.sv.kpis.drill("active_leads", filters={"stage": "offer"}).value == 0


def test_a_planned_touch_makes_a_lead_active(bench: Bench) -> None:
    bench.sv.tasks.create("Call", lead_id=bench.lead(), due_at=in_days(bench, 10))
    bench.sv.tasks.create("Call", lead_id=bench.lead(), due_at=in_days(bench, 60))

    assert bench.sv.kpis.drill("active_leads").total == 1


def test_the_pipelines_parts_sum_to_its_figure_and_lead_to_the_leads(bench: Bench) -> None:
    ann, bo = active(bench, name="Ann"), active(bench, name="Bo", agent_id=OTHER)
    deal(bench, ann, "offer", 333_333)
    deal(bench, ann, "contract", 111_111, side_held="listing")
    deal(bench, bo, "agreement", 77_777, agent_id=OTHER)
    deal(bench, bo, "closed", 999)

    found = bench.sv.kpis.drill("revenue_pipeline")

    assert found.value is not None
    for name in ("stage", "agent", "source"):
        assert sum(part.amount_cents or 0 for part in found.breakdowns[name]) == found.value
    assert {part.label for part in found.breakdowns["agent"]} == {"Pat", "Kim"}
    assert ([item.name for item in found.leads], found.total) == (["Ann", "Bo"], 2)


def test_a_chosen_part_is_a_breadcrumb_and_narrows_the_rest(bench: Bench) -> None:
    active(bench, temperature="hot")
    active(bench, temperature="hot", agent_id=OTHER)
    active(bench)

    found = bench.sv.kpis.drill("active_leads", filters={"temperature": "hot", "agent": AGENT})

    assert found.filters == (("temperature", "hot", "hot"), ("agent", AGENT, "Pat"))
    assert (found.value, found.total) == (1, 1)
    assert set(found.breakdowns) == {"stage", "source", "location"}


def test_behind_the_bots_are_the_leads_that_replied_to_them(bench: Bench) -> None:
    for replied in (True, True, False):
        lead_id = active(bench)
        turn(bench, lead_id, bot_id="jorge-seller")
        if replied:
            turn(bench, lead_id, direction="inbound")

    found = bench.sv.kpis.drill("bot_success", "7d")

    assert (found.value, found.total) == (None, 2)
    assert [(part.label, part.count) for part in found.breakdowns["bot"]] == [("jorge-seller", 2)]


def test_what_cannot_be_drilled_says_so(bench: Bench) -> None:
    assert "no leads" in bench.sv.kpis.drill("ml_response").note
    for metric, timeframe in (("nonsense", "7d"), ("hot_leads", "2d")):
        with pytest.raises(errors.InputError):
            bench.sv.kpis.drill(metric, timeframe)
    with pytest.raises(errors.ForbiddenError):
        bench.sv.kpis.tiles(location_id=ids.new_id())
    assert bench.sv.kpis.tiles(location_id=LOCATION).location_id == LOCATION


def turn(bench: Bench, lead_id: str, **fields: object) -> None:
    at = values.time_text(bench.clock.now() - timedelta(days=1))
    row = {"lead_id": lead_id, "kind": "bot_turn", "direction": "outbound", "occurred_at": at}
    bench.server("interactions", ids.new_id(), {**row, **fields})


def test_a_stage_that_only_a_newer_server_knows_breaks_no_figure(bench: Bench) -> None:
    lead_id = bench.lead()
    deal(bench, lead_id, "offer", 333_333)
    deal(bench, lead_id, "escrow", 999_999)

    drill = bench.sv.kpis.drill("revenue_pipeline")

    assert [part.key for part in drill.breakdowns["stage"]] == ["offer"]
