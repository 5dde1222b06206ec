"""Drill-down: every figure divided by every dimension that the registry gives it adds up to the figure, and so do its leads."""

from __future__ import annotations

import random
import uuid
from datetime import timedelta
from itertools import product
from typing import Any

import pytest

from backend.actor import Actor, Role
from backend.deps import Deps
from backend.metrics import FIGURES, Figure
from backend.metrics.figures import Component, Shape
from backend.services.bi import dashboard, drill, question
from domain import errors
from domain.kpis import Unit
from tests.backend.services.bi import filled
from tests.backend.services.bi.filled import Offices
from tests.fakes import FakeClock

pytestmark = pytest.mark.anyio

TIMEFRAMES = ("7d", "1y")
"""One that rolls, one by days."""


@pytest.fixture
async def offices(deps: Deps, clock: FakeClock) -> Offices:
    opened = await filled.open_offices(deps)
    invented = filled.Invented(rng=random.Random(5), now=clock.now(), offices=opened)
    await filled.fill(deps, invented, 300)
    await filled.store(deps, "dim_lead", [invented.lead() for _ in range(80)])
    return opened


@pytest.fixture
def boss(offices: Offices) -> Actor:
    return filled.manager(offices)


async def _pages(deps: Deps, actor: Actor, figure: Figure, **asked: Any) -> list[dict[str, Any]]:
    """All answers, one after the other."""
    pages: list[dict[str, Any]] = []
    cursor = ""
    while not pages or cursor:
        one = await drill.ask(
            deps, actor, component=figure.component, metric=figure.name, cursor=cursor, **asked
        )
        pages.append(await drill.answer(deps, one))
        cursor = pages[-1]["next_cursor"] or ""
        assert len(pages) < 300
    return pages


def _rows(pages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [row for page in pages for row in page["rows"]]


OF_COMPONENT = pytest.mark.parametrize("component", Component)
"""Every figure of the registry, by component: they share a warehouse."""


def _figures(component: Component) -> list[Figure]:
    return [figure for figure in FIGURES.values() if figure.component is component]


@OF_COMPONENT
async def test_the_parts_add_up_to_the_figure(deps: Deps, boss: Actor, component: Component) -> None:
    for figure, timeframe in product(_figures(component), TIMEFRAMES):
        totals = []
        for by in sorted(figure.dimensions):
            pages = await _pages(deps, boss, figure, timeframe=timeframe, group_by=by, limit=7)
            rows = _rows(pages)
            case = (figure.name, timeframe, by)
            assert len({row["key"] for row in rows}) == len(rows), case
            assert sum(row["n"] for row in rows) == pages[0]["total"]["n"], case
            if figure.shape in (Shape.SUM, Shape.STOCK):
                assert sum(row["value"] for row in rows) == pages[0]["total"]["value"], case
            totals.append(pages[0]["total"])
        assert all(total == totals[0] for total in totals), (figure.name, timeframe, totals)


@OF_COMPONENT
async def test_the_leads_behind_add_up_to_the_figure(deps: Deps, boss: Actor, component: Component) -> None:
    for figure, timeframe in product(_figures(component), ("7d", "1y")):
        pages = await _pages(deps, boss, figure, timeframe=timeframe, limit=6)
        rows = _rows(pages)

        assert len({row["lead_id"] for row in rows}) == len(rows), figure.name
        assert all(("last_at" in row) is (component != Component.REVENUE) for row in rows), figure.name
        assert sum(row["n"] for row in rows) == pages[0]["total"]["n"], figure.name
        assert {page["as_of"] for page in pages} == {pages[0]["as_of"]}


@pytest.mark.parametrize("timeframe", TIMEFRAMES)
async def test_the_figure_is_that_of_the_tile(deps: Deps, boss: Actor, timeframe: str) -> None:
    tiles = await dashboard.answer(deps, await dashboard.ask(deps, boss, timeframe=timeframe))

    for name, tile in tiles["metrics"].items():
        figure = FIGURES[name]
        for by in (*sorted(figure.dimensions), None):
            asked = await drill.ask(
                deps, boss, component=figure.component, metric=name, timeframe=timeframe, group_by=by
            )
            found = await drill.answer(deps, asked)
            assert (found["total"]["value"], found["total"]["n"]) == (tile["value"], tile["n"]), (name, by)


@OF_COMPONENT
async def test_a_filter_leaves_the_row_it_names(deps: Deps, boss: Actor, component: Component) -> None:
    for figure in _figures(component):
        for by in sorted(figure.dimensions):
            first = _rows(await _pages(deps, boss, figure, group_by=by, limit=200))[0]
            picked: dict[str, Any] = {"filters": {by: [first["key"]]}, "limit": 200}
            [row] = _rows(await _pages(deps, boss, figure, group_by=by, **picked))
            leads = _rows(await _pages(deps, boss, figure, **picked))

            # weighted cents are shared out to the cent, so that one may lie in another row
            assert (row["key"], row["n"]) == (first["key"], first["n"]), (figure.name, by)
            assert row["value"] == pytest.approx(first["value"], abs=1), (figure.name, by)
            assert sum(lead["n"] for lead in leads) == row["n"], (figure.name, by)


async def test_days_and_hours_can_be_asked_together(deps: Deps, boss: Actor) -> None:
    figure = FIGURES["interactions"]
    day = _rows(await _pages(deps, boss, figure, timeframe="30d", group_by="day", limit=200))[-1]

    hours = _rows(
        await _pages(deps, boss, figure, timeframe="30d", group_by="hour", filters={"day": day["key"]})
    )

    assert sum(row["n"] for row in hours) == day["n"]


async def test_pages_show_what_was_there_when_the_first_was_asked_for(
    deps: Deps, boss: Actor, offices: Offices, clock: FakeClock
) -> None:
    figure = FIGURES["interactions"]
    asked: dict[str, Any] = {"component": "activity", "metric": figure.name, "group_by": "agent", "limit": 2}
    first = await drill.answer(deps, await drill.ask(deps, boss, **asked))
    clock.advance(60)
    invented = filled.Invented(rng=random.Random(9), now=clock.now(), offices=offices)
    rows = [invented.interaction() | {"received_at": clock.now(), "agent_id": None} for _ in range(50)]
    await filled.store(deps, "fact_lead_interactions", rows)

    second = await drill.answer(deps, await drill.ask(deps, boss, **asked, cursor=first["next_cursor"]))

    assert second["next_cursor"] is None
    assert sum(row["n"] for page in (first, second) for row in page["rows"]) == first["total"]["n"]


async def test_a_cursor_serves_its_own_question_only(deps: Deps, boss: Actor, clock: FakeClock) -> None:
    asked: dict[str, Any] = {"component": "activity", "metric": "interactions", "group_by": "day", "limit": 2}
    cursor = (await drill.answer(deps, await drill.ask(deps, boss, **asked)))["next_cursor"]

    for other in (
        {"timeframe": "7d"},
        {"metric": "inbound"},
        {"filters": {"bot": "jorge-seller"}},
        {"location_id": next(iter(boss.locations))},
        {"cursor": cursor[:-2] + "AA"},
        {"cursor": "nonsense"},
        {"cursor": "é"},
    ):
        one = await drill.ask(deps, boss, **({"cursor": cursor} | asked | other))
        with pytest.raises(errors.InputError) as caught:
            await drill.answer(deps, one)
        assert caught.value.where == "cursor"
    clock.advance(3601)
    with pytest.raises(errors.InputError, match="too old"):
        await drill.answer(deps, await drill.ask(deps, boss, **asked, cursor=cursor))


@pytest.mark.parametrize(
    ("asked", "where", "hint"),
    [
        ({"metric": "secrets"}, "metric", "interactions"),
        ({"component": "bots"}, "component", "activity"),
        ({"group_by": "name"}, "group_by", "temperature"),
        ({"filters": {"name": "x"}}, "filters.name", "temperature"),
        ({"filters": {"stage": "'; DROP TABLE leads"}}, "filters.stage", "contract"),
        ({"filters": {"day": "yesterday"}}, "filters.day", "2026"),
        ({"filters": {"event_type": None}}, "filters.event_type", "always"),
        ({"filters": {"agent": []}}, "filters.agent", "1 to 50"),
        ({"filters": {"channel": {"a": 1}}}, "filters.channel", "text"),
    ],
)
async def test_what_the_registry_does_not_name_is_refused_with_what_there_is(
    deps: Deps, boss: Actor, asked: dict[str, Any], where: str, hint: str
) -> None:
    with pytest.raises(errors.InputError) as caught:
        await drill.ask(deps, boss, **({"component": "activity", "metric": "interactions"} | asked))

    assert caught.value.where == where
    assert hint in caught.value.hint


async def test_an_unknown_bot_is_refused_and_a_foreign_location_forbidden(deps: Deps, boss: Actor) -> None:
    asked = await drill.ask(
        deps, boss, component="bots", metric="bot_success", filters={"bot": "hal"}, group_by="day"
    )
    with pytest.raises(errors.InputError, match="no such bot") as unknown:
        await drill.answer(deps, asked)
    assert "lead-bot" not in unknown.value.hint  # nor any other, for it may be of another office
    with pytest.raises(errors.ForbiddenError):
        await drill.ask(
            deps, boss, component="bots", metric="bot_success", filters={"location": str(uuid.uuid4())}
        )
    with pytest.raises(errors.ForbiddenError):
        await drill.ask(deps, boss, component="bots", metric="bot_success", location_id=str(uuid.uuid4()))


async def test_one_office_sees_its_own_leads_only(deps: Deps, boss: Actor, offices: Offices) -> None:
    one = Actor(**{**_fields(boss), "locations": frozenset({offices[0].id})})

    for name in ("active_leads", "interactions", "revenue_pipeline", "conversations"):
        figure = FIGURES[name]
        mine = await _pages(deps, one, figure, timeframe="1y")
        part = await _pages(
            deps, boss, figure, timeframe="1y", group_by="location", filters={"location": offices[0].id}
        )
        assert sum(row["n"] for row in _rows(mine)) == part[0]["total"]["n"]
        assert mine[0]["locations"] == [offices[0].id]
        if figure.unit is not Unit.CENTS:
            assert {row["location_id"] for row in _rows(mine)} <= {offices[0].id, None}


def _fields(actor: Actor) -> dict[str, Any]:
    return {name: getattr(actor, name) for name in Actor.__dataclass_fields__}


async def test_names_come_from_the_leads_and_are_not_in_the_answer_before(
    deps: Deps, boss: Actor, offices: Offices
) -> None:
    lead = str(uuid.UUID(int=100))
    async with deps.pool.acquire() as connection:
        await connection.execute(
            "INSERT INTO leads (id, location_id, kind, name, stage) VALUES ($1, $2, 'seller', 'Ada Byron', 'new')",
            lead,
            offices[0].id,
        )
    asked = await drill.ask(deps, boss, component="activity", metric="interactions", timeframe="1y")

    found = await drill.answer(deps, asked)
    named = await drill.named(deps, asked, found)

    assert "Ada" not in str(found)
    assert {row["name"] for row in named["rows"] if row["lead_id"] == lead} == {"Ada Byron"}


async def test_an_agent_may_not_ask(deps: Deps, boss: Actor) -> None:
    agent = Actor(**{**_fields(boss), "role": Role.AGENT})

    with pytest.raises(errors.ForbiddenError):
        await drill.ask(deps, agent, component="activity", metric="interactions")


async def test_a_question_that_takes_too_long_is_stopped_with_a_hint(deps: Deps, boss: Actor) -> None:
    scope = (await drill.ask(deps, boss, component="activity", metric="interactions")).scope

    async def slow() -> None:
        async with question.opened(deps, scope) as connection:
            await connection.execute("SET LOCAL statement_timeout = 10")
            await connection.fetchval("SELECT pg_sleep(2)")

    with pytest.raises(errors.TooMuchError) as caught:
        await slow()

    assert caught.value.code == "too_much"
    assert caught.value.retry_after


async def test_leads_move_on_without_being_lost_between_pages(
    deps: Deps, boss: Actor, clock: FakeClock
) -> None:
    clock.advance(timedelta(minutes=1).total_seconds())
    pages = await _pages(deps, boss, FIGURES["active_leads"], limit=3)

    assert len(_rows(pages)) == pages[0]["total"]["n"] > 3
