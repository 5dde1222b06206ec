"""Every job of the server ends when it is cancelled: at once, told once, and leaves nothing at work."""

from __future__ import annotations

import asyncio
from collections import defaultdict

import pytest

from backend.app import JOBS, Job
from backend.deps import Deps

pytestmark = pytest.mark.anyio

ROUNDS = 20
_LOST = 20.0
"""Seconds after which a job has not heard it; far more than a busy machine takes."""


async def test_every_job_ends_within_a_second_of_being_cancelled(deps: Deps) -> None:
    loop, took = asyncio.get_running_loop(), defaultdict[str, list[float]](list)
    before = asyncio.all_tasks()
    for number in range(ROUNDS):
        tasks = [asyncio.create_task(_run(job, deps), name=job.__module__) for job in JOBS]
        await asyncio.sleep(0.01 * number)
        told, left = loop.time(), set(tasks)
        for task in left:
            task.cancel()
        while left:
            done, left = await asyncio.wait(left, timeout=_LOST, return_when=asyncio.FIRST_COMPLETED)
            assert done, f"still at work: {sorted(task.get_name() for task in left)}"
            for task in done:
                took[task.get_name()].append(loop.time() - told)
        assert not [task for task in tasks if not task.cancelled() and task.exception()]
        assert not {task for task in asyncio.all_tasks() - before if _is_ours(task)}
    # The middle one of the twenty: a busy machine may keep any single one waiting.
    assert not {name: times for name, times in took.items() if sorted(times)[ROUNDS // 2] > 1}


async def _run(job: Job, deps: Deps) -> None:
    await job(deps)


def _is_ours(task: asyncio.Task[object]) -> bool:
    coroutine = task.get_coro()
    code = getattr(coroutine, "cr_code", None)
    return code is not None and "/backend/" in code.co_filename
