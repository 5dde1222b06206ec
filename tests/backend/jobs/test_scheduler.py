"""Periodic jobs run when they are due, in one process at a time, and tell when they failed."""

from __future__ import annotations

import asyncio
import dataclasses
from datetime import timedelta

import pytest

from backend.deps import Deps
from backend.jobs import scheduler
from backend.jobs.scheduler import Periodic
from backend.storage import periodic
from tests.fakes import FakeClock

pytestmark = pytest.mark.anyio


class Counted:
    def __init__(self, *, broken: bool = False) -> None:
        self.rounds = 0
        self.broken = broken
        self.inside = asyncio.Event()
        self.go_on = asyncio.Event()
        self.go_on.set()

    async def once(self, deps: Deps) -> None:
        self.rounds += 1
        self.inside.set()
        await self.go_on.wait()
        if self.broken:
            raise RuntimeError("Jane Doe, 909-555-0142")


def hourly(work: Counted) -> Periodic:
    return Periodic(name="test", every=timedelta(hours=1), once=work.once)


async def test_a_job_runs_when_it_is_due_and_not_before(deps: Deps) -> None:
    work = Counted()
    clock = FakeClock()
    timed = dataclasses.replace(deps, clock=clock)

    ran = [await scheduler.attempt(timed, hourly(work)) for _ in range(2)]
    clock.advance(3600)
    ran.append(await scheduler.attempt(timed, hourly(work)))

    assert (ran, work.rounds) == ([True, False, True], 2)


async def test_a_clock_that_is_put_back_stops_no_job(deps: Deps) -> None:
    work, clock = Counted(), FakeClock()
    timed = dataclasses.replace(deps, clock=clock)
    await scheduler.attempt(timed, hourly(work))

    clock.advance(-3600)

    assert await scheduler.attempt(timed, hourly(work))


async def test_processes_take_turns(deps: Deps) -> None:
    work = Counted()
    work.go_on.clear()
    first = asyncio.create_task(scheduler.attempt(deps, hourly(work)))
    await work.inside.wait()

    other = await scheduler.attempt(dataclasses.replace(deps, process="other"), hourly(work))
    work.go_on.set()

    assert (await first, other, work.rounds) == (True, False, 1)


async def test_a_failure_is_kept_without_what_it_said_and_tried_again_soon(deps: Deps) -> None:
    work = Counted(broken=True)
    clock = FakeClock()
    timed = dataclasses.replace(deps, clock=clock)

    await scheduler.attempt(timed, hourly(work))
    at_once = await scheduler.attempt(timed, hourly(work))
    clock.advance(60)
    work.broken = False
    later = await scheduler.attempt(timed, hourly(work))

    async with deps.pool.acquire() as connection:
        (row,) = await periodic.runs(connection)
    assert (at_once, later, row["fault"], row["failures"], row["runs"]) == (False, True, "RuntimeError", 1, 1)


async def test_the_scheduler_runs_what_is_due_and_ends_with_its_task(deps: Deps) -> None:
    work = Counted()
    task = asyncio.create_task(scheduler.run(deps, jobs=[hourly(work)]))

    async with asyncio.timeout(30):
        await work.inside.wait()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)

    assert work.rounds == 1


async def test_a_lock_ends_with_its_process(deps: Deps) -> None:
    async with (
        periodic.alone(deps.database_url, "x") as held,
        periodic.alone(deps.database_url, "x") as other,
    ):
        assert held is not None
        assert other is None
        await held.close()
        async with periodic.alone(deps.database_url, "x") as now:
            assert now is not None


def test_every_job_has_a_name_of_its_own() -> None:
    names = [job.name for job in scheduler.PERIODIC]

    assert len(names) == len(set(names)) > 3
