"""A year out of columns is what its facts say: divided by anything, filtered by anything, whatever comes late."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import timedelta
from itertools import product
from typing import Any

import pytest

from backend.actor import Actor
from backend.deps import Deps
from backend.jobs import columns as job
from backend.metrics import FIGURES, Dimension, Figure
from backend.metrics.measures import BOTS, LEADS
from backend.services.bi import drill
from backend.storage.warehouse import columns, facts, packed
from backend.storage.warehouse.offices import Office
from backend.storage.warehouse.rebuild import rebuild
from backend.storage.warehouse.scope import writing
from tests.backend.services.bi import filled
from tests.fakes import FakeClock

pytestmark = pytest.mark.anyio

FIGURE = FIGURES["interactions"]
ROWS = {"limit": 200}


@pytest.fixture
async def invented(deps: Deps, clock: FakeClock) -> filled.Invented:
    """Interactions of known leads, of others and of nobody."""
    offices = await filled.open_offices(deps)
    made = filled.Invented(rng=random.Random(7), now=clock.now(), offices=offices)
    leads = [made.lead() for _ in range(12)]
    await filled.store(deps, "dim_lead", leads)
    async with deps.bi.acquire() as connection:
        keys = [row["lead_key"] for row in await connection.fetch("SELECT lead_key FROM dim_lead")]
    rows = [made.interaction() | {"lead_key": made.rng.choice([None, *keys])} for _ in range(700)]
    recent = made.now - timedelta(days=70)  # each day more is a day to be packed in every test
    await filled.store(deps, LEADS, [row for row in rows if row["occurred_at"] > recent])
    return made


@pytest.fixture
def boss(invented: filled.Invented) -> Actor:
    return filled.manager(invented.offices)


async def answered(deps: Deps, boss: Actor, figure: Figure = FIGURE, **asked: Any) -> dict[str, Any]:
    """Total and rows of the first page, whatever the order of equal ones."""
    one = await drill.ask(
        deps,
        boss,
        component=figure.component,
        metric=figure.name,
        **({"timeframe": "1y"} | ROWS | asked),
    )
    found = await drill.answer(deps, one)
    return {"total": found["total"], "rows": {str(row["key"]): row for row in found["rows"]}}


async def everything(deps: Deps, boss: Actor, offices: Sequence[Office]) -> list[Any]:
    """Every division by every dimension, each with every other one as a filter."""
    found: list[Any] = []
    dimensions = sorted(FIGURE.dimensions - {Dimension.HOUR})
    picks = {
        Dimension.BOT: "jorge-seller",
        Dimension.LOCATION: offices[1].id,
        Dimension.AGENT: [filled.AGENTS[0], None],
    }
    picks |= {
        Dimension.STAGE: [None, "offer"],
        Dimension.TEMPERATURE: "hot",
        Dimension.SOURCE: [None, "referral"],
    }
    picks |= {Dimension.CHANNEL: "sms", Dimension.EVENT_TYPE: ["call", "note"], Dimension.DAY: "2026-11-20"}
    for by, other in product(dimensions, (None, *dimensions)):
        filters = {other: picks[other]} if other else {}
        found.append((by, other, await answered(deps, boss, group_by=by, filters=filters)))
    return found


async def test_columns_say_what_the_facts_say(deps: Deps, boss: Actor, invented: filled.Invented) -> None:
    before = await everything(deps, boss, invented.offices)

    assert await job.once(deps) > 50
    after = await everything(deps, boss, invented.offices)

    assert after == before
    assert all(answer["total"]["n"] for _, other, answer in after if other is None)


async def test_every_measure_has_its_bit(deps: Deps, boss: Actor, invented: filled.Invented) -> None:
    figures = [
        f for f in FIGURES.values() if f.measures and set(f.measures) <= columns.LAYOUTS[LEADS].bits.keys()
    ]
    before = [await answered(deps, boss, figure, group_by="stage") for figure in figures]

    await job.once(deps)

    assert [await answered(deps, boss, figure, group_by="stage") for figure in figures] == before
    assert len(figures) > 2


async def test_what_bots_report_is_in_columns_too(deps: Deps, boss: Actor, invented: filled.Invented) -> None:
    rows = [invented.bot() for _ in range(400)]
    recent = invented.now - timedelta(days=25)
    await filled.store(deps, BOTS, [row for row in rows if row["occurred_at"] > recent])
    picks = {"event_type": ["turn", "error"], "bot": "jorge-buyer", "day": "2026-11-18"}
    asked: list[tuple[Figure, dict[str, Any]]] = [
        (FIGURES[name], {"group_by": by, "filters": {other: picks[other]} if other else {}})
        for name in ("conversation_quality", "bot_confidence", "bot_error_rate", "handoffs", "turn_response")
        for by, other in product(("event_type", "day", "location", "hour"), (None, *picks))
    ]
    before = [await answered(deps, boss, figure, **one) for figure, one in asked]

    await job.once(deps)

    assert [await answered(deps, boss, figure, **one) for figure, one in asked] == before
    assert sum(answer["total"]["n"] > 0 for answer in before) > 50
    late = [invented.bot() | {key: rows[0][key] for key in ("occurred_at", "date_key", "location_key")}]
    await filled.store(deps, BOTS, late)
    figure = FIGURES["bot_events"]
    counted = await answered(deps, boss, figure, group_by="event_type")
    async with writing(deps.bi) as connection:
        await connection.execute("UPDATE bi_column_days SET complete = false")
    assert await answered(deps, boss, figure, group_by="event_type") == counted


async def test_hours_of_a_year_can_be_filtered(deps: Deps, boss: Actor, invented: filled.Invented) -> None:
    asked: dict[str, Any] = {"group_by": "hour", "filters": {"temperature": "hot"}}
    before = await answered(deps, boss, **asked)

    await job.once(deps)

    assert await answered(deps, boss, **asked) == before
    assert len(before["rows"]) > 20


async def _leads(deps: Deps, boss: Actor, **asked: Any) -> list[dict[str, Any]]:
    """All leads behind, page by page."""
    rows: list[dict[str, Any]] = []
    cursor: str | None = ""
    while cursor is not None:
        one = await drill.ask(
            deps,
            boss,
            component=FIGURE.component,
            metric=FIGURE.name,
            timeframe="1y",
            limit=4,
            cursor=cursor,
            **asked,
        )
        found = await drill.answer(deps, one)
        rows, cursor = [*rows, *found["rows"]], found["next_cursor"]
    return rows


async def test_leads_behind_rare_facts_are_found_where_the_columns_say(
    deps: Deps, boss: Actor, invented: filled.Invented
) -> None:
    filters: list[dict[str, Any]] = [
        {},
        {"source": ["sign call", None]},
        {"channel": "sms", "stage": "offer"},
        {"agent": None, "day": ["2026-10-30", "2026-11-20"]},
        {"location": invented.offices[1].id, "event_type": "call"},
        {"channel": "nobody's"},
    ]
    before = [await _leads(deps, boss, filters=one) for one in filters]

    await job.once(deps)

    assert [await _leads(deps, boss, filters=one) for one in filters] == before
    assert [len(rows) > 4 for rows in before] == [True] * 5 + [False]


async def test_columns_are_read_where_they_are_complete(
    deps: Deps, boss: Actor, invented: filled.Invented
) -> None:
    all_of_it = await answered(deps, boss, group_by="channel")
    await job.once(deps)
    async with writing(deps.bi) as connection:
        await connection.execute("UPDATE agg_daily_columns SET codes = ''")

    assert (await answered(deps, boss, group_by="channel"))["total"]["n"] < all_of_it["total"]["n"] / 2


async def test_what_comes_late_or_goes_counts_at_once(
    deps: Deps, boss: Actor, invented: filled.Invented
) -> None:
    await job.once(deps)
    before = await answered(deps, boss, group_by="source")
    late = [invented.interaction() for _ in range(20)]
    for row in late:
        moment = invented.now - timedelta(days=40)
        zone = next(o.zone for o in invented.offices if o.key == row["location_key"])
        row |= {"occurred_at": moment, "date_key": filled.key_of(moment, zone)}
    await filled.store(deps, LEADS, late)

    after = await answered(deps, boss, group_by="source")
    assert after["total"]["n"] == before["total"]["n"] + 20
    assert await job.once(deps) in (1, 2)  # that moment has two dates around the world
    assert await answered(deps, boss, group_by="source") == after

    async with writing(deps.bi) as connection:
        await connection.execute(
            "DELETE FROM fact_lead_interactions WHERE event_id = ANY($1::uuid[])",
            [row["event_id"] for row in late],
        )
    assert await answered(deps, boss, group_by="source") == before


async def test_sources_that_are_put_right_are_read_anew(
    deps: Deps, boss: Actor, invented: filled.Invented
) -> None:
    await job.once(deps)
    async with writing(deps.bi) as connection:
        await connection.execute("UPDATE dim_lead SET source = 'put right'")

    rows = (await answered(deps, boss, group_by="source"))["rows"]

    assert "put right" in rows
    assert rows.keys() <= {"put right", "None"}


async def test_later_pages_do_not_see_what_came_after_the_first(
    deps: Deps, boss: Actor, invented: filled.Invented, clock: FakeClock
) -> None:
    asked: dict[str, Any] = {"component": FIGURE.component, "metric": FIGURE.name, "timeframe": "1y"}
    asked |= {"group_by": "event_type", "limit": 3}
    first = await drill.answer(deps, await drill.ask(deps, boss, **asked))
    clock.advance(60)
    late = [invented.interaction() | {"received_at": clock.now(), "event_type": "note"} for _ in range(40)]
    await filled.store(deps, LEADS, late)
    await job.once(deps)

    second = await drill.answer(deps, await drill.ask(deps, boss, **asked, cursor=first["next_cursor"]))

    assert sum(row["n"] for page in (first, second) for row in page["rows"]) == first["total"]["n"]


async def test_rebuild_finds_a_wrong_column_and_has_its_day_read_from_the_facts(
    deps: Deps, boss: Actor, invented: filled.Invented
) -> None:
    await job.once(deps)
    right = await answered(deps, boss, group_by="channel")
    connection = await facts.connect(deps.database_url)
    try:
        assert (await rebuild(connection, check=True)).differed["agg_daily_columns"] == 0
        await connection.execute("SET ROLE jorge_etl")
        await connection.execute(
            "UPDATE agg_daily_columns SET codes = set_byte(codes, 1, 77) WHERE name = 'channel'"
            " AND date_key = (SELECT max(date_key) FROM agg_daily_columns)"
        )
        await connection.execute("RESET ROLE")
        assert (await rebuild(connection, check=True)).differed["agg_daily_columns"] > 0
        await rebuild(connection)
        assert await answered(deps, boss, group_by="channel") == right
        assert (await rebuild(connection, check=True)).differed["agg_daily_columns"] == 0
        await connection.execute("SET ROLE jorge_etl")
        assert len(await packed.due(connection, invented.now)) == 1
    finally:
        await connection.close()


async def test_an_office_reads_its_own_columns_only(
    deps: Deps, boss: Actor, invented: filled.Invented
) -> None:
    one = filled.manager(invented.offices[:1])
    before = await answered(deps, one, group_by="agent")

    await job.once(deps)

    assert await answered(deps, one, group_by="agent") == before
    assert 0 < before["total"]["n"] < (await answered(deps, boss, group_by="agent"))["total"]["n"]
