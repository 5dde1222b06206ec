"""A cache on the test's own Valkey, and a second process's view of it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager

import pytest
from redis import asyncio as redis

from backend.cache.answers import Answers
from backend.cache.tiers import open_tiers
from backend.cache.ttl import Adaptive
from backend.cache.versions import Versions
from backend.deps import Deps
from tests.waiting import running, until

SECRET = b"of this installation"
OpenAnswers = Callable[[], Awaitable[Answers]]


@asynccontextmanager
async def opened(deps: Deps, *, secret: bytes = SECRET) -> AsyncIterator[Answers]:
    """As one server process has it."""
    tiers = open_tiers(deps.redis_url, secret)
    await tiers.init()
    valkey = redis.Redis.from_url(deps.redis_url)
    versions = Versions(valkey, deps.channel("versions"))
    try:
        async with valkey, running(versions.run()):
            await until(lambda: versions.known)
            yield Answers(tiers, versions, Adaptive(base=300))
    finally:
        await tiers.close()


@pytest.fixture
async def open_answers(deps: Deps) -> AsyncIterator[OpenAnswers]:
    async with AsyncExitStack() as stack:

        async def make() -> Answers:
            return await stack.enter_async_context(opened(deps))

        yield make
