"""Keeps the cache honest and warm: hears which buckets got a new version, writes down what is asked, warms what will be."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from backend.services.bi import catalogue

if TYPE_CHECKING:
    from backend.deps import Deps


async def run(deps: Deps) -> None:
    """In every process that answers questions, until it is cancelled."""
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(deps.answers.versions.run())
        tasks.create_task(deps.asked.run())
        tasks.create_task(
            deps.warmer.run(
                again=lambda question: catalogue.again(deps, question),
                read=lambda question: catalogue.prepared(deps, question),
            )
        )
