"""The server, put together: routes, errors, and the jobs that run beside the requests."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager

from fastapi import APIRouter, FastAPI
from fastapi.telemetry import TelemetryConfig

import backend
from backend import errors
from backend.api import auth, bi, devices, health, sync, uploads, ws
from backend.deps import Deps
from backend.edge import Edge
from backend.jobs import (
    device_notes,
    engines,
    feed_mark,
    feed_watch,
    forgetting,
    hearing,
    housekeeping,
    kpi_snapshots,
    transcription,
)
from backend.stream import sequencer

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
)

# Run from start to stop, in every server process; each gets Deps and loops until it is cancelled.
JOBS: Sequence[Job] = (
    engines.run,
    housekeeping.run,
    forgetting.run,
    hearing.run,
    sequencer.run,
    feed_watch.run,
    feed_mark.run,
    device_notes.run,
    transcription.run,
    kpi_snapshots.run,
)

# FastAPI's own would send the messages of exceptions, with what people typed, wherever the environment names an exporter.
_UNTOLD: TelemetryConfig = {
    "tracing": False, "metrics": False, "logs": False, "operation_spans": False, "auto_configure": False
}  # fmt: skip

_SHORTEST_PAUSE = 0.5
_LONGEST_PAUSE = 60.0


def create_app(deps: Deps, *, jobs: Sequence[Job] = JOBS) -> FastAPI:
    """The ASGI application around parts that are open already."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        await feed_mark.once(deps)
        async with _running(deps, jobs):
            yield

    app = FastAPI(
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
async def _running(deps: Deps, jobs: Sequence[Job]) -> AsyncIterator[None]:
    """The jobs run while the block does; then they are cancelled and waited for."""
    deps.stopping.clear()
    tasks = [asyncio.create_task(_kept_up(job, deps), name=job.__module__) for job in jobs]
    try:
        yield
    finally:
        deps.stopping.set()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


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
