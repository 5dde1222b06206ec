"""A background job for as long as a block runs."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from backend.deps import Deps
from tests.waiting import running, until


@asynccontextmanager
async def running_job(deps: Deps, job: Callable[[Deps], Awaitable[None]]) -> AsyncIterator[None]:
    """Returns once this process hears of news."""
    async with running(job(deps)):
        await until(lambda: deps.answers.versions.known)
        yield
