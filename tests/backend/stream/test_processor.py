"""The reader of the windows with real Valkey and PostgreSQL: one works, and nothing is lost or counted twice."""

from __future__ import annotations

import contextlib
import random
import uuid
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import msgspec
import orjson
import pytest

from backend.deps import Deps
from backend.stream import entries, keeping, processor
from backend.stream.processor import Processor
from tests.backend.stream.windows import at_work, warehouse, world
from tests.waiting import until

pytestmark = pytest.mark.anyio

LOCATION = 1
OFFICE = next(iter(world.OFFICES))


async def test_what_changed_is_told_with_its_place_and_kept_for_who_comes_later(deps: Deps) -> None:
    await warehouse.open_offices(deps)
    heard: list[dict[str, Any]] = []
    async with deps.valkey.pubsub(ignore_subscribe_messages=True) as line, at_work.working(deps):
        await line.subscribe(deps.channel(entries.DELTAS))

        async def hear() -> bool:
            while message := await line.get_message(timeout=0.01):
                heard.append(orjson.loads(message["data"]))
            return any(tick["rows"] for tick in heard)

        rnd = random.Random(1)
        await at_work.add(
            deps,
            [("lead_interactions", world.interaction(rnd, office=OFFICE, occurred_at=datetime.now(UTC)))],
        )
        await until(hear, what="a tick with rows")

    tick = next(tick for tick in heard if tick["rows"])
    assert {(row["location_key"], row["window"]) for row in tick["rows"]} == {
        (key, window) for key in (LOCATION, -1) for window in ("5m", "1h", "24h")
    }
    assert all(row["rev"] == 1 and row["values"]["interactions"] == 1 for row in tick["rows"])
    assert tick["epoch"]
    assert tick["complete"] is True
    assert datetime.fromisoformat(tick["watermark"]) < datetime.fromisoformat(tick["as_of"])
    assert [one["offset"] for one in heard] == list(
        range(heard[0]["offset"], heard[0]["offset"] + len(heard))
    )
    meta = orjson.loads(await deps.valkey.hget(keeping.LATEST, keeping.META) or b"")
    assert meta["epoch"] == tick["epoch"]
    assert meta["offset"] >= tick["offset"]


async def test_single_events_and_bad_ones_and_other_streams_are_read(deps: Deps) -> None:
    await warehouse.open_offices(deps)
    rnd = random.Random(2)
    good = world.interaction(rnd, occurred_at=datetime.now(UTC))
    name = entries.PREFIX + "lead_interactions"
    async with at_work.working(deps) as one:
        await deps.valkey.xadd(name, {entries.ONE: b"{"})
        await deps.valkey.xadd(
            name, {entries.PACKED: b'[{"event_type": "dance"},' + msgspec.json.encode(good) + b"]"}
        )
        await deps.valkey.xadd(name, {entries.ONE: msgspec.json.encode(good)})
        await deps.valkey.xadd(name, {b"nothing": b"of use"})
        health = await deps.valkey.xadd(entries.PREFIX + "system_health", {entries.ONE: b"{}"})

        await until(lambda: one.counters.entries >= 5, what="five entries read")

        assert (one.counters.events, one.counters.duplicates, one.counters.skipped) == (1, 1, 3)
        assert one.offsets[entries.PREFIX + "system_health"] == at_work.text(health)


async def test_the_next_one_goes_on_where_the_last_one_was_kept(deps: Deps) -> None:
    await warehouse.open_offices(deps)
    told = at_work.lately(random.Random(3), 300)
    async with at_work.working(deps):
        await at_work.add(deps, told[:150])
        await until(
            lambda: at_work.equals(at_work.total(deps), at_work.interactions(told[:150])),
            what="the first half",
        )
    await at_work.add(deps, told[100:])

    async with at_work.working(deps) as second:
        await until(lambda: at_work.equals(at_work.total(deps), at_work.interactions(told)), what="all of it")

        assert second.counters.rebuilds == 0
        assert second.counters.duplicates == 50
        windows = world.fresh()
        world.feed(windows, told, now=second._now())
        windows.advance(second._now())
        second.windows.advance(second._now())
        assert world.said(second.windows).keys() == world.said(windows).keys()
        for key, row in world.said(windows).items():
            if key[1] != "5m":  # its edge may have moved meanwhile
                assert world.said(second.windows)[key] == row


async def test_after_a_kill_it_reads_again_from_the_snapshot(deps: Deps) -> None:
    await warehouse.open_offices(deps)
    told = at_work.lately(random.Random(4), 200)
    one = Processor(deps)
    assert await one._keeper.acquire()
    await one._begin()
    await at_work.add(deps, told[:100])
    await one._turn()
    await one._save()
    await at_work.add(deps, told[100:])
    await one._turn()  # counted, but never kept: it dies here, and its lease with it
    await deps.valkey.delete(keeping.LEASE)

    async with at_work.working(deps) as second:
        await until(lambda: at_work.equals(at_work.total(deps), at_work.interactions(told)), what="all of it")
        assert second.counters.rebuilds == 0
        assert second.counters.duplicates == 0


async def test_when_valkey_forgets_everything_the_facts_are_asked(deps: Deps) -> None:
    await warehouse.open_offices(deps)
    told = at_work.lately(random.Random(5), 200)
    async with at_work.working(deps) as one:
        await at_work.add(deps, told[:120])
        await warehouse.store(deps, told[:120])
        await until(
            lambda: at_work.equals(at_work.total(deps), at_work.interactions(told[:120])),
            what="what came before",
        )

        await deps.valkey.flushdb()
        await at_work.add(deps, told[100:])

        await until(
            lambda: at_work.equals(at_work.total(deps), at_work.interactions(told)),
            what="all of it, each once",
        )
        assert one.counters.rebuilds >= 1
        assert one.counters.working == 1


async def test_ids_that_go_back_are_noticed(deps: Deps) -> None:
    await warehouse.open_offices(deps)
    name = entries.PREFIX + "lead_interactions"
    event = world.interaction(random.Random(6), occurred_at=datetime.now(UTC))
    async with at_work.working(deps) as one:
        await deps.valkey.xadd(name, {entries.ONE: b"{}"}, id="99999999999999-0")
        await until(lambda: one.offsets.get(name) == "99999999999999-0", what="the entry read")

        await deps.valkey.delete(name)  # as after a restart from an older copy
        await deps.valkey.xadd(name, {entries.ONE: msgspec.json.encode(event)})

        await until(lambda: at_work.equals(at_work.total(deps), 1), what="the new entry counted")


async def test_of_two_one_works_and_the_other_takes_over(deps: Deps) -> None:
    await warehouse.open_offices(deps)
    told = at_work.lately(random.Random(7), 100)
    async with contextlib.AsyncExitStack() as stack:
        first = await stack.enter_async_context(at_work.working(deps))
        await until(lambda: first.counters.working, what="the first at work")
        async with at_work.working(replace(deps, gauges={})) as second:
            await at_work.add(deps, told[:50])
            await until(
                lambda: at_work.equals(at_work.total(deps), at_work.interactions(told[:50])),
                what="the first half",
            )
            assert (first.counters.working, second.counters.working) == (1, 0)

            await stack.aclose()
            await until(lambda: second.counters.working, what="the second at work")
            await at_work.add(deps, told[50:])
            await until(
                lambda: at_work.equals(at_work.total(deps), at_work.interactions(told)), what="all of it"
            )
            assert second.counters.rebuilds == 0


async def test_who_lost_the_lease_writes_nothing_any_more(deps: Deps) -> None:
    await warehouse.open_offices(deps)
    one = Processor(deps)
    assert await one._keeper.acquire()
    await one._begin()
    await deps.valkey.set(keeping.LEASE, uuid.uuid4().hex)
    await deps.valkey.delete(keeping.SNAPSHOT, keeping.LATEST)
    await at_work.add(deps, at_work.lately(random.Random(8), 20))

    with pytest.raises(keeping.LeaseLostError):
        await one._turn()
    with pytest.raises(keeping.LeaseLostError):
        await one._save()
    assert not await deps.valkey.exists(keeping.SNAPSHOT, keeping.LATEST)


async def test_offsets_are_kept_for_whoever_trims(deps: Deps) -> None:
    await warehouse.open_offices(deps)
    await at_work.add(deps, at_work.lately(random.Random(9), 60))
    async with at_work.working(deps) as one:
        await until(lambda: one.counters.events == 60, what="all counted")
        now = one.offsets[entries.PREFIX + "lead_interactions"]
        before = at_work.text(await deps.valkey.get(keeping.OFFSET + "lead_interactions"))
        assert keeping.behind(before, now)

    kept = at_work.text(await deps.valkey.get(keeping.OFFSET + "lead_interactions"))
    assert kept == now
    assert (await one._keeper.load())[1] == one.offsets  # type: ignore[index]


async def test_an_office_made_while_it_runs_is_counted(deps: Deps) -> None:
    async with at_work.working(deps) as one:
        await until(lambda: one.counters.working, what="at work")
        await warehouse.open_offices(deps)
        event = world.interaction(random.Random(10), occurred_at=datetime.now(UTC))
        await at_work.add(deps, [("lead_interactions", event)])

        await until(lambda: at_work.equals(at_work.total(deps), 1), what="its event")


async def test_wanted_windows_are_told_again(deps: Deps) -> None:
    await warehouse.open_offices(deps)
    await at_work.add(deps, at_work.lately(random.Random(11), 30))
    async with at_work.working(deps) as one:
        await until(lambda: one.counters.events == 30, what="all counted")
        before = await at_work.revision(deps, "24h")

        await deps.valkey.sadd(keeping.FLUSH, "24h")

        async def told_again() -> bool:
            return await at_work.revision(deps, "24h") > before

        await until(told_again, what="a higher revision")


async def test_without_a_sink_all_of_the_stream_is_read_and_with_one_what_it_left(deps: Deps) -> None:
    name = entries.PREFIX + "bot_performance"
    keeper = keeping.Keeper(deps.valkey)
    assert (await keeper.unstored())[name] == keeping.BEGINNING
    ids = [await deps.valkey.xadd(name, {entries.ONE: b"{}"}) for _ in range(3)]
    assert (await keeper.unstored())[name] == keeping.BEGINNING

    await deps.valkey.xgroup_create(name, entries.SINK_GROUP, id="0")
    await deps.valkey.xreadgroup(entries.SINK_GROUP, "one", {name: ">"}, count=3)
    found = (await keeper.unstored())[name]
    assert keeping.behind(found, at_work.text(ids[0]))
    await deps.valkey.xack(name, entries.SINK_GROUP, *ids)

    assert (await keeper.unstored())[name] == at_work.text(ids[2])


def test_it_looks_four_times_as_often_as_it_must() -> None:
    assert processor.TICK <= 0.25
