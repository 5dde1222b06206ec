"""The hub between processes, slow readers, and without Valkey."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from redis import asyncio as redis

from backend.realtime import hub
from backend.realtime.hub import Hub, Message, Subscription
from tests.waiting import running, somebody_listens, until

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def process(url: str, line: str) -> AsyncIterator[Hub]:
    """A hub as one more server process has it, listening already."""
    valkey = redis.Redis.from_url(url)
    opened = Hub(valkey, line=line)
    async with valkey, running(opened.run()):
        await until(lambda: somebody_listens(valkey, line))
        yield opened


async def heard(mailbox: Subscription) -> Message:
    return await asyncio.wait_for(mailbox.get(), 5)


async def test_what_one_process_publishes_another_ones_sockets_hear_once(
    redis_url: str, tmp_path: object
) -> None:
    async with process(redis_url, str(tmp_path)) as there, process(redis_url, str(tmp_path)) as here:
        with here.subscribe("sync", ["a"]) as near, there.subscribe("sync", ["a"]) as far:
            await asyncio.sleep(0.1)
            for number in (1, 2):
                await here.publish("sync", "a", {"seq": number})
            assert [(await heard(far)).payload["seq"] for _ in range(2)] == [1, 2]
            assert [(await heard(near)).payload["seq"] for _ in range(2)] == [1, 2]
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(near.get(), 0.3)


async def test_only_who_may_see_it_hears_it() -> None:
    async with _without_valkey() as alone:
        with alone.subscribe("sync", ["a", "b"]) as ours, alone.subscribe("sync", ["c"]) as theirs:
            await alone.publish("sync", ["b", "z"], {"n": 1})
            await alone.publish("other", "a", {"n": 2})
            await alone.publish("sync", hub.EVERYWHERE, {"n": 3})
            assert [(await heard(ours)).payload["n"] for _ in range(2)] == [1, 3]
            assert (await heard(theirs)).payload["n"] == 3


@asynccontextmanager
async def _without_valkey() -> AsyncIterator[Hub]:
    valkey = redis.Redis(host="127.0.0.1", port=1)
    yield Hub(valkey)
    await valkey.aclose()


async def test_a_slow_reader_finds_the_newest_of_each_kind() -> None:
    async with _without_valkey() as alone:
        with alone.subscribe("sync", ["a"]) as mailbox:
            for number in range(5):
                await alone.publish("sync", "a", {"seq": number}, key="seq")
            await alone.publish("sync", "a", {"other": 1})
            assert (await heard(mailbox)).payload == {"seq": 4}
            assert (await heard(mailbox)).payload == {"other": 1}


async def test_a_reader_that_never_reads_costs_no_more_than_its_mailbox() -> None:
    async with _without_valkey() as alone:
        mailbox = alone.subscribe("sync", ["a"])
        for number in range(hub.MOST_WAITING):
            mailbox.put(Message(channel="sync", payload={"n": number}), "")
        assert mailbox.lagging is False
        await alone.publish("sync", "a", {"n": -1})
        assert bool(mailbox.lagging)
        mailbox.close()
        assert alone.count("sync") == 0


async def test_a_nudge_is_felt_at_once_and_once() -> None:
    async with _without_valkey() as alone:
        alone.nudge()
        assert await alone.nudged(0.01)
        assert not await alone.nudged(0.01)


async def test_a_cut_line_to_valkey_is_taken_up_again(redis_url: str, tmp_path: object) -> None:
    async with process(redis_url, str(tmp_path)) as there, process(redis_url, str(tmp_path)) as here:
        with there.subscribe("sync", ["a"]) as far:
            killer = redis.Redis.from_url(redis_url)
            number = redis_url.rpartition("db=")[2]
            lines = [c["id"] for c in await killer.client_list(_type="pubsub") if c["db"] == number]
            assert len(lines) == 2
            for line in lines:
                await killer.client_kill_filter(_id=line)
            await killer.aclose()
            async with asyncio.timeout(20):
                while True:
                    await here.publish("sync", "a", {"seq": 1})
                    try:
                        assert (await asyncio.wait_for(far.get(), 0.3)).payload == {"seq": 1}
                        return
                    except TimeoutError:
                        continue
