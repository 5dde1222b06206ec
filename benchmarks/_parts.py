"""The server in parts, as for production, on engines of its own in memory: gateway, api, processor and sink are processes; and what CPU each used.

`gateway` is an api process that only has the live sockets; `api` is another one that only takes what is posted.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import httpx

from backend import deps as opening
from backend import embedded
from backend.actor import Role
from backend.deps import Deps
from backend.embedded import process
from backend.services import auth, sources, users
from backend.services.auth import Peer
from backend.settings import Settings
from benchmarks import _ingest, _load, _machine, _server

ROLES = {"gateway": "api", "api": "api", "processor": "processor", "sink": "sink"}
_PASSWORD = "bench-password"
_EMAIL = "boss@bench.example"
_SECONDS = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What runs. `deps`: an opening of our own, to look at streams and facts. `key`: of a source that may send everything."""

    folder: Path
    deps: Deps
    pids: Mapping[str, int]
    ports: Mapping[str, int]
    postgres_pid: int
    valkey_pid: int
    token: str
    key: str

    def cpu(self) -> Mapping[str, float]:
        """Seconds so far, by part."""
        ours = {name: _machine.seconds(pid) for name, pid in self.pids.items()}
        engines = {"PostgreSQL": _machine.family_seconds(self.postgres_pid), "Valkey": _machine.seconds(self.valkey_pid)}  # fmt: skip
        return ours | engines

    def warnings(self) -> Mapping[str, Mapping[str, int]]:
        """What the parts logged, and how often."""
        found: dict[str, dict[str, int]] = {}
        for name in self.pids:
            for line in (self.folder / f"{name}.log").read_text().splitlines():
                event = json.loads(line)["event"] if line.startswith("{") else ""
                if event:
                    counts = found.setdefault(name, {})
                    counts[event] = counts.get(event, 0) + 1
        return found


@asynccontextmanager
async def running() -> AsyncIterator[Parts]:
    """All of it is stopped and removed at the end."""
    folder = _folder()
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        engines = embedded.start(folder / "engines")
        stack.callback(embedded.release, engines)
        assert engines.postgres is not None
        assert engines.valkey is not None
        await _ingest.settle(engines.database_url(), _load.world())
        where = {"DATABASE_URL": engines.database_url(), "REDIS_URL": engines.redis_url()}
        chosen = Settings.model_validate(where | {"JORGE_DATA_DIR": folder / "data"})
        async with opening.open_deps(chosen, process="benchmark") as deps:
            token, key = await _people(deps)
            ports = {name: _server.free_port() for name, role in ROLES.items() if role == "api"}
            started = {name: _start(folder, name, where, ports.get(name, 0)) for name in ROLES}
            for child in started.values():
                stack.callback(_stop, child)
            for name, port in ports.items():
                _wait(folder, name, port)
            yield Parts(
                folder=folder,
                deps=deps,
                pids={name: child.pid for name, child in started.items()},
                ports=ports,
                postgres_pid=engines.postgres.pid,
                valkey_pid=engines.valkey.pid,
                token=token,
                key=key,
            )


def _folder() -> Path:
    """In memory; the engines' account goes through it."""
    folder = Path(tempfile.mkdtemp(prefix="jorge-bench-", dir="/dev/shm"))
    folder.chmod(0o755)
    return folder


async def stored(parts: Parts) -> Mapping[str, int]:
    """Facts by stream, without what our own parts say of themselves."""
    connection = await asyncpg.connect(parts.deps.database_url)
    try:
        (row,) = await connection.fetch(
            "SELECT (SELECT count(*) FROM fact_lead_interactions) AS lead_interactions, "
            "(SELECT count(*) FROM fact_bot_performance) AS bot_performance, "
            "(SELECT count(*) FROM deal_states) AS commission_events, "
            "(SELECT count(*) FROM fact_system_health WHERE component = 'bench') AS system_health"
        )
    finally:
        await connection.close()
    return dict(row)


async def _people(deps: Deps) -> tuple[str, str]:
    """A manager of every office, signed in; a source that may send everything."""
    offices = [f"Office {n}" for n in range(_load.OFFICES)]
    await users.create(deps, email=_EMAIL, name="Boss", role=Role.MANAGER, password=_PASSWORD, locations=offices)  # fmt: skip
    peer = Peer(address="127.0.0.1", on_this_machine=True)
    signed = await auth.login(deps, email=_EMAIL, password=_PASSWORD, device_id="", peer=peer)
    _, key = await sources.create(deps, name="Bench")
    return signed.access_token, key


def _start(folder: Path, name: str, where: Mapping[str, str], port: int) -> subprocess.Popen[bytes]:
    more = {
        "JORGE_DATA_DIR": str(folder / "data"),
        "JORGE_SERVER_PORT": str(port),
        "LOG_LEVEL": "WARNING",
        "BI_WEBSOCKET_MAX_PER_USER": "5000",
        "BI_WEBSOCKET_MAX_CONNECTIONS": "5000",
        "BI_EVENT_LIMIT": "0",
    }
    command = [sys.executable, "-m", "backend", "serve", "--role", ROLES[name], "--name", name]
    with (folder / f"{name}.log").open("wb") as log:
        return subprocess.Popen(command, env=os.environ | where | more, stderr=log, stdin=subprocess.DEVNULL)


def _wait(folder: Path, name: str, port: int) -> None:
    """Raises: SystemExit with the last lines of its log."""

    def answers() -> bool:
        try:
            return httpx.get(f"http://127.0.0.1:{port}/ready", timeout=5).status_code == 200
        except httpx.HTTPError:
            return False

    if not process.wait_until(answers, _SECONDS, pause=0.2):
        raise SystemExit(f"{name} does not answer: {process.tail(folder / f'{name}.log', 20)}")


def _stop(child: subprocess.Popen[bytes]) -> None:
    child.terminate()
    try:
        child.wait(10)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
