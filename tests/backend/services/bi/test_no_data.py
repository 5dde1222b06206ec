"""0 is none, null is no data: of what was never heard of, drill-downs and divisions say what the tile says."""

from __future__ import annotations

import random
from typing import Any

import pytest

from backend.actor import Actor
from backend.deps import Deps
from backend.metrics import FIGURES, Figure
from backend.metrics.figures import Shape
from backend.services.bi import dashboard, drill, revenue
from tests.backend.services.bi import filled
from tests.fakes import FakeClock

pytestmark = pytest.mark.anyio

NO_DATA: dict[str, Any] = {"value": None, "n": 0, "parts": {}, "note": "no data yet"}


async def _total(deps: Deps, boss: Actor, figure: Figure, **asked: Any) -> dict[str, Any]:
    one = await drill.ask(
        deps, boss, component=figure.component, metric=figure.name, **{"timeframe": "7d"} | asked
    )
    found: dict[str, Any] = (await drill.answer(deps, one))["total"]
    return found


async def _breakdown(deps: Deps, boss: Actor, **asked: Any) -> dict[str, Any]:
    one = await revenue.ask(deps, boss, forecast_days=None, timeframe="7d", **asked)
    return await revenue.answer(deps, one)


async def test_of_a_company_without_anything_every_total_is_null_with_the_note_of_the_tile(
    deps: Deps,
) -> None:
    boss = filled.manager(await filled.open_offices(deps))
    tiles = (await dashboard.answer(deps, await dashboard.ask(deps, boss, timeframe="7d")))["metrics"]

    for figure in FIGURES.values():
        for by in (None, "location", *(["hour"] if "hour" in figure.dimensions else [])):
            assert await _total(deps, boss, figure, group_by=by) == NO_DATA, (figure.name, by)
    assert {(tile["value"], tile["n"], tile["note"]) for tile in tiles.values()} == {(None, 0, "no data yet")}

    answer = await _breakdown(deps, boss)
    divisions = answer["commission_breakdown"]
    assert divisions["note"] == "no data yet"
    for part in ("earned", "pipeline"):
        assert set(divisions[part]["total"].values()) == {None}
        assert divisions[part]["by_agent"] == []
    assert {metric["note"] for metric in answer["summary_metrics"].values()} == {"no data yet"}


async def test_where_something_was_ever_heard_of_nothing_is_zero(deps: Deps, clock: FakeClock) -> None:
    """Two years ago one office closed a deal, wrote to a lead that is closed since, and a bot of it talked; the other did nothing."""
    one, other = await filled.open_offices(deps, ("UTC", "Asia/Kolkata"))
    invented = filled.Invented(rng=random.Random(3), now=clock.now(), offices=(one,))
    then = filled.utc("2024-11-23T12:00:00")
    day = {"occurred_at": then, "date_key": 20241123}
    await filled.store(deps, "fact_commission_events", [invented.line() | day | {"stage": "closed"}])
    await filled.store(deps, "fact_lead_interactions", [invented.interaction() | day])
    await filled.store(deps, "dim_lead", [invented.lead() | {"stage": "closed"}])
    talk = {"started_at": then, "replied_at": then, "date_key": 20241123, "last_at": then}
    await filled.store(deps, "fact_bot_conversations", [invented.talk() | talk])
    boss = filled.manager((one, other))
    never = {"bot_events", "handoffs"}

    for figure in FIGURES.values():
        if figure.shape not in (Shape.SUM, Shape.STOCK):
            continue
        here = await _total(deps, boss, figure, location_id=one.id)
        both = await _total(deps, boss, figure, group_by="location")
        there = await _total(deps, boss, figure, group_by="location", filters={"location": other.id})
        told = (None, "no data yet") if figure.name in never else (0, None)
        assert (here["value"], here["note"]) == (both["value"], both["note"]) == told, figure.name
        assert there == NO_DATA, figure.name

    known = (await _breakdown(deps, boss, location_id=one.id))["commission_breakdown"]
    unknown = (await _breakdown(deps, boss, location_id=other.id))["commission_breakdown"]
    assert known["note"] is None
    assert set(known["earned"]["total"].values()) == set(known["pipeline"]["total"].values()) == {0}
    assert unknown["earned"]["total"]["deals"] is unknown["pipeline"]["total"]["weighted_cents"] is None
