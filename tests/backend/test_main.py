"""The commands, as a person runs them: each in a process of its own."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import httpx
import pytest

from backend import embedded
from backend.embedded import process

pytestmark = pytest.mark.anyio

ROOT = Path(__file__).parent.parent.parent
Run = Callable[..., Awaitable[asyncio.subprocess.Process]]


@pytest.fixture
async def run(tmp_path: Path) -> AsyncIterator[Run]:
    """Start `python -m backend …` on a data folder of the test's own; whatever still runs is ended after it."""
    started: list[asyncio.subprocess.Process] = []
    keep = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
    base = {**keep, "JORGE_DATA_DIR": str(tmp_path / "data"), "JORGE_SERVER_PORT": "0"}

    async def start(*arguments: str, **environment: str) -> asyncio.subprocess.Process:
        pipe = asyncio.subprocess.PIPE
        running = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "backend",
            *arguments,
            env=base | environment,
            cwd=ROOT,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=pipe,
            stderr=pipe,
        )
        started.append(running)
        return running

    yield start
    for running in started:
        if running.returncode is None:
            running.send_signal(signal.SIGTERM)
            await running.communicate()
    if (tmp_path / "data/server/engines.json").exists():
        await asyncio.to_thread(lambda: embedded.release(embedded.start(tmp_path / "data/server")))


async def address(running: asyncio.subprocess.Process) -> str:
    """Where a server that was just started listens."""
    assert running.stderr is not None
    async with asyncio.timeout(60):
        async for line in running.stderr:
            if b"listens on " in line:
                return line.decode().rpartition("listens on ")[2].strip()
    raise AssertionError("the server ended before it listened")


async def finished(running: asyncio.subprocess.Process) -> tuple[int, str]:
    out, err = await running.communicate()
    assert running.returncode is not None
    return running.returncode, (out + err).decode()


async def get(url: str) -> httpx.Response:
    async with httpx.AsyncClient() as client:
        return await client.get(url)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_server_starts_by_itself_and_stops_promptly(
    run: Run, tmp_path: Path, number: signal.Signals
) -> None:
    server = await run("serve")
    url = await address(server)
    assert (await get(f"{url}/ready")).status_code == 200
    postgres = int((tmp_path / "data/server/postgres/postmaster.pid").read_text().split()[0])

    started = time.monotonic()
    server.send_signal(number)
    code, _ = await finished(server)

    assert code == 0
    assert time.monotonic() - started < 5
    assert not process.alive(postgres)


async def test_server_killed_with_9_comes_back_with_its_users(run: Run) -> None:
    first = await run("serve")
    await address(first)
    created = await run(*_NEW_USER, JORGE_PASSWORD="long enough")
    assert (await finished(created))[0] == 0
    first.kill()
    await finished(first)

    url = await address(await run("serve"))

    async with httpx.AsyncClient() as client:
        form = {"username": "ana@brokerage.example", "password": "long enough"}
        answer = await client.post(f"{url}/api/auth/login", data=form)
    assert answer.status_code == 200
    assert [place["name"] for place in answer.json()["user"]["locations"]] == ["Ontario"]


async def test_import_that_is_told_to_stop_leaves_no_engine_and_goes_on_later(
    run: Run, tmp_path: Path
) -> None:
    rows = "".join(f"{n},Ana {n},a{n}@brokerage.example\n" for n in range(60_000))
    (tmp_path / "a.csv").write_text("Contact Id,First Name,Email\n" + rows)
    first = await run("import-leads", str(tmp_path / "a.csv"))
    assert first.stderr is not None
    async for line in first.stderr:
        if b"rows/s" in line:
            break
    postgres = int((tmp_path / "data/server/postgres/postmaster.pid").read_text().split()[0])
    first.send_signal(signal.SIGTERM)

    code, said = await finished(first)

    assert (code, said.strip().splitlines()[-1].partition(".")[0]) == (130, "jorge: Stopped")
    assert not process.alive(postgres)
    assert "60,000 rows" in (await finished(await run("import-leads", str(tmp_path / "a.csv"))))[1]


async def test_second_server_on_the_folder_says_so_and_harms_nothing(run: Run) -> None:
    url = await address(await run("serve"))

    code, said = await finished(await run("serve"))

    assert code == 1
    assert "already works on this data folder" in said
    assert "Traceback" not in said
    assert (await get(f"{url}/ready")).status_code == 200


async def test_servers_that_start_at_once_agree_on_one(run: Run) -> None:
    servers = [await run("serve") for _ in range(3)]

    async with asyncio.timeout(60):
        losers = 0
        while losers < 2:
            await asyncio.sleep(0.05)
            losers = sum(server.returncode is not None for server in servers)
    winner = next(server for server in servers if server.returncode is None)

    assert (await get(f"{await address(winner)}/ready")).status_code == 200
    assert {server.returncode for server in servers if server is not winner} == {1}


async def test_taken_port_is_one_clear_line(run: Run) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        code, said = await finished(await run("serve", JORGE_SERVER_PORT=port))

    assert code == 1
    assert said.strip().splitlines()[-1].startswith(f"jorge: Port {port} is taken")
    assert "JORGE_SERVER_PORT" in said


async def test_wrong_setting_is_one_clear_line(run: Run) -> None:
    code, said = await finished(await run("serve", JORGE_SERVER_PORT="many"))

    assert code == 2
    assert said.startswith("jorge: A setting is wrong")
    assert "JORGE_SERVER_PORT" in said


async def test_migrate_works_without_a_server_and_twice(run: Run) -> None:
    assert (await finished(await run("migrate")))[0] == 0
    assert (await finished(await run("migrate")))[0] == 0


_NEW_USER = [
    *("create-user", "--email", "ana@brokerage.example", "--name", "Ana", "--role", "agent"),
    *("--location", "Ontario", "--state", "CA", "--zone", "America/Los_Angeles"),
]


@pytest.mark.parametrize(
    ("arguments", "password", "message"),
    [
        (_NEW_USER, "short", "too short"),
        ([*_NEW_USER[:-6], "--location", "Nowhere"], "long enough", "no location 'Nowhere'"),
        ([*_NEW_USER[:2], "not-an-address", *_NEW_USER[3:]], "long enough", "no e-mail address"),
    ],
)
async def test_user_that_cannot_be_made_is_told(
    run: Run, arguments: list[str], password: str, message: str
) -> None:
    code, said = await finished(await run(*arguments, JORGE_PASSWORD=password))

    assert code == 1
    assert message in said
    assert "Traceback" not in said


async def test_same_user_twice_is_told(run: Run) -> None:
    await finished(await run(*_NEW_USER, JORGE_PASSWORD="long enough"))

    code, said = await finished(await run(*_NEW_USER, JORGE_PASSWORD="long enough"))

    assert code == 1
    assert "there already" in said


async def test_password_that_nobody_can_type_is_told(run: Run) -> None:
    code, said = await finished(await run(*_NEW_USER))

    assert code == 1
    assert "JORGE_PASSWORD" in said
    assert "Traceback" not in said
