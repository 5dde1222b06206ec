"""The way in: packed into the streams, and the sender hears when the sink has stored it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import orjson
import pytest

from backend.deps import Deps
from backend.events import Event, reading
from backend.settings import Settings
from backend.stream import entries, ingest, sink
from tests.backend.events import samples
from tests.waiting import running, somebody_listens, until

pytestmark = pytest.mark.anyio

LEADS, BOTS = "bi:stream:lead_interactions", "bi:stream:bot_performance"


def some(*events: Mapping[str, Any]) -> list[Event]:
    read = reading.array(samples.body(*events), most=10_000)
    assert not read.refused
    return list(read.events)


@asynccontextmanager
async def listening(deps: Deps) -> AsyncIterator[None]:
    """The job runs, and is subscribed."""
    async with running(ingest.run(deps)):
        await until(lambda: somebody_listens(deps.valkey, deps.channel(entries.STORED)))
        yield


@asynccontextmanager
async def storing(deps: Deps) -> AsyncIterator[None]:
    """The sink runs, and this process hears it."""
    async with listening(deps), running(sink.run(deps)):
        yield


async def last_id(deps: Deps, stream: str) -> str:
    """Of a stream that somebody is just sending to."""
    await until(lambda: deps.valkey.exists(stream))
    found: Any = await deps.valkey.xrevrange(stream, count=1)
    return str(found[0][0].decode())


async def say_stored(deps: Deps, stream: str, last: str) -> None:
    """As the sink does, wherever it runs."""
    await deps.valkey.publish(deps.channel(entries.STORED), orjson.dumps({"stream": stream, "last": last}))


async def test_events_are_packed_by_stream_five_hundred_an_entry(deps: Deps) -> None:
    sent = some(*[samples.message() for _ in range(1_200)], samples.turn())

    await ingest.send(deps, sent, source_key=7, wait=0)

    packed = [orjson.loads(fields[entries.PACKED]) for fields in await samples.lying(deps.valkey, LEADS)]
    assert [len(one) for one in packed] == [500, 500, 200]
    assert [one["event_id"] for part in packed for one in part] == [str(one.event_id) for one in sent[:-1]]
    (fields,) = await samples.lying(deps.valkey, BOTS)
    assert fields[entries.SOURCE] == b"7"


async def test_what_lies_in_the_stream_reads_as_what_was_sent(deps: Deps) -> None:
    sent = some(samples.message(props={"a": [1, "ä"]}), samples.message(confidence=0.8, stage="offer"))

    await ingest.send(deps, sent, source_key=None, wait=0)

    (fields,) = await samples.lying(deps.valkey, LEADS)
    assert entries.SOURCE not in fields
    assert reading.array(fields[entries.PACKED], most=500).events == sent


async def test_who_waits_hears_when_all_of_it_is_stored(deps: Deps) -> None:
    async with listening(deps):
        waiting = asyncio.create_task(
            ingest.send(deps, some(samples.message(), samples.turn()), source_key=None, wait=20)
        )
        await say_stored(deps, LEADS, await last_id(deps, LEADS))
        await say_stored(deps, "bot_performance", await last_id(deps, BOTS))

        assert (await waiting).stored


async def test_what_the_sink_stored_before_it_says_nothing(deps: Deps) -> None:
    async with listening(deps):
        await say_stored(deps, LEADS, "1-0")
        waiting = asyncio.create_task(ingest.send(deps, some(samples.message()), source_key=None, wait=0.4))
        mine = await last_id(deps, LEADS)
        await say_stored(deps, LEADS, f"{int(mine.partition('-')[0]) - 1}-9")
        await say_stored(deps, BOTS, mine)

        assert not (await waiting).stored


async def test_ids_that_begin_lower_after_a_restart_are_not_taken_for_stored(deps: Deps) -> None:
    async with listening(deps):
        deps.line.heard(LEADS, (2**60, 0), asyncio.get_running_loop().time())

        sent = await ingest.send(deps, some(samples.message()), source_key=None, wait=0.2)

        assert not sent.stored


async def test_a_word_that_comes_before_the_waiting_begins_counts(deps: Deps) -> None:
    since = asyncio.get_running_loop().time()
    deps.line.heard(LEADS, (5, 1), since + 0.001)

    assert await deps.line.stored({LEADS: (5, 1)}, since=since, wait=0.1)
    assert await deps.line.stored({LEADS: (5, 2)}, since=since, wait=0.1) is None


async def test_nothing_to_send_is_stored_already(deps: Deps) -> None:
    assert (await ingest.send(deps, [], source_key=None, wait=5)).stored


@pytest.fixture
def server_settings(server_settings: Settings) -> Settings:
    return server_settings.model_copy(update={"bi_backlog_mb": 1})


async def test_what_waits_too_much_is_refused_until_there_is_room(deps: Deps) -> None:
    await deps.valkey.xadd(LEADS, {"events": b"x" * 2_000_000})
    async with listening(deps):
        await until(lambda: deps.line.full)
        with pytest.raises(ingest.BacklogError) as refused:
            await ingest.send(deps, some(samples.message()), source_key=None, wait=0)
        assert refused.value.retry_after
        assert await deps.valkey.xlen(LEADS) == 1

        await deps.valkey.xtrim(LEADS, maxlen=0, approximate=False)
        await until(lambda: not deps.line.full)
        await ingest.send(deps, some(samples.message()), source_key=None, wait=0)
