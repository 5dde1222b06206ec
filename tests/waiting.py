"""Waiting for what happens elsewhere, always with a deadline; and work that goes on beside a test."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from redis import asyncio as redis


async def until(holds: Callable[[], Any], seconds: float = 20.0, *, what: str = "what was waited for") -> Any:
    """Ask until it is true, and say what it was; what is answered may have to be awaited. Fails after `seconds`."""
    try:
        async with asyncio.timeout(seconds):
            while True:
                found = holds()
                if inspect.isawaitable(found):
                    found = await found
                if found:
                    return found
                await asyncio.sleep(0.02)
    except TimeoutError:
        pytest.fail(f"never: {what}")


@contextlib.asynccontextmanager
async def running(*work: Awaitable[object]) -> AsyncIterator[None]:
    """It goes on while the block does, and is cut off then. Raises: what broke it."""
    tasks = [asyncio.ensure_future(one) for one in work]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        for found in await asyncio.gather(*tasks, return_exceptions=True):
            if isinstance(found, Exception):
                raise found


async def somebody_listens(valkey: redis.Redis, channel: str) -> bool:
    """Whether what is published there is heard."""
    found = await valkey.pubsub_numsub(channel)
    return bool(found) and found[0][1] > 0
