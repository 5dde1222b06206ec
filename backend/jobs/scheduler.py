"""Runs what is due every so often, in one process of the installation at a time; a job that fails is tried again after a minute.

APScheduler wakes each job up; the table `periodic_jobs` says whether it is due, an advisory lock who may. A process that dies
loses its lock with its connection. What runs every second or reacts to something stays a loop of its own (app.py).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.interval import IntervalTrigger

from backend import faults
from backend.jobs import (
    alerts,
    anomalies,
    audit_heads,
    columns,
    forecasts,
    forgetting,
    heartbeats,
    housekeeping,
    kpi_snapshots,
    partitions,
    views,
)
from backend.storage import periodic

if TYPE_CHECKING:
    from backend.deps import Deps

logger = logging.getLogger(__name__)

LONGEST_LOOK = timedelta(seconds=60)
MISFIRE_SECONDS = 300
JITTER_SECONDS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Periodic:
    """A job: its name, how often, and one round of it."""

    name: str
    every: timedelta
    once: Callable[[Deps], Awaitable[object]]


# One line per job. `once` may be repeated and may be cut off.
PERIODIC: Sequence[Periodic] = (
    Periodic(name="housekeeping", every=timedelta(hours=1), once=housekeeping.once),
    Periodic(name="forgetting", every=timedelta(days=1), once=forgetting.once),
    Periodic(name="kpi_snapshots", every=timedelta(minutes=10), once=kpi_snapshots.once),
    Periodic(name="audit_heads", every=timedelta(hours=1), once=audit_heads.once),
    Periodic(name="alerts", every=timedelta(minutes=1), once=alerts.once),
    Periodic(name="heartbeats", every=timedelta(minutes=1), once=heartbeats.once),
    Periodic(name="anomalies", every=timedelta(hours=1), once=anomalies.once),
    Periodic(name="forecasts", every=timedelta(hours=1), once=forecasts.once),
    Periodic(name="partitions", every=partitions.EVERY, once=partitions.once),
    Periodic(name="views", every=views.EVERY, once=views.once),
    Periodic(name="columns", every=columns.EVERY, once=columns.once),
)


async def run(deps: Deps, *, jobs: Sequence[Periodic] = PERIODIC) -> None:
    """Until it is cancelled; what runs then is cut off and waited for."""
    running: set[asyncio.Task[object]] = set()
    scheduler = AsyncIOScheduler(
        timezone=UTC,
        job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": MISFIRE_SECONDS},
    )
    for job in jobs:
        scheduler.add_job(
            _watched,
            IntervalTrigger(
                seconds=min(job.every, LONGEST_LOOK).total_seconds(), jitter=JITTER_SECONDS, timezone=UTC
            ),
            args=[deps, job, running],
            id=job.name,
            next_run_time=datetime.now(UTC),
        )
    scheduler.start()
    try:
        await asyncio.Event().wait()
    finally:
        scheduler.shutdown(wait=False)
        # APScheduler does it in the loop's next turn: it cancels what has begun, and the rest never begins.
        await asyncio.sleep(0)
        if running:
            await asyncio.wait(running)


async def _watched(deps: Deps, job: Periodic, running: set[asyncio.Task[object]]) -> None:
    task = asyncio.current_task()
    assert task is not None
    running.add(task)
    try:
        await attempt(deps, job)
    except asyncio.CancelledError:
        logger.info("periodic.cut_off", extra={"job": job.name})  # APScheduler would log it as a fault
    finally:
        running.discard(task)


async def attempt(deps: Deps, job: Periodic) -> bool:
    """Run the job if it is due and nobody else does; did it run to its end?"""
    try:
        async with deps.pool.acquire() as connection:
            if not await periodic.due(connection, job.name, every=job.every, now=deps.clock.now()):
                return False
        return await _alone(deps, job)
    except faults.NO_DATABASE as fault:
        logger.warning("periodic.waits", extra={"job": job.name, "fault": type(fault).__name__})
        return False


async def _alone(deps: Deps, job: Periodic) -> bool:
    async with periodic.alone(deps.database_url, job.name) as connection:
        now = deps.clock.now()
        if connection is None or not await periodic.due(connection, job.name, every=job.every, now=now):
            return False
        await periodic.began(connection, job.name, deps.process, now)
        started = deps.clock.monotonic()
        try:
            await job.once(deps)
        except Exception as fault:  # one broken round must not end the others
            logger.exception("periodic.broke", extra={"job": job.name})
            await periodic.failed(connection, job.name, deps.clock.now(), fault=type(fault).__name__)
            return False
        took = (deps.clock.monotonic() - started) * 1000
        await periodic.ended(connection, job.name, deps.clock.now(), took_ms=took)
        return True
