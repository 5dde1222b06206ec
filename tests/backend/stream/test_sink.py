"""The sink stores each event once, whatever dies meanwhile, and keeps what it can't store with the reason."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable
from typing import Any

import msgspec
import orjson
import pytest

from backend.deps import Deps
from backend.events import Event
from backend.storage.warehouse import facts
from backend.stream import batches, consumer, dead, entries, sink, trim
from tests.backend.storage.warehouse import events
from tests.backend.stream.sinking import LEADS, add, count, running, settled
from tests.waiting import until

pytestmark = pytest.mark.anyio

LONGEST = 20.0


@pytest.fixture
def some() -> list[Event]:
    now = events.now()
    return [events.interaction(occurred_at=now) for _ in range(20)]


@pytest.mark.usefixtures("office")
async def test_what_was_added_before_the_group_is_there_is_stored(deps: Deps, some: list[Event]) -> None:
    await add(deps, *some)
    await deps.valkey.xadd(
        LEADS, {"event": msgspec.json.encode(events.interaction(occurred_at=events.now()))}
    )

    async with running(deps):
        await until(lambda: _is(count(deps), 21))
        await until(lambda: settled(deps))

    assert await deps.pool.fetchval("SELECT max(source_key) FROM fact_lead_interactions") == 7


@pytest.mark.usefixtures("office")
async def test_it_tells_how_far_everything_is_stored_and_what_changed(deps: Deps, some: list[Event]) -> None:
    async with deps.valkey.pubsub(ignore_subscribe_messages=True) as heard, running(deps):
        await heard.subscribe(deps.channel(entries.STORED), deps.channel(entries.TOUCHED))
        last = await add(deps, *some)

        told: dict[str, Any] = {}
        while len(told) < 2:
            channel, said = await _next(heard)
            if "last" in said or "tags" in said:  # else: that a stream has begun
                told[channel] = said
        told = {name.removeprefix(deps.channel_prefix): said for name, said in told.items()}

    assert told[entries.STORED]["stream"] == LEADS
    assert trim.place(told[entries.STORED]["last"]) >= trim.place(last)
    assert any(tag.startswith("loc:-1:h:") for tag in told[entries.TOUCHED]["tags"])


@pytest.mark.usefixtures("office")
async def test_what_cannot_be_read_or_stored_lies_with_the_dead_and_the_rest_is_stored(
    deps: Deps, some: list[Event]
) -> None:
    good = msgspec.json.encode(some[0])
    elsewhere = msgspec.json.encode(events.interaction(location_id=uuid.uuid4(), occurred_at=events.now()))
    nul = good.replace(b'"message"', b'"message","channel":"a\\u0000b"').replace(
        str(some[0].event_id).encode(), str(uuid.uuid4()).encode()
    )
    bot = msgspec.json.encode(events.bot(occurred_at=events.now()))
    said = [good, b'{"event_id": 3}', elsewhere, bot, nul]
    await deps.valkey.xadd(LEADS, {"events": b"[" + b",".join(said) + b"]"})
    await deps.valkey.xadd(LEADS, {"event": b"no JSON at all"})
    await deps.valkey.xadd(LEADS, {"other": b"program"})

    async with running(deps):
        await until(lambda: settled(deps))
        await until(lambda: _is(count(deps), 1))

    letters = [letter async for letter in dead.newest_first(deps.valkey)]
    assert sorted(letter.reason for letter in letters) == [
        "json", "json", "schema", "text", "unknown_location", "wrong_stream"
    ]  # fmt: skip
    assert {letter.payload for letter in letters} > {b"no JSON at all", elsewhere}


@pytest.mark.usefixtures("office")
async def test_of_a_pack_that_breaks_off_all_that_is_whole_is_stored(deps: Deps, some: list[Event]) -> None:
    whole = msgspec.json.encode(some[:3])
    await deps.valkey.xadd(LEADS, {"events": whole[:-1] + b', {"event_id": "\xff", 7'})

    async with running(deps):
        await until(lambda: settled(deps))

    assert await count(deps) == 3
    (letter,) = [letter async for letter in dead.newest_first(deps.valkey)]
    assert (letter.reason, letter.payload) == ("json", b'{"event_id": "\xff", 7')


@pytest.mark.usefixtures("office")
async def test_one_event_that_postgresql_does_not_take_stops_no_other(deps: Deps, some: list[Event]) -> None:
    odd = msgspec.structs.replace(some[7], event_id=uuid.uuid4(), channel="\0")
    batch = events.arrived(*some, odd, at=events.now())
    connection = await facts.connect(deps.database_url)

    stored = await sink.stored(connection, batch, months_kept=84)
    await connection.close()

    assert sum(one.new for one in stored) == 20
    assert [one.arrived.event for part in stored for one in part.rejected] == [odd]


@pytest.mark.usefixtures("office")
async def test_what_a_dead_sink_had_read_is_stored_once_by_the_next(deps: Deps, some: list[Event]) -> None:
    valkey = sink.open_valkey(deps.redis_url)
    async with consumer.opened(deps.database_url, valkey) as died:
        await add(deps, *some[:10])
        await add(deps, *some[10:])
        for batch in batches.batches(await died.new()):  # committed, and then it dies before it acknowledges
            await sink.stored(died.connection, batch.arrived, months_kept=84)
    await valkey.aclose()

    async with deps.valkey.pubsub(ignore_subscribe_messages=True) as heard:
        await heard.subscribe(deps.channel(entries.TOUCHED))
        async with running(deps):
            await until(lambda: settled(deps))
            _, told = await _next(heard)

    assert await count(deps) == 20
    assert (
        await deps.pool.fetchval("SELECT sum(interactions) FROM agg_hourly_metrics WHERE location_key = -1")
        == 20
    )
    assert told["tags"]


@pytest.mark.usefixtures("office")
async def test_entries_of_a_living_sink_are_left_to_it(deps: Deps, some: list[Event]) -> None:
    valkey = sink.open_valkey(deps.redis_url)
    async with (
        consumer.opened(deps.database_url, valkey) as living,
        consumer.opened(deps.database_url, valkey) as other,
    ):
        await add(deps, *some)
        assert await living.new()

        assert (await other.take_over(), await other.own({})) == (0, [])
        assert len(await living.own({})) == 1
    await valkey.aclose()


@pytest.mark.usefixtures("office")
async def test_a_valkey_that_begins_empty_gets_its_groups_anew(deps: Deps, some: list[Event]) -> None:
    async with running(deps):
        await add(deps, *some[:10])
        await until(lambda: _is(count(deps), 10))
        await deps.valkey.flushdb()
        await add(deps, *some[10:])
        await until(lambda: _is(count(deps), 20))


@pytest.mark.usefixtures("office")
async def test_what_is_no_stream_is_set_aside_and_stops_nobody(deps: Deps, some: list[Event]) -> None:
    async with running(deps):
        await add(deps, *some[:10])
        await until(lambda: settled(deps))
        pipe = deps.valkey.pipeline(transaction=True)
        pipe.delete(LEADS)
        pipe.set(LEADS, "somebody's")
        await pipe.execute()
        await until(lambda: _is_stream(deps))
        await add(deps, *some[10:])
        await until(lambda: _is(count(deps), 20))

    (aside,) = await deps.valkey.keys(LEADS + ":*")
    assert await deps.valkey.get(aside) == b"somebody's"


@pytest.mark.usefixtures("office")
async def test_it_goes_on_when_postgresql_cut_its_connections(deps: Deps, some: list[Event]) -> None:
    cut = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = 'jorge-sink' AND datname = current_database()"
    async with running(deps):
        for one in some:
            await add(deps, one)
            await deps.pool.fetchval(cut)
        await until(lambda: _is(count(deps), 20))
        await until(lambda: settled(deps))


@pytest.mark.usefixtures("office")
async def test_a_connection_that_ends_while_postgresql_does_not_read_is_noticed(deps: Deps) -> None:
    """asyncpg by itself would wait for ever for room in a buffer that nobody empties any more."""
    now = events.now()
    long = [events.interaction(occurred_at=now, props={"long": "x" * 2_000}) for _ in range(1_000)]
    waits = "SELECT count(*) FROM pg_locks WHERE NOT granted AND pid = $1"
    connection, blocking = [await facts.connect(deps.database_url) for _ in range(2)]
    async with blocking.transaction():
        await blocking.execute("LOCK TABLE fact_lead_interactions IN SHARE MODE")
        storing = asyncio.create_task(sink.stored(connection, events.arrived(*long, at=now), months_kept=84))
        await until(lambda: deps.pool.fetchval(waits, connection.get_server_pid()))
        await deps.pool.execute("SELECT pg_terminate_backend($1)", connection.get_server_pid())

        await asyncio.wait([storing], timeout=5)
        assert isinstance(storing.exception(), ConnectionError)
    await blocking.close()


@pytest.mark.usefixtures("office")
async def test_two_sinks_side_by_side_store_everything_once(deps: Deps) -> None:
    now = events.now()
    told = [events.bot(occurred_at=now, conversation_id=uuid.uuid4(), replied=True) for _ in range(200)]
    async with running(deps), running(deps):
        for first in range(0, 200, 5):
            await add(deps, *told[first : first + 5], stream=entries.PREFIX + "bot_performance")
        await until(lambda: _is(count(deps, "fact_bot_performance"), 200))

    assert (
        await deps.pool.fetchval("SELECT sum(conversations) FROM agg_daily_metrics WHERE location_key = -1")
        == 200
    )


async def _is_stream(deps: Deps) -> bool:
    return await deps.valkey.type(LEADS) == b"stream"


async def _is(asked: Awaitable[int], wanted: int) -> bool:
    return await asked == wanted


async def _next(heard: Any) -> tuple[str, Any]:
    """The next message: where, and what."""
    async with asyncio.timeout(LONGEST):
        while True:
            message = await heard.get_message(timeout=1)
            if message is not None:
                return message["channel"].decode(), orjson.loads(message["data"])
