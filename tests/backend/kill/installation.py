"""A whole installation of one's own: engines, supervisor, two api workers, processor and sink as real processes."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from backend import deps as parts
from backend import embedded
from backend.actor import Role
from backend.deps import Deps
from backend.services import sources, users
from backend.settings import Settings
from tests import engines as shared_engines
from tests.backend.test_processes import children_of
from tests.serving import PASSWORD

VICTIMS = ("sink", "processor", "api", "valkey", "postgres")
ROOT = Path(__file__).parents[3]
_EMAIL = "manager@brokerage.example"
_MARK = "kill:was-here"
API_WORKERS = 2
PATIENCE = 90.0
QUEUING_SECONDS = 0.5


@dataclass(slots=True, kw_only=True)
class Installation:
    """What clients need to know of it. `deps`: a look from outside, for checks."""

    url: str
    folder: Path
    pid: int
    key: str
    token: str
    location: str
    location_key: int
    deps: Deps
    killed: int = 0

    @property
    def ws_url(self) -> str:
        return "ws" + self.url.removeprefix("http")

    async def kill(self, victim: str) -> None:
        """SIGKILL, now. Valkey's disk goes with it, and the sink is held meanwhile: what was queued is lost for sure."""
        if victim == "api":  # both, so that every line is cut whichever it was on
            for name in [name for name in children_of(self.pid) if name.startswith("api")]:
                os.kill(children_of(self.pid)[name], signal.SIGKILL)
        elif victim != "valkey":
            os.kill(self._pid_of(victim), signal.SIGKILL)
        else:
            await self.deps.valkey.set(_MARK, "1")
            os.kill(self._pid_of("sink"), signal.SIGSTOP)
            try:
                await asyncio.sleep(QUEUING_SECONDS)
                os.kill(self._pid_of(victim), signal.SIGKILL)
                shutil.rmtree(self.folder / "server/valkey/appendonlydir")
            finally:
                os.kill(self._pid_of("sink"), signal.SIGCONT)
        self.killed += 1

    def _pid_of(self, victim: str) -> int:
        if victim in ("valkey", "postgres"):
            return int(json.loads((self.folder / "server/engines.json").read_text())[f"{victim}_pid"])
        return children_of(self.pid)[victim]

    async def forgot_everything(self) -> bool:
        """Did Valkey come back empty?"""
        return await self.deps.valkey.get(_MARK) is None


@asynccontextmanager
async def running(folder: Path) -> AsyncIterator[Installation]:
    """Until the block ends; then all of it is gone. So it is where the test is killed: the server ends with its input, and engines are watched."""
    await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
    keep = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
    more = {
        "JORGE_DATA_DIR": str(folder),
        "JORGE_SERVER_PORT": "0",
        "LOG_LEVEL": os.environ.get("LOG_LEVEL", "WARNING"),
        "BI_RATE_LIMIT": "0",
    }
    with (folder / "log").open("wb") as log:
        server = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "backend", "serve", "--processes", "--api", str(API_WORKERS), "--tied",
            env=keep | more, cwd=ROOT, stdin=asyncio.subprocess.PIPE, stdout=log, stderr=log,
        )  # fmt: skip
    try:
        url = await _address(folder / "log", server)
        shared_engines.watched(folder / "server")
        async with _looked_at(folder) as deps:
            yield await _furnished(url, folder, server.pid, deps)
    finally:
        if server.returncode is None:
            server.send_signal(signal.SIGTERM)
            await server.wait()
        if (folder / "server/engines.json").exists():
            await asyncio.to_thread(lambda: embedded.release(embedded.start(folder / "server")))


async def _address(log: Path, server: asyncio.subprocess.Process) -> str:
    async with asyncio.timeout(PATIENCE):
        while server.returncode is None:
            said = await asyncio.to_thread(log.read_text, errors="replace")
            if found := re.search(r"listens on (\S+)\n", said):
                return found[1]
            await asyncio.sleep(0.1)
    raise AssertionError(f"the server ended: {said[-2_000:]}")


@asynccontextmanager
async def _looked_at(folder: Path) -> AsyncIterator[Deps]:
    told = json.loads((folder / "server/engines.json").read_text())
    names = {
        "database_url": told["database_url"],
        "redis_url": told["redis_url"],
        "data_dir": folder / "eyes",
    }
    async with parts.open_deps(Settings.model_validate(names)) as deps:
        yield deps


async def _furnished(url: str, folder: Path, pid: int, deps: Deps) -> Installation:
    """With an office, a manager who is signed in, and a source that may send."""
    await users.create(
        deps,
        email=_EMAIL,
        name="Manager",
        role=Role.MANAGER,
        password=PASSWORD,
        locations=["Ontario"],
        zone="UTC",
    )
    location = str(await deps.pool.fetchval("SELECT id FROM locations"))
    at = await deps.pool.fetchval("SELECT location_key FROM dim_location WHERE location_id = $1", location)
    _, key = await sources.create(deps, name="Load", locations=[location])
    token = await _signed_in(url)
    return Installation(
        url=url,
        folder=folder,
        pid=pid,
        key=key,
        token=token,
        location=location,
        location_key=int(at),
        deps=deps,
    )


async def _signed_in(url: str) -> str:
    async with asyncio.timeout(PATIENCE), httpx.AsyncClient(base_url=url, timeout=20) as client:
        while True:
            try:
                answer = await client.post("/api/auth/login", data={"username": _EMAIL, "password": PASSWORD})
                if answer.status_code == 200:
                    return str(answer.json()["access_token"])
            except httpx.HTTPError:
                pass  # the port is open before its processes are there
            await asyncio.sleep(0.2)
