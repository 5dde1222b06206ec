"""An agent's first load and 200 offline edits against the real server: `python -m benchmarks.sync`.

The server is a process of its own on an embedded PostgreSQL with the demo brokerage, so that all CPU seconds here are the
device's. Peer in the same run: a bare httpx GET of the same pages, `json.loads`, and `executemany` into tables without
index, search or checks.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import socket
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from benchmarks import _common
from devices import clock, secrets
from domain import wire
from launch import processes
from launch import settings as launch_settings
from services import session as services_of
from services.user import Role, User
from storage import database, outbox
from sync import client, engine, login, pull, session
from wiring import workplace

EMAIL, PASSWORD = "agent1@demo.example", "demo"


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--edits", type=int, default=200)
    chosen = arguments.parse_args()
    print(f"demo brokerage, {EMAIL}; {_common.machine()}")
    with (
        tempfile.TemporaryDirectory(prefix="jorge-bench-") as folder,
        serving(Path(folder) / "server") as address,
    ):
        asyncio.run(measured(address, Path(folder), chosen.edits))


async def measured(address: str, folder: Path, edits: int) -> None:
    device = await open_device(address, folder)
    rows = await first_load(device)
    await bare_load(device, folder / "bare.db", rows)
    await push_edits(device, edits)
    await device.line.http.aclose()
    device.db.close()


@dataclass(slots=True, kw_only=True)
class Spent:
    """From `begin` to `end`."""

    wall: float = field(default_factory=time.perf_counter)
    cpu: float = field(default_factory=time.process_time)

    def end(self) -> Spent:
        return Spent(wall=time.perf_counter() - self.wall, cpu=time.process_time() - self.cpu)


@dataclass(slots=True, kw_only=True)
class Device:
    """A phone: store, line, engine, and what went over the line."""

    db: database.Database
    line: client.Client
    sync: engine.Engine
    user: User
    counted: Counted
    grant: session.Grant


class Counted(httpx.AsyncHTTPTransport):
    """Bytes as they travel (compressed where the server does that), and requests."""

    sent = 0
    received = 0
    requests = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.requests += 1
        self.sent += len(await request.aread())
        answer = await super().handle_async_request(request)
        content = b"".join([part async for part in answer.aiter_raw()])
        self.received += len(content)
        await answer.aclose()
        return httpx.Response(
            answer.status_code, headers=answer.headers, stream=httpx.ByteStream(content), request=request
        )


async def open_device(address: str, folder: Path) -> Device:
    counted = Counted()
    http = httpx.AsyncClient(base_url=address, transport=counted, timeout=client.TIMEOUT)
    grant = await login.Login(http=http).login(EMAIL, PASSWORD)
    tokens = session.Session(secrets.FileSecrets(folder / "device.json"), clock.SystemClock(), grant.user_id)
    await tokens.accept(grant)
    line = client.Client(http, tokens)
    db = database.open_store(folder / "store.db")
    user = User(
        id=grant.user_id,
        name=grant.name,
        email=grant.email,
        role=Role(grant.role),
        location_ids=grant.location_ids,
    )
    sync = engine.Engine(db, line, clock.SystemClock())
    return Device(db=db, line=line, sync=sync, user=user, counted=counted, grant=grant)


async def first_load(device: Device) -> Loaded:
    before, begun = device.counted.received, Spent()
    said = await device.sync.run_once()
    spent = begun.end()
    if said.fault is not None or not said.first_complete:
        raise SystemExit(f"the first load failed: {said.fault}")
    tables = (
        "leads",
        "interactions",
        "tasks",
        "notes",
        "properties",
        "deals",
        "people",
        "locations",
        "conflicts",
    )
    rows = sum(device.db.value(f"SELECT count(*) FROM {name}") for name in tables)  # noqa: S608 - fixed words
    size = device.counted.received - before
    print(
        f"first load   {_line(rows, spent)}  {size / 1e6:.2f} MB on the line = {size / rows:.0f} bytes a row"
    )
    return Loaded(rows=rows, spent=spent)


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    rows: int
    spent: Spent


async def bare_load(device: Device, path: Path, ours: Loaded) -> None:
    """The peer: the same pages, as large as the server gives them."""
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA journal_mode = WAL")
    headers = {
        "Authorization": f"Bearer {device.grant.access_token}",
        wire.PROTOCOL_HEADER: str(wire.PROTOCOL),
    }
    begun, rows, cursor, more = Spent(), 0, "", True
    while more:
        answer = await device.line.http.get(
            pull.PATH, params={"cursor": cursor, "limit": "5000"}, headers=headers
        )
        page = json.loads(answer.raise_for_status().content)
        rows += _insert(connection, page)
        cursor, more = page["cursor"], page["more"]
    spent = begun.end()
    print(f"bare load    {_line(rows, spent)}")
    print(
        f"             ours = {ours.spent.wall / spent.wall:.1f} × its wall, {ours.spent.cpu / spent.cpu:.1f} × its CPU"
    )


def _insert(connection: sqlite3.Connection, page: dict[str, Any]) -> int:
    """All rows of a page in one transaction; JSON values as they are written."""
    rows = 0
    with connection:
        for block in page["blocks"]:
            names = ", ".join(f'"{name}"' for name in block["columns"])
            connection.execute(f"CREATE TABLE IF NOT EXISTS {block['table']} ({names}, UNIQUE (id))")
            marks = ", ".join("?" * len(block["columns"]))
            plain = [[_plain(value) for value in row] for row in block["rows"]]
            sql = f"INSERT OR REPLACE INTO {block['table']} VALUES ({marks})"  # noqa: S608 - our server's names
            connection.executemany(sql, plain)
            rows += len(plain)
    return rows


def _plain(value: Any) -> Any:
    return json.dumps(value) if isinstance(value, dict | list) else value


async def push_edits(device: Device, edits: int) -> None:
    """Written with no network, then sent in one run."""
    lent = services_of.Ports(launcher=workplace.NoLauncher(), sync=device.sync)
    services = services_of.open_services(device.db, device.user, clock.SystemClock(), lent)
    device.sync.force_offline(True)
    people = [row["id"] for row in device.db.rows("SELECT id FROM leads ORDER BY id LIMIT ?", (edits,))]
    begun = Spent()
    for number in range(edits):
        services.leads.edit(people[number % len(people)], motivation=f"Said in call {number}")
    wrote, waiting = begun.end(), outbox.counts(device.db).pending
    device.sync.force_offline(False)
    line = device.counted
    sent, received, asked, begun = line.sent, line.received, line.requests, Spent()
    await device.sync.run_once()
    spent, left = begun.end(), outbox.counts(device.db).pending
    print(
        f"{edits} edits    written in {wrote.wall:.2f} s (CPU {wrote.cpu:.2f} s); {waiting} changes sent in {spent.wall:.2f} s "
        f"(CPU {spent.cpu:.2f} s = {1000 * spent.cpu / edits:.2f} ms an edit), {line.requests - asked} requests, "
        f"{(line.sent - sent) / edits:.0f} bytes up and {(line.received - received) / edits:.0f} down an edit; "
        f"{left} left"
    )
    if left:
        raise SystemExit("not everything was sent")


def _line(rows: int, spent: Spent) -> str:
    return (
        f"{rows:,} rows in {spent.wall:.2f} s, CPU {spent.cpu:.2f} s = {1e6 * spent.cpu / rows:.0f} µs a row"
    )


@contextmanager
def serving(data: Path) -> Iterator[str]:
    """`python -m backend serve` with the demo, on a free port; stopped at the end."""
    settings = launch_settings.Settings(data=data, app_port=free_port(), server_port=free_port())
    child = processes.start("server", ["-m", "backend", "serve"], settings)
    try:
        processes.wait_until_answers(child, f"{settings.server_url}/ready")
        processes.run(["-m", "backend", "demo"], settings)
        yield settings.server_url
    finally:
        processes.stop([child])


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


if __name__ == "__main__":
    main()
