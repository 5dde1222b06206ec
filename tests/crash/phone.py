"""A phone's process that is there to be killed: it writes and syncs at once, and says what it has saved.

`python -m tests.crash.phone` reads one JSON line for each life, forks (so that imports are paid once) and tells on stdout:
`{"pid"}`, then what the life says: `{"will": changes}` before a transaction, `{"did"}` after its commit, `{"quiet"}` when
nothing is left to send; and `{"ended"}` when it is dead.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import random
import ssl
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx

from devices.clock import SystemClock
from domain import ids
from storage import blobs, database, edits
from sync import client, engine, session
from tests import fakes

_TLS = ssl.create_default_context()
"""Made once, before the first fork: it costs more than all the rest of a start."""
Change = tuple[str, str, dict[str, Any] | None]
"""Table, row, and the values it has afterwards; None = deleted."""


def tell(**said: Any) -> None:
    os.write(1, json.dumps(said).encode() + b"\n")  # short enough to be written whole or not at all


class Life:
    """One process of the app, from its start until it is killed."""

    def __init__(self, told: dict[str, Any]) -> None:
        self.path = Path(told["store"])
        self.url, self.grant = told["url"], session.grant_of(told["grant"])
        self.rng = random.Random(told["seed"])
        self.clock = SystemClock()

    async def run(self, *, finish: bool) -> None:
        self.db = database.open_store(self.path)
        tokens = session.Session(fakes.FakeSecrets(), self.clock, self.grant.user_id)
        await tokens.accept(self.grant)
        async with httpx.AsyncClient(base_url=self.url, timeout=30, trust_env=False, verify=_TLS) as http:
            self.sync = engine.Engine(self.db, client.Client(http, tokens), self.clock)
            tell(open=True)
            if finish:
                await self.until_quiet()
                tell(quiet=True)
                return
            syncing = asyncio.create_task(self.go_on_syncing())
            while not syncing.done():
                self.work()
                await asyncio.sleep(self.rng.random() * 0.004)
            syncing.result()

    async def go_on_syncing(self) -> None:
        while True:
            await self.sync.run_once()
            await asyncio.sleep(0.002)

    async def until_quiet(self) -> None:
        while True:
            status = await self.sync.run_once()
            if not (status.pending or status.files or status.fault):
                return
            await asyncio.sleep(0.02)

    def work(self) -> None:
        """One action of a person, announced and then reported."""
        act = self.rng.choice([self.new_lead, self.rename, self.plan, self.speak, self.drop])
        changes = list(act())
        if not changes:
            return
        files = {row_id: self.record(row_id) for table, row_id, _ in changes if table == "notes"}
        tell(will=changes)
        with self.db.write_tx() as tx:
            edit = edits.start(tx, self.clock.now())
            for table, row_id, values in changes:
                self.write(edit, table, row_id, values)
                if row_id in files:
                    self.queue(tx, row_id, files[row_id])
        tell(did=True)

    def write(self, edit: edits.Edit, table: str, row_id: str, values: dict[str, Any] | None) -> None:
        if values is None:
            edit.delete(table, row_id)
        elif "location_id" in values:
            edit.put(table, row_id, values)
        else:
            edit.patch(table, row_id, values)

    def word(self) -> str:
        return f"{self.rng.getrandbits(40):x}"

    def some(self, table: str) -> str | None:
        found = self.db.rows(f"SELECT id FROM {table} ORDER BY id")  # noqa: S608
        return str(self.rng.choice(found)["id"]) if found else None

    def new_lead(self) -> Iterator[Change]:
        place = self.grant.location_ids[0]
        yield (
            "leads",
            ids.new_id(),
            {"location_id": place, "kind": "seller", "name": self.word(), "stage": "new"},
        )

    def rename(self) -> Iterator[Change]:
        if lead_id := self.some("leads"):
            yield "leads", lead_id, {"name": self.word()}

    def plan(self) -> Iterator[Change]:
        """Two changes of one action."""
        if lead_id := self.some("leads"):
            place = self.grant.location_ids[0]
            task = {"location_id": place, "title": self.word(), "kind": "call", "lead_id": lead_id}
            yield "tasks", ids.new_id(), task
            yield "leads", lead_id, {"city": self.word()}

    def speak(self) -> Iterator[Change]:
        note = {"location_id": self.grant.location_ids[0], "agent_id": self.grant.user_id, "state": "saved"}
        yield "notes", ids.new_id(), note

    def drop(self) -> Iterator[Change]:
        if task_id := self.some("tasks"):
            yield "tasks", task_id, None

    def record(self, note_id: str) -> Path:
        path = self.path.parent / "audio" / f"{note_id}.wav"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(self.rng.randbytes(self.rng.choice([300, 5_000, 400_000])))
        return path

    def queue(self, tx: database.Transaction, note_id: str, path: Path) -> None:
        content = path.read_bytes()
        blobs.add(
            tx,
            note_id=note_id,
            location_id=self.grant.location_ids[0],
            path=path,
            sha256=hashlib.sha256(content).hexdigest(),
            size=len(content),
            media_type="audio/wav",
        )


def nursery() -> None:
    """A life for each line, one at a time."""
    for line in iter(sys.stdin.readline, ""):
        told = json.loads(line)
        child = os.fork()
        if not child:
            try:
                asyncio.run(Life(told).run(finish=told["finish"]))
            except BaseException as fault:
                tell(fault=repr(fault)[:1000])
                raise
            finally:
                os._exit(0)
        tell(pid=child)
        tell(ended=os.waitpid(child, 0)[1])


if __name__ == "__main__":
    nursery()
