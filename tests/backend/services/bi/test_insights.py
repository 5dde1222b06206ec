"""Insights: each from planted cases with the confidence that the counts give, and silence where there are too few."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from backend.deps import Deps
from backend.services.bi import baselines, insight_deals, insight_kinds, insights
from backend.services.bi.backtest import History
from backend.services.bi.insights import InsightQuestion
from backend.services.bi.material import Material
from backend.services.bi.pipe import Pipe, Stay
from backend.storage.warehouse.offices import Office
from backend.storage.warehouse.prospects import Cooling, HotSpells, Source
from domain import errors
from tests.backend.services.bi import filled, planted
from tests.backend.services.bi.planted import NOW, SELLER

pytestmark = pytest.mark.anyio

DAY = timedelta(days=1)


def _asked(offices: list[Office], *types: str, whole: bool = True, **said: Any) -> InsightQuestion:
    base = planted.asked(offices, whole=whole)
    return InsightQuestion(
        scope=base.scope, offices=base.offices, types=types or insights.TYPES, confidence_threshold=0, **said
    )


def _version(
    office: Office, lead: int, since: datetime, until: datetime | None, **said: Any
) -> dict[str, Any]:
    return {
        "lead_id": planted.uid(lead),
        "location_key": office.key,
        "kind": "seller",
        "source": "sign call",
        "stage": "contacted",
        "temperature": "warm",
        "opted_out": False,
        "valid_from": since,
        "valid_to": until.isoformat() if until else "infinity",
        "created_at": since,
        "last_contact_at": NOW - DAY,
        "answer_due_at": None,
        **said,
    }


def _course(office: Office, lead: int, *steps: tuple[int, str, str]) -> list[dict[str, Any]]:
    """Versions of a lead: (days ago, temperature, stage), one after the other."""
    begins = [NOW - back * DAY for back, _, _ in steps]
    ends = [*begins[1:], None]
    return [
        _version(office, lead, begin, end, temperature=heat, stage=stage)
        for begin, end, (_, heat, stage) in zip(begins, ends, steps, strict=True)
    ]


async def test_leads_that_cool_are_told_with_the_share_of_those_that_stayed_cold(deps: Deps) -> None:
    here, there = await filled.open_offices(deps, ["America/Los_Angeles", "America/New_York"])
    rows: list[dict[str, Any]] = []
    for n in range(30):  # cooled long ago: every third came back within a month
        later = [(60, "hot", "contacted")] if n % 3 == 0 else []
        rows += _course(here, n, (150, "hot", "contacted"), (80, "cold", "contacted"), *later)
    for n in range(100, 105):  # cooled this week
        rows += _course(here, n, (90, "warm", "contacted"), (3, "cold", "contacted"))
    rows += _course(here, 200, (90, "warm", "contacted"), (3, "cold", "lost"))
    await filled.store(deps, "dim_lead", rows)

    answer = await insights.answer(deps, _asked([here], "leads_cooling", whole=False))

    (found,) = answer["insights"]
    assert found["confidence"] == pytest.approx(20 / 30, abs=1e-3)
    assert found["data"]["leads"] == 5
    assert set(found["data"]["lead_ids"]) == {planted.uid(n) for n in range(100, 105)}
    assert found["data"]["n"] == 30
    assert found["data"]["interval"][0] < found["confidence"] < found["data"]["interval"][1]
    assert found["relevance_score"] == pytest.approx(20 / 30 * 5 / 35, abs=1e-3)

    other = await insights.answer(deps, _asked([there], "leads_cooling", whole=False))
    assert other["insights"] == []
    assert (
        other["not_enough_data"][0]["note"]
        == "not enough data: 0 of 20 leads that cooled more than a month ago"
    )


async def test_hot_leads_past_due_are_told_with_how_hot_times_ended(deps: Deps) -> None:
    (office,) = await filled.open_offices(deps, ["America/Los_Angeles"])
    rows: list[dict[str, Any]] = []
    for n in range(24):
        end = ("hot", "closed") if n % 4 == 0 else ("lukewarm", "contacted")
        rows += _course(office, n, (50, "hot", "contacted"), (20, *end))
    late = NOW - timedelta(minutes=10)
    rows += [
        _version(office, 500 + n, NOW - DAY, None, temperature="hot", answer_due_at=late if n < 3 else None)
        for n in range(4)
    ]
    await filled.store(deps, "dim_lead", rows)

    (found,) = (await insights.answer(deps, _asked([office], "hot_leads_past_due")))["insights"]

    assert found["data"] | {"n": 24, "past_due": 3, "hot_leads": 4} == found["data"]
    assert found["confidence"] == pytest.approx(0.75)


async def test_a_bot_that_gets_worse_is_told_with_the_probability_that_it_did(deps: Deps) -> None:
    (office,) = await filled.open_offices(deps, ["America/Los_Angeles"])
    now = [planted.talk(office, NOW - DAY, SELLER, qualified_at=NOW if n < 8 else None) for n in range(80)]
    before = [
        planted.talk(office, NOW - 40 * DAY, SELLER, qualified_at=NOW if n < 24 else None) for n in range(80)
    ]
    await filled.store(deps, "fact_bot_conversations", now + before)

    (found,) = (await insights.answer(deps, _asked([office], "bot_degrading")))["insights"]

    assert found["confidence"] == pytest.approx(baselines.chance_lower(8, 80, 24, 80) or 0, abs=1e-4)
    assert found["confidence"] > 0.99
    assert (found["data"]["value"], found["data"]["previous"]) == (0.1, 0.3)


async def test_what_is_below_the_threshold_or_beyond_the_limit_is_left_out(deps: Deps) -> None:
    (office,) = await filled.open_offices(deps, ["America/Los_Angeles"])
    rows = [
        _version(
            office,
            n,
            NOW - 30 * DAY,
            None,
            source=f"source {n % 3}",
            stage="closed" if n % 4 > n % 3 else "lost",
        )
        for n in range(120)
    ]
    await filled.store(deps, "dim_lead", rows)

    everything = (await insights.answer(deps, _asked([office], "source_performing")))["insights"]
    one = (await insights.answer(deps, _asked([office], "source_performing", limit=1)))["insights"]

    assert len(everything) == 3
    assert [found["relevance_score"] for found in everything] == sorted(
        (found["relevance_score"] for found in everything), reverse=True
    )
    assert one == everything[:1]


@pytest.mark.parametrize(
    ("said", "types"),
    [
        ("", insights.TYPES),
        (" revenue_pace , leads_cooling ,revenue_pace", ("leads_cooling", "revenue_pace")),
    ],
)
def test_types_are_taken_in_any_order(said: str, types: tuple[str, ...]) -> None:
    assert insights.chosen(said) == types


def test_an_unknown_type_is_refused_with_the_list() -> None:
    with pytest.raises(errors.InputError) as refused:
        insights.chosen("leads_cooling,stock_market")

    assert refused.value.where == "insight_types"
    assert all(name in refused.value.hint for name in insights.TYPES)


def test_a_stage_that_slows_down_is_told_and_one_that_does_not_is_not() -> None:
    rng = np.random.default_rng(1)

    usual = [_confidence(rng, slower=1.0) for _ in range(100)]
    slow = [_confidence(rng, slower=4.0) for _ in range(30)]

    assert sum(confidence >= 0.95 for confidence in usual) <= 9
    assert sum(confidence >= 0.95 for confidence in slow) >= 24


def _confidence(rng: Any, *, slower: float) -> float:
    """Deals that come evenly and stay for exponential times; those of the last two months `slower`."""
    until = date(2026, 11, 19)
    today = until.toordinal()
    stays = []
    for entered in range(today - 400, today, 2):
        took = rng.exponential(20) * (slower if entered > today - 60 else 1)
        left = entered + max(round(took), 1)
        stays.append(
            Stay(
                stage="offer",
                sells=True,
                entered=entered,
                left=left if left <= today else today + 999,
                gross_cents=1,
            )
        )
    found = insight_deals.stage_bottlenecks(Pipe(stays=tuple(stays), closings=()), until)
    assert not found.lacks
    return max((insight.confidence for insight in found.insights), default=0.0)


def test_revenue_that_falls_behind_is_told_with_the_share_of_errors_that_allow_it() -> None:
    weeks = np.concatenate([np.full(100, 1_000_000.0), np.full(5, 3_000_000.0)])
    weeks += np.random.default_rng(2).normal(0, 50_000, len(weeks))
    history = History(weeks=weeks, until=date(2026, 11, 19), pipe=Pipe(stays=(), closings=()))
    material = Material(history=history, days=len(weeks) * 7, deals_won=200, price_spread=0.3)

    (found,) = insight_deals.revenue_pace(material).insights

    assert found.confidence > 0.8
    assert "less than" in found.title
    assert found.data["n"] >= 30
    assert found.data["error"] is not None


@pytest.mark.parametrize(
    "found",
    [
        insight_kinds.leads_cooling(Cooling(cooling=9, active=50, tried=19, stayed_cold=19, examples=())),
        insight_kinds.hot_leads_past_due(5, 5, HotSpells(ended=19, cooled=19)),
        insight_kinds.bots_degrading({"lead-bot": ({"conversations": 29, "qualified": 0}, {"conversations": 900})}),
        insight_kinds.sources_performing([Source(source="a", won=19, resolved=19), Source(source="b", won=0, resolved=19)]),
        insight_deals.stage_bottlenecks(Pipe(stays=(), closings=()), date(2026, 11, 19)),
    ],
)  # fmt: skip
def test_too_few_cases_say_so_and_nothing_else(found: insight_kinds.Found) -> None:
    assert not found.insights
    assert found.lacks


def test_a_source_with_enough_cases_is_compared_with_all_others() -> None:
    found = insight_kinds.sources_performing(
        [
            Source(source="referral", won=20, resolved=40),
            Source(source="portal", won=10, resolved=100),
            Source(source="rare", won=3, resolved=3),
        ]
    )

    by_source = {one.data["source"]: one for one in found.insights}
    assert set(by_source) == {"referral", "portal"}
    assert by_source["referral"].confidence > 0.99
    assert by_source["referral"].title == "Leads from referral close more often"
    assert by_source["portal"].data["n_others"] == 43
