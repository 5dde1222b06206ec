"""`serve --processes`: one supervisor, and api, processor and sink as processes of their own.

The supervisor holds the folder and the listening socket, starts the engines, and starts again whatever dies. A child's standard
input is a pipe that only the supervisor holds open: however the supervisor ends, the pipe ends with it, and the child stops.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from time import monotonic

logger = logging.getLogger(__name__)

ROLES = ("api", "processor", "sink")
SHORTEST_PAUSE = 0.5
LONGEST_PAUSE = 30.0
STEADY_SECONDS = 30.0
LAST_SECONDS = 8.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Child:
    """A process to keep running."""

    name: str
    role: str
    listening: int | None = None

    @property
    def command(self) -> list[str]:
        command = [
            sys.executable,
            "-m",
            "backend",
            "serve",
            "--role",
            self.role,
            "--name",
            self.name,
            "--tied",
        ]
        return command if self.listening is None else [*command, "--listening", str(self.listening)]


def children(api: int, listening: socket.socket) -> list[Child]:
    """`api` workers that share one socket, a processor, a sink."""
    workers = [Child(name=f"api-{n}", role="api", listening=listening.fileno()) for n in range(1, api + 1)]
    return [*workers, Child(name="processor", role="processor"), Child(name="sink", role="sink")]


async def supervise(kept: Sequence[Child], stop: asyncio.Event) -> None:
    """Keep these running until `stop`; then end them, all at once, within seconds."""
    await asyncio.gather(*(_keep(child, stop) for child in kept))


async def _keep(child: Child, stop: asyncio.Event) -> None:
    pause = SHORTEST_PAUSE
    while not stop.is_set():
        started = monotonic()
        running = await _start(child)
        logger.info("process.started", extra={"process_name": child.name, "pid": running.pid})
        try:
            if await _ended(running, stop):
                return
        finally:
            await _end(running)
        if monotonic() - started > STEADY_SECONDS:
            pause = SHORTEST_PAUSE
        logger.error(
            "process.died", extra={"process_name": child.name, "code": running.returncode, "again_in": pause}
        )
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(pause):
                await stop.wait()
        pause = min(pause * 2, LONGEST_PAUSE)


async def _start(child: Child) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *child.command,
        stdin=asyncio.subprocess.PIPE,
        pass_fds=() if child.listening is None else (child.listening,),
        start_new_session=True,  # Ctrl-C is for the supervisor, which ends them in order
    )


async def _ended(running: asyncio.subprocess.Process, stop: asyncio.Event) -> bool:
    """Wait for the process or for `stop`; was it `stop`?"""
    dying, stopping = asyncio.create_task(running.wait()), asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({dying, stopping}, return_when=asyncio.FIRST_COMPLETED)
        return stop.is_set()
    finally:
        for task in (dying, stopping):
            task.cancel()
        await asyncio.gather(dying, stopping, return_exceptions=True)


async def _end(running: asyncio.subprocess.Process) -> None:
    if running.returncode is not None:
        return
    with contextlib.suppress(ProcessLookupError):
        running.send_signal(signal.SIGTERM)
    try:
        async with asyncio.timeout(LAST_SECONDS):
            await running.wait()
    except TimeoutError:
        logger.warning("process.killed", extra={"pid": running.pid})
        with contextlib.suppress(ProcessLookupError):
            running.kill()
        await running.wait()


@contextlib.contextmanager
def tied(stop: asyncio.Event) -> Iterator[None]:
    """Inside the block the end of standard input, which is the end of the supervisor, sets `stop`.

    A process that does not end in order then is ended: nobody else would.
    """
    loop, inherited = asyncio.get_running_loop(), sys.stdin.fileno()
    last = threading.Timer(LAST_SECONDS, _exit)
    last.daemon = True

    def heard() -> None:
        if not os.read(inherited, 1_024):
            loop.remove_reader(inherited)
            last.start()
            stop.set()

    loop.add_reader(inherited, heard)
    try:
        yield
    finally:
        last.cancel()
        loop.remove_reader(inherited)


def _exit() -> None:
    logger.error("process.cut", extra={"seconds": LAST_SECONDS})
    os._exit(1)
