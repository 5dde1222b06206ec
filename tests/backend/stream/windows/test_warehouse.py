"""The windows and the warehouse count the same events the same way, and either can be had from the other."""

from __future__ import annotations

import random
from datetime import timedelta

import pytest

from backend.deps import Deps
from backend.epoch import micros, moment_at
from backend.metrics import MEASURES, measures
from backend.storage.warehouse import windows as stored
from backend.stream import rebuilding
from backend.stream.windows import snapshot
from backend.stream.windows.spans import DAY, SECOND
from tests.backend.stream.windows import warehouse, world

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_each_measure_is_what_the_registrys_sql_says(deps: Deps, seed: int) -> None:
    await warehouse.open_offices(deps)
    rnd = random.Random(seed)
    events = world.some(rnd, 400)
    windows = world.fresh()
    world.feed(windows, events, at_once=50)
    await warehouse.store(deps, events, seed=seed)

    since = moment_at(windows.oldest)
    async with stored.snapshot(deps.pool) as connection:
        found: dict[tuple[int, str], int] = {}
        for fact in (measures.LEADS, measures.BOTS, measures.TALKS, measures.MONEY):
            rows = await stored.sums(
                connection, fact, DAY.pane // SECOND, since, world.NOW + timedelta(minutes=2)
            )
            names = [name for name, measure in MEASURES.items() if measure.fact == fact]
            for key in world.OFFICES.values():
                mine = [row for row in rows if row["location_key"] == key]
                found |= {(key, name): sum(row[name] for row in mine) for name in names}

    said = world.said(windows)
    assert found == {(key, name): said[key, "24h"]["values"][name] for key, name in found}
    assert sum(any(found[key, name] for key in world.OFFICES.values()) for name in MEASURES) > 27


@pytest.mark.parametrize("seed", [4, 5])
async def test_windows_rebuilt_from_the_facts_are_those_that_saw_the_events(deps: Deps, seed: int) -> None:
    await warehouse.open_offices(deps)
    events = world.some(random.Random(seed), 500)
    windows = world.fresh()
    world.feed(windows, events, at_once=50)
    windows.advance(world.NOW_US)
    await warehouse.store(deps, events, seed=seed)

    rebuilt = await rebuilding.rebuilt(deps.pool, world.NOW_US)

    assert world.said(rebuilt) == world.said(windows)


async def test_rebuilt_windows_go_on_as_those_that_saw_all(deps: Deps) -> None:
    await warehouse.open_offices(deps)
    events = world.some(random.Random(6), 600)
    windows = world.fresh()
    world.feed(windows, events, at_once=50)
    await warehouse.store(deps, events[:400])

    rebuilt = await rebuilding.rebuilt(deps.pool, world.NOW_US)
    world.feed(rebuilt, events[300:], at_once=50)  # a hundred of them come again

    assert world.said(rebuilt) == world.said(windows)
    assert rebuilt.counters.duplicates >= 100 - sum(micros(e.occurred_at) < windows.oldest for _, e in events)


async def test_rebuilt_windows_can_be_kept_whole(deps: Deps) -> None:
    await warehouse.open_offices(deps)
    await warehouse.store(deps, world.some(random.Random(7), 200))
    rebuilt = await rebuilding.rebuilt(deps.pool, world.NOW_US)

    snapshot.everything(rebuilt)
    fields = dict(snapshot.fields(rebuilt))

    again = world.fresh()
    snapshot.begun(snapshot.read_head(snapshot.head(rebuilt, {})), again)
    for field, blob in fields.items():
        snapshot.put_back(again, field, blob)
    snapshot.settle(again)
    assert world.said(again) == world.said(rebuilt)


async def test_an_empty_warehouse_makes_empty_windows_that_know_the_offices(deps: Deps) -> None:
    await warehouse.open_offices(deps)

    rebuilt = await rebuilding.rebuilt(deps.pool, world.NOW_US)

    assert rebuilt.locations == {office.int: key for office, key in world.OFFICES.items()}
    assert rebuilt.watermark.at is None
