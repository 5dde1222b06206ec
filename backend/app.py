"""The server, put together: routes, errors, and the jobs that run beside the requests."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from contextlib import asynccontextmanager

from fastapi import APIRouter, FastAPI
from fastapi.telemetry import TelemetryConfig

import backend
from backend import errors
from backend.api import (
    admin,
    auth,
    bi,
    bots,
    caching,
    devices,
    drill,
    events,
    health,
    insights,
    live,
    metrics,
    moment,
    revenue,
    sync,
    uploads,
    webhooks,
    ws,
)
from backend.api.openapi import Documented
from backend.deps import Deps
from backend.edge import Edge
from backend.jobs import (
    audit_desk,
    audit_writer,
    device_notes,
    engines,
    feed_mark,
    feed_watch,
    hearing,
    remembering,
    scheduler,
    telling,
    transcription,
)
from backend.stream import from_sync, ingest, processor, sequencer, sink

logger = logging.getLogger(__name__)

Job = Callable[[Deps], Awaitable[None]]

# One line per feature. A router brings its own prefix.
ROUTERS: Sequence[APIRouter] = (
    health.router,
    auth.router,
    sync.router,
    devices.router,
    uploads.router,
    ws.router,
    bi.router,
    revenue.router,
    bots.router,
    drill.router,
    insights.router,
    moment.router,
    caching.router,
    live.router,
    events.router,
    webhooks.router,
    admin.router,
    metrics.router,
)

# Run from start to stop; each gets Deps and loops until it is cancelled. What is due every so often: jobs/scheduler.py.
EVERYWHERE: Sequence[Job] = (engines.run, audit_desk.run, telling.run, ingest.run)
API_JOBS: Sequence[Job] = (
    *EVERYWHERE,
    hearing.run,
    remembering.run,
    sequencer.run,
    feed_watch.run,
    feed_mark.run,
    device_notes.run,
)
PROCESSOR_JOBS: Sequence[Job] = (*EVERYWHERE, processor.run)
SINK_JOBS: Sequence[Job] = (
    *EVERYWHERE,
    hearing.run,
    sink.run,
    from_sync.run,
    audit_writer.run,
    transcription.run,
    scheduler.run,
)
# One process for all of it, unless `serve --processes` splits it.
JOBS: Sequence[Job] = tuple(dict.fromkeys((*API_JOBS, *PROCESSOR_JOBS, *SINK_JOBS)))

# FastAPI's own would send the messages of exceptions, with what people typed, wherever the environment names an exporter.
_UNTOLD: TelemetryConfig = {
    "tracing": False, "metrics": False, "logs": False, "operation_spans": False, "auto_configure": False
}  # fmt: skip

_SHORTEST_PAUSE = 0.5
_LONGEST_PAUSE = 60.0
_PATIENCE = 3.0
"""Seconds for a job to end in order, before it is told again."""


def create_app(deps: Deps, *, jobs: Sequence[Job] = JOBS) -> FastAPI:
    """The ASGI application around parts that are open already."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        await feed_mark.once(deps)
        async with running(deps, jobs):
            yield

    app = Documented(
        title="Jorge BI",
        version=backend.VERSION,
        lifespan=lifespan,
        docs_url=None,  # its page would fetch scripts from outside
        redoc_url=None,
        telemetry=_UNTOLD,
    )
    app.state.deps = deps
    errors.install(app)
    app.add_middleware(Edge, max_body_bytes=deps.settings.max_body_bytes)
    for router in ROUTERS:
        app.include_router(router)
    return app


@asynccontextmanager
async def running(deps: Deps, jobs: Sequence[Job]) -> AsyncIterator[None]:
    """The jobs run while the block does; then they are cancelled and waited for."""
    deps.stopping.clear()
    tasks = [asyncio.create_task(_kept_up(job, deps), name=job.__module__) for job in jobs]
    try:
        yield
    finally:
        deps.stopping.set()
        await _end(tasks)


async def _end(tasks: Collection[asyncio.Task[None]]) -> None:
    """Cancel and wait; again for one that a library kept from hearing it (ours do not: `valkey_client`)."""
    left = set(tasks)
    while left:
        for task in left:
            task.cancel()
        _, left = await asyncio.wait(left, timeout=_PATIENCE)
        if left:
            logger.warning("job.lingers", extra={"jobs": sorted(task.get_name() for task in left)})


async def _kept_up(job: Job, deps: Deps) -> None:
    """Run `job`; when it breaks, log it and start it again after a pause that grows while it keeps breaking."""
    pause = _SHORTEST_PAUSE
    while not deps.stopping.is_set():
        started = deps.clock.monotonic()
        try:
            await job(deps)
            return
        except Exception:  # the job loop: one broken round must not end the server
            logger.exception("job.broke", extra={"job": job.__module__})
        if deps.clock.monotonic() - started > _LONGEST_PAUSE:
            pause = _SHORTEST_PAUSE
        await asyncio.sleep(pause)
        pause = min(pause * 2, _LONGEST_PAUSE)
