"""The app's own process for browser tests: a free port, a start that is waited for, an end that is clean."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
SHOTS = Path(os.environ.get("JORGE_SHOTS", ROOT / ".jorge" / "shots"))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@asynccontextmanager
async def app_process(
    command: Sequence[str], *, port: int, env: Mapping[str, str] | None = None, ready: float = 60
) -> AsyncIterator[str]:
    """Runs the app's own process until it answers on `port`; its address. `{port}` in the command is filled in."""
    filled = [part.format(port=port) for part in command]
    log = SHOTS.parent / f"app-{port}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            *filled, cwd=ROOT, env={**os.environ, **(env or {})}, stdout=output, stderr=subprocess.STDOUT
        )
        try:
            await _answers(port, process, log, ready)
            yield f"http://127.0.0.1:{port}"
        finally:
            await _end(process)


async def _answers(port: int, process: asyncio.subprocess.Process, log: Path, ready: float) -> None:
    end = time.monotonic() + ready
    while True:
        if process.returncode is not None:
            raise AssertionError(f"The app ended with {process.returncode}:\n{_tail(log)}")
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            assert time.monotonic() < end, f"The app did not start in {ready} s; see {log}"
            await asyncio.sleep(0.1)
        else:
            writer.close()
            return


def _tail(log: Path) -> str:
    return log.read_text(errors="replace")[-4000:]


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is not None:
        return
    process.terminate()
    try:
        await asyncio.wait_for(process.wait(), 10)
    except TimeoutError:
        process.kill()
        await process.wait()


def python(*arguments: str) -> list[str]:
    """A command that runs a module or file with this environment's Python."""
    return [sys.executable, *arguments]
