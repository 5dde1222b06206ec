"""The engines that tests share are gone when the last test process is, however it ended."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest

from backend.embedded import process
from tests import engines

pytestmark = pytest.mark.anyio

HOLD = """
import signal, time
from tests import engines
signal.signal(signal.SIGINT, signal.default_int_handler)  # what a shell starts in the background ignores it
with engines.shared() as held:
    print(held.postgres.pid, held.valkey.pid, engines.folder(), flush=True)
    time.sleep(600)
"""


OWN = """
import sys, time
from pathlib import Path
from backend import embedded
from tests import engines
own = embedded.start(Path(sys.argv[1]), with_postgres=False)
engines.watched(own.folder)
print(own.valkey.pid, own.valkey.pid, own.folder, flush=True)
time.sleep(600)
"""


async def holder(tmp_path: Path) -> tuple[asyncio.subprocess.Process, list[str]]:
    """A test process that holds a share, in a place of this test's own; pids and folder of its engines."""
    running = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        HOLD,
        env={**os.environ, "TMPDIR": str(tmp_path), "PYTHONPATH": str(engines.ROOT)},
        stdout=asyncio.subprocess.PIPE,
    )
    assert running.stdout is not None
    return running, (await running.stdout.readline()).decode().split()


async def gone(told: list[str]) -> bool:
    def looked() -> bool:
        return not (process.alive(int(told[0])) or process.alive(int(told[1])) or Path(told[2]).exists())

    return await asyncio.to_thread(process.wait_until, looked, 20)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
async def test_run_that_is_interrupted_leaks_nothing(tmp_path: Path, number: signal.Signals) -> None:
    running, told = await holder(tmp_path)

    running.send_signal(number)
    await running.communicate()

    assert await gone(told)


async def test_engines_stay_while_another_worker_uses_them(tmp_path: Path) -> None:
    first, told = await holder(tmp_path)
    second, same = await holder(tmp_path)
    assert same == told

    first.kill()
    await first.communicate()
    await asyncio.sleep(0.5)
    assert process.alive(int(told[0]))

    second.kill()
    await second.communicate()
    assert await gone(told)


async def test_engines_of_a_test_s_own_end_with_it_too(tmp_path: Path) -> None:
    running = await asyncio.create_subprocess_exec(
        sys.executable, "-c", OWN, str(tmp_path / "own"), cwd=engines.ROOT, stdout=asyncio.subprocess.PIPE
    )
    assert running.stdout is not None
    told = (await running.stdout.readline()).decode().split()
    assert process.alive(int(told[0]))

    running.kill()
    await running.communicate()

    assert await gone(told)
