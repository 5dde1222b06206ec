"""The demo: deterministic, plausible, by the product's own rules, and never beside real data."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from statistics import median

import pytest

from backend.deps import Deps
from backend.events import BotPerformance, CommissionEvent, LeadInteraction
from backend.services import demo
from backend.services.demo import bots, brokerage, past
from domain import errors, leads, phones, scoring
from tests.backend import importing
from tests.serving import Login, MakeUser

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 11, 22, 17, tzinfo=UTC)


@pytest.fixture(scope="module")
def made() -> brokerage.Brokerage:
    return brokerage.make(NOW, demo.silent)


def test_two_runs_make_the_same_brokerage_and_another_day_another(made: brokerage.Brokerage) -> None:
    assert brokerage.make(NOW, demo.silent).checksum() == made.checksum()
    assert brokerage.make(NOW + timedelta(days=1), demo.silent).checksum() != made.checksum()


def test_the_numbers_are_those_of_a_brokerage(made: brokerage.Brokerage) -> None:
    tables = made.tables

    assert len(tables.leads) == 1500
    assert 25_000 <= len(tables.interactions) <= 42_000
    assert sum(house["status"] == "sold" and not house["lead_id"] for house in tables.properties) >= 1500
    assert {deal["stage"] for deal in tables.deals} == {stage.value for stage in leads.Stage}
    assert Counter(person.role for person in made.staff) == {"agent": 6, "manager": 1, "admin": 1}


def test_everything_lies_in_the_year_that_ends_now(made: brokerage.Brokerage) -> None:
    times = [row["occurred_at"] for row in made.tables.interactions]

    assert NOW - timedelta(days=365) <= min(times)
    assert max(times) <= NOW


def test_the_bots_year_is_the_same_each_time_and_shows_how_they_work_together(
    made: brokerage.Brokerage,
) -> None:
    events = _bot_events(made)
    handed = [event for event in events if event.event_type == "handoff"]
    pairs = Counter((event.bot_id, event.to_bot_id) for event in handed)

    assert events == _bot_events(brokerage.make(NOW, demo.silent))
    assert max(event.occurred_at for event in events) <= NOW
    assert {bots.SELLER, bots.BUYER, bots.LEAD, bots.DECODER} == {giver for giver, _ in pairs}
    assert pairs[bots.LEAD, bots.SELLER] > 5 * pairs[bots.BUYER, bots.SELLER] > 0
    assert 10 <= sum(map(_goes_to_and_fro, _by_talk(handed))) <= 120
    assert any(len(some) > 3 for some in _by_talk(handed))
    assert 0.005 < sum(event.event_type == "error" for event in events) / len(events) < 0.05
    assert all(event.quality is not None for event in events if event.event_type == "conversation_ended")


def _bot_events(made: brokerage.Brokerage) -> list[BotPerformance]:
    return [event for one in made.pasts for event in bots.events(one.story)]


def _by_talk(handed: list[BotPerformance]) -> list[list[BotPerformance]]:
    talks: dict[object, list[BotPerformance]] = {}
    for event in handed:
        talks.setdefault(event.conversation_id, []).append(event)
    return list(talks.values())


def _goes_to_and_fro(handed: list[BotPerformance]) -> bool:
    return any(
        (one.bot_id, one.to_bot_id) == (other.to_bot_id, other.bot_id)
        and other.occurred_at - one.occurred_at < timedelta(minutes=30)
        for one, other in pairwise(handed)
    )


def test_a_deal_went_through_its_lead_s_stages_and_ends_as_its_row(made: brokerage.Brokerage) -> None:
    for one in made.pasts:
        states = [event for event in past.events(one) if isinstance(event, CommissionEvent)]
        assert (one.deal is None) == (not states)
        if one.deal is not None:
            assert states[0].occurred_at == one.deal["created_at"]
            assert (states[-1].stage, states[-1].gross_cents) == (one.deal["stage"], one.deal["gross_cents"])
            assert [state.occurred_at for state in states] == sorted(state.occurred_at for state in states)


def test_temperatures_are_those_of_the_moment(made: brokerage.Brokerage) -> None:
    found = Counter(
        (event.temperature, event.direction)
        for one in made.pasts
        for event in past.events(one)
        if isinstance(event, LeadInteraction)
    )
    inbound, outbound = (
        found["hot", way] / sum(n for (_, w), n in found.items() if w == way)
        for way in ("inbound", "outbound")
    )
    assert inbound > outbound > 0  # a word of theirs is what warms


def test_scores_and_temperatures_are_those_of_the_rules(made: brokerage.Brokerage) -> None:
    for lead in made.tables.leads:
        score = round(scoring.lead_score(scoring.inputs(lead, NOW)).value, 1)
        assert (lead["score"], lead["temperature"]) == (score, leads.temperature(score))


def test_the_pictures_of_its_past_lead_up_to_what_stands_now(made: brokerage.Brokerage) -> None:
    standing = [one for one in made.pasts if one.is_active(NOW)]
    hot = sum(one.row["temperature"] == "hot" for one in standing)
    pictures: Counter[datetime] = Counter()
    for row in made.tables.kpi_snapshots:
        pictures[row["at"]] += row["value"] if row["name"] == "hot_leads" else 0
    course = [pictures[at] for at in sorted(pictures)][-60:]

    assert all(one.is_hot(NOW) == (one.row["temperature"] == "hot") for one in standing)
    assert hot == pytest.approx(course[-1], rel=0.25)
    assert all(abs(late - early) <= 8 for early, late in pairwise(course))


def test_hot_leads_wait_for_an_answer_near_now(made: brokerage.Brokerage) -> None:
    clocks = [lead["answer_due_at"] for lead in made.tables.leads if lead["temperature"] == "hot"]

    assert sum(clock is not None and abs(clock - NOW) < timedelta(minutes=30) for clock in clocks) >= 8


def test_numbers_are_fictional_and_belong_to_one_lead_each(made: brokerage.Brokerage) -> None:
    numbers = [lead["phone"] for lead in made.tables.leads]

    assert all(phones.parse(number) == number and number[5:10] == "55501" for number in numbers)
    assert len(set(numbers)) == len(numbers)


def test_a_square_foot_costs_more_where_it_does_and_spring_is_busier(made: brokerage.Brokerage) -> None:
    def dollars(zip_code: str) -> float:
        sold = [h for h in made.tables.properties if h["zip"] == zip_code and h["status"] == "sold"]
        return float(median(h["price_cents"] / 100 / h["sqft"] for h in sold))

    months = Counter(lead["created_at"].month for lead in made.tables.leads)
    assert dollars("98033") > 1.3 * dollars("92336")
    assert months[5] > 1.4 * months[1]


async def test_an_empty_database_is_filled_and_its_people_can_sign_in(deps: Deps, login: Login) -> None:
    report = await demo.run_demo(deps, lead_count=60)

    signed_in = await login("agent1@demo.example", "demo")
    assert signed_in.answer["demo"] is True
    assert [place["name"] for place in signed_in.user["locations"]] == ["Rancho Cucamonga (demo)"]
    assert report.rows > 1500
    assert await demo.content(deps) is demo.Content.DEMO


async def test_the_demo_refuses_a_second_run_and_changes_nothing(deps: Deps) -> None:
    await demo.run_demo(deps, lead_count=20)
    before = await importing.changes(deps)

    with pytest.raises(errors.InputError, match="in this database already"):
        await demo.run_demo(deps, lead_count=20)

    assert await importing.changes(deps) == before


async def test_the_demo_refuses_a_database_with_real_data(deps: Deps, make_user: MakeUser) -> None:
    await make_user(locations=("Real office",))

    with pytest.raises(errors.InputError, match="never mixes with real data"):
        await demo.run_demo(deps, lead_count=20)

    assert await importing.rows(deps) == []
