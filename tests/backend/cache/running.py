"""A background job for as long as a block runs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from backend.deps import Deps


@asynccontextmanager
async def running_job(deps: Deps, job: Callable[[Deps], Awaitable[None]]) -> AsyncIterator[None]:
    """Returns once this process hears of news."""
    task = asyncio.ensure_future(job(deps))
    try:
        async with asyncio.timeout(10):
            while not deps.answers.versions.known:  # noqa: ASYNC110 - nothing tells
                await asyncio.sleep(0.005)
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
