"""Valkey dies: before, and while somebody waits. Nothing is refused, and each event counts once."""

from __future__ import annotations

import asyncio

import orjson
import pytest

from backend.deps import Deps
from backend.events import Event
from backend.stream import entries, ingest, sink
from domain import ids
from tests.backend.events import samples
from tests.backend.stream.mortal import Mortal
from tests.backend.stream.test_ingest import LEADS, last_id, listening, some, storing
from tests.serving import MakeUser
from tests.waiting import running, until

pytestmark = pytest.mark.anyio


@pytest.fixture
def redis_url(mortal: Mortal) -> str:
    return mortal.running.url()


@pytest.fixture
async def office(make_user: MakeUser, deps: Deps) -> str:
    await make_user()
    return str(await deps.pool.fetchval("SELECT id FROM locations"))


async def facts(deps: Deps) -> int:
    return int(await deps.pool.fetchval("SELECT count(*) FROM fact_lead_interactions"))


async def test_without_valkey_events_are_stored_straight(deps: Deps, mortal: Mortal, office: str) -> None:
    mortal.kill()

    sent = await ingest.send(deps, some(samples.message(location_id=office)), source_key=None, wait=5)

    assert sent.stored
    assert await facts(deps) == 1


async def test_who_waits_while_valkey_dies_is_not_left_with_a_promise(
    deps: Deps, mortal: Mortal, office: str
) -> None:
    events = some(*[samples.message(location_id=office) for _ in range(3)])
    async with listening(deps):
        waiting = asyncio.create_task(ingest.send(deps, events, source_key=None, wait=30))
        await last_id(deps, LEADS)
        mortal.kill()

        assert (await waiting).stored

    assert await facts(deps) == 3


async def test_what_was_stored_straight_and_is_sent_again_counts_once(
    deps: Deps, mortal: Mortal, office: str
) -> None:
    events = some(samples.message(location_id=office))
    mortal.kill()

    for _ in range(3):
        assert (await ingest.send(deps, events, source_key=None, wait=5)).stored

    assert await facts(deps) == 1


async def test_the_facts_say_what_they_do_not_take(deps: Deps, mortal: Mortal, office: str) -> None:
    good, foreign = some(samples.message(location_id=office), samples.message(location_id=ids.new_id()))
    mortal.kill()

    sent = await ingest.send(deps, [good, foreign], source_key=None, wait=5)

    assert [one.event for one in sent.refused] == [foreign]
    assert await facts(deps) == 1


async def test_when_valkey_is_back_it_is_used_and_caches_hear_what_changed(
    deps: Deps, mortal: Mortal, office: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ingest, "AWAY_SECONDS", 0)
    mortal.kill()
    await ingest.send(deps, some(samples.message(location_id=office)), source_key=None, wait=0)
    mortal.start()

    async with deps.valkey.pubsub(ignore_subscribe_messages=True) as heard:
        await heard.subscribe(deps.channel(entries.TOUCHED))
        await heard.get_message(timeout=5)
        async with listening(deps), asyncio.timeout(10):
            while (told := await heard.get_message(timeout=1)) is None:
                pass

        assert [tag for tag in orjson.loads(told["data"])["tags"] if tag.startswith("loc:-1:h:")]

    await ingest.send(deps, some(samples.message(location_id=office)), source_key=None, wait=0)
    assert await deps.valkey.xlen(LEADS) == 1


async def test_who_sends_until_it_is_stored_loses_nothing_though_valkey_dies_twice(
    deps: Deps, mortal: Mortal, office: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without persistence: all that waited in Valkey is gone each time."""
    monkeypatch.setattr(ingest, "AWAY_SECONDS", 0.1)
    told: list[Event] = []
    over = asyncio.Event()

    async def sender() -> None:
        while not over.is_set():
            events = some(*[samples.message(location_id=office) for _ in range(7)])
            while not (await ingest.send(deps, events, source_key=None, wait=10)).stored:
                pass
            told.extend(events)

    async with storing(deps):
        senders = [asyncio.create_task(sender()) for _ in range(4)]
        for _ in range(2):
            await until_more(told, 50)
            mortal.kill()
            await until_more(told, 50)
            mortal.start()
        await until_more(told, 50)
        over.set()
        await asyncio.gather(*senders)

    assert 0 < deps.line.stored_straight < len(told)
    rows = await deps.pool.fetch("SELECT event_id, count(*) AS n FROM fact_lead_interactions GROUP BY 1")
    assert {row["event_id"]: row["n"] for row in rows} == {str(event.event_id): 1 for event in told}
    counted = "SELECT sum(interactions) FROM agg_hourly_metrics WHERE location_key = -1"
    assert await deps.pool.fetchval(counted) == len(told)


async def until_more(told: list[Event], count: int) -> None:
    wanted = len(told) + count
    await until(lambda: len(told) >= wanted, 60)


async def test_where_a_living_valkey_lost_it_nobody_is_told_that_it_is_stored(
    deps: Deps, office: str
) -> None:
    """FLUSHALL: no connection is cut, and what is added after it is stored."""
    lost, later = some(samples.message(location_id=office)), some(samples.message(location_id=office))
    async with listening(deps):
        waiting = asyncio.create_task(ingest.send(deps, lost, source_key=None, wait=20))
        await last_id(deps, LEADS)
        await deps.valkey.flushall()
        second = asyncio.create_task(ingest.send(deps, later, source_key=None, wait=20))
        await last_id(deps, LEADS)
        async with running(sink.run(deps)):
            assert (await waiting).stored
            assert (await second).stored

    assert await facts(deps) == 2


async def test_a_full_valkey_asks_to_come_again(deps: Deps, office: str) -> None:
    await deps.valkey.config_set("maxmemory", "1mb")

    with pytest.raises(ingest.BacklogError):
        await ingest.send(deps, some(samples.message(location_id=office)), source_key=None, wait=0)

    assert await facts(deps) == 0
