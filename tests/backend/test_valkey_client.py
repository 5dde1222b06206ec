"""Valkey clients hear that their task was cancelled, whatever they are doing."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from redis import asyncio as redis

from backend.valkey_client import WaitingPool, open_client

pytestmark = pytest.mark.anyio

Round = Callable[[redis.Redis], Awaitable[object]]


async def _blocked(valkey: redis.Redis) -> None:
    await valkey.xread({"stream": "$"}, block=20)


async def _asking(valkey: redis.Redis) -> None:
    await valkey.get("key")


async def _hearing(valkey: redis.Redis) -> None:
    async with valkey.pubsub() as heard:
        await heard.subscribe("channel")
        for _ in range(3):
            await heard.get_message(timeout=0.01)


async def _for_ever(one: Round, valkey: redis.Redis) -> None:
    while True:
        await one(valkey)


async def _survivors(valkey: redis.Redis, one: Round) -> int:
    """How many of a hundred loops go on after they were cancelled once, at many different moments."""
    survived = 0
    for number in range(10):
        tasks = [asyncio.create_task(_for_ever(one, valkey)) for _ in range(10)]
        await asyncio.sleep(0.01 + 0.003 * number)
        for task in tasks:
            task.cancel()
        _, left = await asyncio.wait(tasks, timeout=10)
        survived += len(left)
        for task in left:
            task.cancel()
    return survived


@pytest.mark.parametrize("one", [_blocked, _asking, _hearing])
async def test_a_loop_that_is_cancelled_once_ends(one: Round, redis_url: str) -> None:
    async with open_client(redis_url) as valkey:
        assert await _survivors(valkey, one) == 0


async def test_a_pool_that_waits_hears_it_as_well(redis_url: str) -> None:
    pool = WaitingPool.from_url(redis_url, max_connections=5, timeout=10)
    async with redis.Redis.from_pool(pool) as valkey:
        assert await _survivors(valkey, _asking) == 0


async def test_a_timeout_around_commands_is_heard(redis_url: str) -> None:
    async with open_client(redis_url) as valkey:
        for _ in range(20):
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.01):
                    await asyncio.wait_for(_for_ever(_asking, valkey), 10)


async def test_a_client_goes_on_after_a_command_was_cancelled(redis_url: str) -> None:
    async with open_client(redis_url) as valkey:
        await valkey.set("key", "value")
        await _survivors(valkey, _asking)

        assert await valkey.get("key") == b"value"


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("redis://127.0.0.1:1", redis.Connection),
        ("rediss://127.0.0.1:1", redis.SSLConnection),
        ("unix:///nowhere.sock", redis.UnixDomainSocketConnection),
    ],
)
async def test_every_way_to_valkey_is_guarded(url: str, kind: type[redis.Connection]) -> None:
    chosen = open_client(url).connection_pool.connection_class

    assert issubclass(chosen, kind)
    assert chosen.send_packed_command is not kind.send_packed_command
