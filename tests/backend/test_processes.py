"""`serve --processes`: every part in a process of its own, started again when it dies, all gone with the supervisor."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Sequence
from pathlib import Path

import httpx
import pytest

from backend import processes
from backend.embedded import process
from tests.backend import test_main
from tests.backend.test_main import Run, address, finished, get
from tests.waiting import until

pytestmark = pytest.mark.anyio

run = test_main.run


def children_of(pid: int) -> dict[str, int]:
    """The supervisor's children by name."""
    found = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    lines = {int(child): process.command_line(int(child)) for child in found}
    return {line.split("--name ")[1].split()[0]: child for child, line in lines.items() if "--name " in line}


async def all_there(url: str, names: Sequence[str]) -> None:
    """Every process has said what it counts."""

    async def told() -> bool:
        try:
            page = (await get(f"{url}/metrics")).text
        except httpx.TimeoutException:
            return False  # the port is open before its processes are there
        return all(f'process="{name}' in page for name in names)

    await until(told, 60)


async def test_each_part_is_a_process_and_all_of_them_stop_promptly(run: Run, tmp_path: Path) -> None:
    server = await run("serve", "--processes", "--api", "2")
    url = await address(server)
    names = ["api-1", "api-2", "processor", "sink"]
    await all_there(url, names)
    pids = children_of(server.pid)
    postgres = int((tmp_path / "data/server/postgres/postmaster.pid").read_text().split()[0])
    ready = await get(f"{url}/ready")

    started = time.monotonic()
    server.send_signal(signal.SIGTERM)
    code, said = await finished(server)

    assert all(f'"process": "{name}"' in said for name in ("supervisor", "sink"))
    assert (sorted(pids), ready.status_code, code) == (names, 200, 0)
    assert time.monotonic() - started < 10
    assert not any(process.alive(pid) for pid in (*pids.values(), postgres))


async def test_child_that_is_killed_is_started_again_and_a_second_supervisor_is_refused(run: Run) -> None:
    server = await run("serve", "--processes")
    url = await address(server)
    await all_there(url, ["api-1", "sink"])
    before = children_of(server.pid)
    code, refused = await finished(await run("serve", "--processes"))

    for name in ("api-1", "sink"):
        os.kill(before[name], signal.SIGKILL)

    async def again() -> bool:
        there = children_of(server.pid)
        return there.keys() == before.keys() and not set(there.values()) & {before["api-1"], before["sink"]}

    await until(again, 60)
    await until(lambda: _ready(url), 60)
    after = children_of(server.pid)
    assert (code, "already works on this data folder" in refused) == (1, True)
    assert after["processor"] == before["processor"]
    assert after["api-1"] != before["api-1"]


async def test_nothing_is_left_of_a_supervisor_that_is_killed(run: Run, tmp_path: Path) -> None:
    server = await run("serve", "--processes")
    await all_there(await address(server), ["api-1", "processor", "sink"])
    pids = children_of(server.pid)
    postgres = int((tmp_path / "data/server/postgres/postmaster.pid").read_text().split()[0])

    server.kill()
    await finished(server)

    async def gone() -> bool:
        return not any(process.alive(pid) for pid in (*pids.values(), postgres))

    await until(gone, 60)


async def test_database_that_is_killed_comes_back_for_all_of_them(run: Run, tmp_path: Path) -> None:
    pid_file = tmp_path / "data/server/postgres/postmaster.pid"
    server = await run("serve", "--processes")
    url = await address(server)
    await all_there(url, ["api-1", "processor", "sink"])
    before = children_of(server.pid)
    postgres = int(pid_file.read_text().split()[0])

    os.kill(postgres, signal.SIGKILL)

    async def again() -> bool:
        return pid_file.exists() and int(pid_file.read_text().split()[0]) != postgres and await _ready(url)

    await until(again, 60)
    assert children_of(server.pid) == before
    revived = int(pid_file.read_text().split()[0])
    server.send_signal(signal.SIGTERM)
    await finished(server)
    assert not process.alive(revived)


async def test_a_part_alone_works_beside_the_others(run: Run, tmp_path: Path) -> None:
    api = await run("serve", "--role", "api")
    url = await address(api)
    sink = await run("serve", "--role", "sink")

    await all_there(url, ["sink@"])
    sink.send_signal(signal.SIGTERM)

    assert (await finished(sink))[0] == 0
    assert (await get(f"{url}/ready")).status_code == 200


async def test_verify_audit_says_what_it_checked(run: Run) -> None:
    code, said = await finished(await run("verify-audit"))

    assert code == 0
    assert "0 rows and 0 signed heads checked" in said


def test_pause_before_a_new_start_stays_bounded() -> None:
    assert processes.SHORTEST_PAUSE < processes.LONGEST_PAUSE <= 60


async def _ready(url: str) -> bool:
    try:
        return (await get(f"{url}/ready")).status_code == 200
    except httpx.HTTPError:
        return False
