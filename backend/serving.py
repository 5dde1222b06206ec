"""`python -m backend serve`: everything in one process, one role of it, or a supervisor with a process for each."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import signal
import socket
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from backend import app, deps, embedded, processes, server
from backend.settings import Settings
from backend.storage import migrate

logger = logging.getLogger(__name__)

JOBS: Mapping[str, Sequence[app.Job]] = {
    "": app.JOBS,
    "api": app.API_JOBS,
    "processor": app.PROCESSOR_JOBS,
    "sink": app.SINK_JOBS,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """How to serve. `role` "": all of it. `tied`: until standard input ends. `listening`: a socket that was handed down."""

    role: str = ""
    name: str = ""
    processes: bool = False
    api: int = 1
    tied: bool = False
    listening: int | None = None

    @property
    def process(self) -> str:
        """How this process is called in logs and metrics."""
        return self.name or (f"{self.role}@{socket.gethostname()}" if self.role else "server")


def collect_rarely() -> None:
    """Events come by the thousand and are gone at once: to look through them so often costs as much as to read them."""
    gc.freeze()
    gc.set_threshold(100_000, 10, 10)


async def serve(chosen: Settings, asked: Asked) -> None:
    """Until SIGINT or SIGTERM. Raises: StartError."""
    collect_rarely()
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    with contextlib.ExitStack() as stack:
        if asked.tied:
            stack.enter_context(processes.tied(stop))
        if not asked.role:
            stack.enter_context(embedded.sole_server(chosen.server_dir))
        if asked.processes:
            await _supervise(chosen, asked, stop)
        elif asked.role in ("", "api"):
            await _with_http(chosen, asked, stop)
        else:
            await _without_http(chosen, asked, stop)
    logger.info("server.stopped", extra={"process_name": asked.process})


async def _with_http(chosen: Settings, asked: Asked, stop: asyncio.Event) -> None:
    inherited = asked.listening
    listening = (
        server.listen(chosen.host, chosen.port) if inherited is None else socket.socket(fileno=inherited)
    )
    with contextlib.closing(listening):
        async with deps.open_deps(chosen, process=asked.process) as opened:
            if not asked.tied:
                _announce(listening)
            await server.serve(app.create_app(opened, jobs=JOBS[asked.role]), listening, stop)


async def _without_http(chosen: Settings, asked: Asked, stop: asyncio.Event) -> None:
    async with deps.open_deps(chosen, process=asked.process) as opened, app.running(opened, JOBS[asked.role]):
        await stop.wait()


async def _supervise(chosen: Settings, asked: Asked, stop: asyncio.Event) -> None:
    """Engines, tables, socket; then the children. Engines leave last."""
    with contextlib.closing(server.listen(chosen.host, chosen.port)) as listening:
        async with contextlib.AsyncExitStack() as stack:
            engines = await deps.open_engines(chosen, stack)
            await migrate.migrate(chosen.database_url or (engines.database_url() if engines else ""))
            _announce(listening)
            await processes.supervise(processes.children(asked.api, listening), stop)


def _announce(listening: socket.socket) -> None:
    host, port = listening.getsockname()[:2]
    sys.stderr.write(f"Jorge's server listens on http://{host}:{port}\n")
    sys.stderr.flush()
