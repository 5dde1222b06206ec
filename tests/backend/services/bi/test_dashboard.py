"""The five tiles out of the warehouse: against plain counts, with what makes them honest."""

from __future__ import annotations

import random
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest

from backend.actor import Actor, Role
from backend.deps import Deps
from backend.jobs import kpi_snapshots
from backend.services.bi import dashboard, question, stocks
from backend.storage.warehouse.scope import writing
from domain import errors, kpis
from tests.backend.services.bi import filled
from tests.backend.services.bi.filled import Offices
from tests.fakes import FakeClock

pytestmark = pytest.mark.anyio

TIMEFRAMES = ("24h", "7d", "30d", "90d", "1y")


@pytest.fixture
async def offices(deps: Deps, clock: FakeClock) -> Offices:
    opened = await filled.open_offices(deps)
    invented = filled.Invented(rng=random.Random(7), now=clock.now(), offices=opened)
    await filled.fill(deps, invented, 300)
    await filled.store(deps, "dim_lead", [invented.lead() for _ in range(250)])
    return opened


async def _asked(deps: Deps, offices: Offices, timeframe: str = "30d", **options: Any) -> dict[str, Any]:
    asked = await dashboard.ask(deps, filled.manager(offices), timeframe=timeframe, **options)
    return await dashboard.answer(deps, asked)


async def _facts(deps: Deps, query: str) -> list[dict[str, Any]]:
    async with writing(deps.bi) as connection:
        return [dict(row) for row in await connection.fetch(query)]


async def test_bot_success_is_qualified_of_conversations_with_its_interval(
    deps: Deps, offices: Offices, clock: FakeClock
) -> None:
    for timeframe in TIMEFRAMES:
        tile = (await _asked(deps, offices, timeframe))["metrics"]["bot_success"]
        counts = {
            name: sum([await filled.counted(deps, name, one, timeframe, clock.now()) for one in offices])
            for name in ("conversations", "qualified")
        }

        interval = kpis.wilson(counts["qualified"], counts["conversations"])
        assert interval is not None
        assert tile["n"] == counts["conversations"]
        assert tile["value"] == counts["qualified"] / counts["conversations"]
        assert tile["interval"] == [interval.low, interval.high]


async def test_nothing_closed_is_zero_where_deals_are_known_and_null_where_none_ever_came(
    deps: Deps, clock: FakeClock
) -> None:
    here, there = await filled.open_offices(deps, filled.ZONES[:2])
    invented = filled.Invented(rng=random.Random(7), now=clock.now() - timedelta(days=400), offices=[here])
    await filled.store(deps, "fact_commission_events", [invented.line() | {"stage": "lost"}])

    answers = [await _asked(deps, (one,)) for one in (here, there)]
    known, unknown = [answer["jorge_commission"] for answer in answers]

    money = ("closed_deals", "closed_gross_cents", "closed_company_cents", "pipeline_gross_cents")
    assert [known[name] for name in (*money, "pipeline_weighted_cents")] == [0, 0, 0, 0, 0]
    assert known["closed_rate_bp"] is None  # of no price
    assert [answer["metrics"]["revenue_pipeline"]["value"] for answer in answers] == [0, None]
    assert {unknown[name] for name in unknown if name != "default_rate_bp"} == {None}


async def test_the_pipeline_at_any_moment_is_the_ledger_up_to_it(deps: Deps, offices: Offices) -> None:
    lines = await _facts(deps, "SELECT * FROM fact_commission_events")
    now = filled.NOW
    zones = {office.key: office.zone for office in offices}
    for timeframe, days in (("24h", 1), ("7d", 7), ("30d", 30), ("1y", 365)):
        answer = await _asked(deps, offices, timeframe)

        def worth(back: int) -> int:
            # nobody changed the clocks at this time of day, so that days ago are just that on each office's clock
            standing = [
                line
                for line in lines
                if line["stage"] not in ("closed", "lost")
                and line["occurred_at"].astimezone(zones[line["location_key"]]).replace(tzinfo=None)
                < (now.astimezone(zones[line["location_key"]]).replace(tzinfo=None) - timedelta(days=back))
            ]
            return stocks.cents(
                sum(
                    stocks.weight(line["stage"], line["company_cents"], sells=line["sells"])
                    for line in standing
                )
            )

        assert answer["metrics"]["revenue_pipeline"]["value"] == worth(0)
        assert answer["comparisons"]["revenue_pipeline"]["previous"] == worth(days), timeframe
        assert answer["trends"]["revenue_pipeline"][-1] == worth(0)


async def test_leads_are_counted_by_temperature_and_the_late_ones_told(deps: Deps, offices: Offices) -> None:
    now = filled.NOW
    month = timedelta(days=30)
    active = [
        lead
        for lead in await _facts(deps, "SELECT * FROM dim_lead")
        if lead["stage"] not in ("closed", "lost")
        and not lead["opted_out"]
        and (
            (lead["last_contact_at"] and lead["last_contact_at"] > now - month)
            or (lead["next_touch_at"] and lead["next_touch_at"] <= now + month)
        )
    ]
    metrics = (await _asked(deps, offices))["metrics"]

    counted = Counter(lead["temperature"] or "unscored" for lead in active)
    assert metrics["active_leads"]["value"] == len(active) > 0
    assert {name: n for name, n in metrics["active_leads"]["parts"].items() if n} == counted
    late = [lead for lead in active if lead["temperature"] == "hot" and lead["answer_due_at"]]
    assert metrics["hot_leads"]["value"] == counted["hot"]
    assert metrics["hot_leads"]["parts"]["past_due"] == len(late) > 0


async def test_leads_are_compared_with_the_hourly_picture(
    deps: Deps, offices: Offices, clock: FakeClock
) -> None:
    first = await _asked(deps, offices, "24h")
    await kpi_snapshots.once(deps)
    clock.advance(86_400)
    invented = filled.Invented(rng=random.Random(8), now=clock.now(), offices=offices)
    fresh = invented.lead() | {"stage": "new", "opted_out": False, "last_contact_at": clock.now()}
    await filled.store(deps, "dim_lead", [fresh])

    second = await _asked(deps, offices, "24h")

    assert first["comparisons"]["active_leads"] is None
    before = second["comparisons"]["active_leads"]["previous"]
    assert before == first["metrics"]["active_leads"]["value"]
    assert second["comparisons"]["active_leads"]["label"] == "now against 24 hours ago"
    assert second["trends"]["active_leads"][-1] == second["metrics"]["active_leads"]["value"] != before


async def test_what_was_not_asked_for_is_left_out_and_the_rest_the_same(deps: Deps, offices: Offices) -> None:
    for timeframe in ("7d", "30d"):
        full = await _asked(deps, offices, timeframe)
        short = await _asked(deps, offices, timeframe, comparisons=False, trends=False)

        assert short["comparisons"] == short["trends"] == {}
        assert short["trend_points"] == []
        assert short["metrics"] == full["metrics"]
        assert short["jorge_commission"] == full["jorge_commission"]


async def test_labels_say_until_when_the_time_before_is_counted(deps: Deps, offices: Offices) -> None:
    both = await _asked(deps, offices, "30d")
    one = await _asked(deps, offices, "30d", location_id=offices[1].id)
    week = await _asked(deps, offices, "7d")

    label = "bot_success"
    assert both["comparisons"][label]["label"].endswith("each to this time of day of its last day")
    assert one["comparisons"][label]["label"].endswith("each to 00:40 of its last day")
    assert week["comparisons"][label]["label"] == "last 7 days against the 7 days before"


async def test_the_answer_says_how_far_it_reaches(deps: Deps, offices: Offices, clock: FakeClock) -> None:
    newest = await _facts(deps, "SELECT max(occurred_at) AS at FROM fact_lead_interactions")
    answer = await _asked(deps, offices)

    assert answer["as_of"] == answer["last_updated"] == clock.now().isoformat()
    assert newest[0]["at"].isoformat() <= answer["watermark"] <= answer["as_of"]
    assert answer["source"] == "aggregates"


async def test_an_empty_office_has_no_figures_and_says_so(deps: Deps) -> None:
    offices = await filled.open_offices(deps)

    for timeframe in TIMEFRAMES:
        answer = await _asked(deps, offices, timeframe)
        assert {metric["value"] for metric in answer["metrics"].values()} == {None}
        assert set(answer["comparisons"].values()) == {None}
        assert set(map(tuple, answer["trends"].values())) == {()}
        assert answer["watermark"] is None
        assert answer["jorge_commission"]["closed_gross_cents"] is None


async def test_somebody_without_locations_sees_nothing(deps: Deps) -> None:
    answer = await _asked(deps, ())

    assert answer["locations"] == []
    assert {metric["value"] for metric in answer["metrics"].values()} == {None}


async def test_a_question_is_told_from_others_by_its_canonical_form(deps: Deps, offices: Offices) -> None:
    boss = filled.manager(offices)
    asked = [
        await dashboard.ask(deps, boss, timeframe="7d"),
        await dashboard.ask(deps, boss, timeframe="7d"),
        await dashboard.ask(deps, boss, timeframe="30d"),
        await dashboard.ask(deps, boss, timeframe="7d", trends=False),
    ]

    assert asked[0] == asked[1]
    assert len({one.canonical for one in asked}) == 3
    assert offices[0].id not in asked[0].canonical


async def test_tags_name_every_bucket_behind_an_answer(
    deps: Deps, offices: Offices, clock: FakeClock
) -> None:
    boss = filled.manager(offices)
    week = question.tags(await dashboard.ask(deps, boss, timeframe="7d"), clock.now())
    month = question.tags(await dashboard.ask(deps, boss, location_id=offices[0].id), clock.now())

    assert {"loc:-1:h:2026112305", "loc:-1:d:20261123", "loc:-1:d:20261122", "loc:-1:stock"} == week.open
    assert "loc:-1:h:2026111005" in week.closed
    key = offices[0].key
    assert {f"loc:{key}:d:20261122", f"loc:{key}:stock"} == month.open
    assert f"loc:{key}:d:20260924" in month.closed
    assert not any(":h:" in tag for tag in month.all)


async def test_who_may_not_see_the_location_or_the_figures_is_refused(deps: Deps, offices: Offices) -> None:
    boss = filled.manager(offices[:1])
    agent = Actor(id=boss.id, role=Role.AGENT, locations=boss.locations, device_id="", session_id="")

    with pytest.raises(errors.ForbiddenError):
        await dashboard.ask(deps, boss, location_id=offices[1].id)
    with pytest.raises(errors.ForbiddenError):
        await dashboard.ask(deps, agent)
