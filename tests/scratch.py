"""Where a run of the tests writes: in memory where the machine has room, in a folder that is gone when the run is.

The tests commit thousands of times, and a disk makes each commit wait. Nothing is proved by that: they kill processes, and
what a killed process wrote the kernel has; no test pulls a plug. Who sets TMPDIR has chosen: then nothing is changed.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

from backend.embedded import process
from tests import engines

MEMORY = Path("/dev/shm")
"""Linux alone has such a place; a container's is often too small (Docker: 64 MB)."""
ROOM = 2**30
"""Bytes that must be free there: more than twice what a whole run was seen to hold."""
ONE_WORKER = 700 * 2**20
"""Bytes: a worker, with its share of the servers, apps and browsers."""
MOST_WORKERS = 16
"""Each has connections to the one PostgreSQL, which takes 300."""
_LIMITS = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))
_END_SECONDS = 5.0
_ENGINES_END_SECONDS = 30.0


def free_memory() -> int:
    """Bytes that processes may still take: what the machine has left, or fewer where a container is limited."""
    told = [limit.read_text().strip() for limit in _LIMITS if limit.is_file()]
    available: int = psutil.virtual_memory().available
    return min([available, *(int(text) for text in told if text.isdigit())])


def place(memory: Path = MEMORY, *, room: int = ROOM) -> Path | None:
    """The place in memory; None where there is none, where it is too small, or where TMPDIR names another."""
    if "TMPDIR" in os.environ or not (memory.is_dir() and os.access(memory, os.W_OK)):
        return None
    left = min(shutil.disk_usage(memory).free, free_memory() - ONE_WORKER)
    return memory if left >= room else None


def cores() -> int:
    """Those that this process may use."""
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1


def workers(cores: int, free: int) -> int:
    """One for each core; fewer where memory is short.

    Two for each took 849 s where one took 830 (two cores, nothing else running), and a quarter more CPU; what waits for a
    browser waits longer then.
    """
    return max(1, min(max(cores, 2), free // ONE_WORKER, MOST_WORKERS))


def told() -> str:
    """For whoever starts the tests: where they write, and what would be quicker."""
    here = Path(tempfile.gettempdir())
    if here.is_relative_to(MEMORY):
        return f"Temporary files: in memory, {here}"
    return f"Temporary files: {here}. Quicker where /dev/shm has {ROOM >> 20} MB free, and as much memory."


@contextmanager
def entered(memory: Path | None) -> Iterator[None]:
    """While it lasts, all temporary files of this process, and of those it starts, are in a folder of their own there."""
    if memory is None:
        yield
        return
    folder = Path(tempfile.mkdtemp(prefix="jorge-tests-", dir=memory))
    os.environ["TMPDIR"] = tempfile.tempdir = str(folder)
    command = [sys.executable, "-m", "tests.scratch"]
    keeper = subprocess.Popen(command, stdin=subprocess.PIPE, cwd=engines.ROOT, start_new_session=True)
    try:
        yield
    finally:
        del os.environ["TMPDIR"]
        tempfile.tempdir = None
        keeper.communicate()  # ends its input, and waits until all is cleared away


def keep() -> None:
    """The keeper: waits until the process that entered has left or is gone, however; then clears away what it left."""
    sys.stdin.buffer.read()  # nothing is ever said: it ends with the process that holds the other end
    left = list(_left_running())
    for one in left:
        one.terminate()
    for one in psutil.wait_procs(left, _END_SECONDS)[1]:
        one.kill()
    process.wait_until(lambda: not engines.folder().exists(), _ENGINES_END_SECONDS)
    shutil.rmtree(os.environ["TMPDIR"], ignore_errors=True)


def _left_running() -> Iterator[psutil.Process]:
    """Programs of a run that was killed; PostgreSQL and Valkey have a keeper of their own, which stops them gently."""
    for one in psutil.process_iter():
        with suppress(psutil.Error):
            ours = one.environ().get("TMPDIR") == os.environ["TMPDIR"] and one.pid != os.getpid()
            if ours and not {"postgres", "valkey-server", "tests.engines"} & {one.name(), *one.cmdline()}:
                yield one


if __name__ == "__main__":
    keep()
