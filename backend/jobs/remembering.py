"""Keeps the cache honest: hears which buckets got a new version, and writes down what is asked."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from backend.deps import Deps


async def run(deps: Deps) -> None:
    """In every process that answers questions, until it is cancelled."""
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(deps.answers.versions.run())
        tasks.create_task(deps.asked.run())
