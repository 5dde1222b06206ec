"""The app's process is killed with -9 at 200 random moments while it writes and syncs; so is the server, now and then."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import random
import sqlite3
from pathlib import Path
from typing import Any

import httpx
import pytest

from backend.deps import Deps
from devices.clock import SystemClock
from domain import ids
from storage import database
from sync import client, engine, session
from tests import fakes
from tests.backend.sync.test_kill import Serve, serve
from tests.crash.lives import Nursery, check
from tests.serving import PASSWORD, LiveServer, MakeUser

__all__ = ["serve"]

pytestmark = pytest.mark.anyio

KILLS = int(os.environ.get("JORGE_KILLS", "200"))
SHARES = 5
"""As many tests, for as many workers."""
SERVER_KILLS = 3
SEEDED = 700


async def sign_in(url: str, email: str) -> dict[str, Any]:
    async with httpx.AsyncClient(base_url=url, timeout=30) as line:
        answer = await line.post("/api/auth/login", data={"username": email, "password": PASSWORD})
        grant: dict[str, Any] = answer.json()
        return grant


async def seed_leads(deps: Deps, location_id: str) -> None:
    """So many that a first sync takes several pages, and is killed in the middle of them."""
    await deps.pool.executemany(
        "INSERT INTO leads (id, location_id, kind, name, stage) VALUES ($1, $2, 'seller', 'Ann', 'new')",
        [(ids.new_id(), location_id) for _ in range(SEEDED)],
    )


@pytest.mark.parametrize("share", range(SHARES - 1))
async def test_killed_while_it_writes_and_syncs_it_loses_nothing_and_sends_nothing_twice(
    make_user: MakeUser, deps: Deps, live_server: LiveServer, tmp_path: Path, share: int
) -> None:
    grant = await sign_in(live_server.url, (await make_user()).email)
    await seed_leads(deps, grant["user"]["locations"][0]["id"])
    rng, phone = random.Random(share), await Nursery.open(tmp_path / "phone" / "store.db", grant)
    for _ in range(KILLS // SHARES):
        await phone.killed(live_server.url, rng)
        check(phone.store, phone.book)
    await phone.finished(live_server.url)
    await phone.close()

    assert phone.book.done > phone.kills  # it did get to work
    await agree(live_server.url, deps, phone, tmp_path)


async def test_killed_together_with_its_server_it_loses_nothing_and_sends_nothing_twice(
    make_user: MakeUser, deps: Deps, serve: Serve, tmp_path: Path
) -> None:
    process, url = await serve()
    grant = await sign_in(url, (await make_user()).email)
    await seed_leads(deps, grant["user"]["locations"][0]["id"])
    rng, phone = random.Random(99), await Nursery.open(tmp_path / "phone" / "store.db", grant)
    every, deaths = KILLS // SHARES // SERVER_KILLS or 1, 0
    for number in range(KILLS // SHARES):
        if number % every == every // 2:
            asyncio.get_running_loop().call_later(rng.random() * 0.3, process.kill)
        await phone.killed(url, rng)
        check(phone.store, phone.book)
        if process.returncode is not None:
            deaths += 1
            process, url = await serve()
    await phone.finished(url)
    await phone.close()

    assert deaths
    assert phone.book.done > phone.kills
    await agree(url, deps, phone, tmp_path)


async def agree(url: str, deps: Deps, phone: Nursery, tmp_path: Path) -> None:
    """Device and server hold the same, the server has each change once, and each recording whole."""
    check(phone.store, phone.book)
    fresh = tmp_path / "fresh" / "store.db"
    await load(url, phone.grant, fresh)
    assert content(phone.store) == content(fresh)
    with sqlite3.connect(phone.store) as db:
        states = dict(db.execute("SELECT state, count(*) FROM outbox GROUP BY state"))
        lines = dict(db.execute("SELECT row_id, count(*) FROM outbox GROUP BY row_id"))
        made = {row[0] for row in db.execute("SELECT row_id FROM outbox WHERE op = 'put'")}
        files = {row[0] for row in db.execute("SELECT sha256 FROM blobs")}
    db.close()
    assert states == {"acked": sum(lines.values())}
    assert await deps.pool.fetchval("SELECT count(*) FROM applied_mutations") == sum(lines.values())
    for table in ("leads", "tasks", "notes"):
        for row in await deps.pool.fetch(f"SELECT id, _ver FROM {table}"):  # noqa: S608
            assert row["_ver"] == lines.get(row["id"], 0) + (row["id"] not in made)
    await check_uploads(deps, files)


async def check_uploads(deps: Deps, files: set[str]) -> None:
    there = [path for path in (deps.settings.server_dir / "uploads").rglob("*") if path.is_file()]
    assert {path.name for path in there} == files
    assert all(hashlib.sha256(path.read_bytes()).hexdigest() == path.name for path in there)


async def load(url: str, grant: dict[str, Any], store: Path) -> None:
    """Everything, on a new device of the same person."""
    db, clock = database.open_store(store), SystemClock()
    tokens = session.Session(fakes.FakeSecrets(), clock, grant["user"]["id"])
    await tokens.accept(session.grant_of(grant))
    async with client.open_http(url) as http:
        await engine.Engine(db, client.Client(http, tokens), clock).run_once()
    db.close()


def content(store: Path) -> dict[str, list[tuple[Any, ...]]]:
    with sqlite3.connect(store) as db:
        tables = ("leads", "tasks", "notes", "people", "locations", "conflicts")
        names = {table: names_of(db, table) for table in tables}
        found = {
            table: db.execute(f"SELECT {', '.join(names[table])} FROM {table} ORDER BY id").fetchall()  # noqa: S608
            for table in tables
        }
    db.close()
    return json.loads(json.dumps(found))  # type: ignore[no-any-return]


def names_of(db: sqlite3.Connection, table: str) -> list[str]:
    return [row[1] for row in db.execute(f"PRAGMA table_info({table})") if row[1] != "_rid"]
