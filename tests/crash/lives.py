"""The test's side of a phone that is killed again and again: its lives, the book of what it said, and the checks."""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import sqlite3
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.crash.phone import Change

ROOT = Path(__file__).parents[2]
Key = tuple[str, str]
DELETED = None
_LONGEST = 60


@dataclass(slots=True, kw_only=True)
class Book:
    """What the phone said it had saved. `will`: announced, and not yet said to be committed."""

    rows: dict[Key, dict[str, Any] | None] = field(default_factory=dict)
    will: list[Change] = field(default_factory=list)
    done: int = 0

    def hear(self, said: dict[str, Any]) -> None:
        if "will" in said:
            self.will = [(table, row_id, values) for table, row_id, values in said["will"]]
        elif "did" in said:
            self.take()

    def take(self) -> None:
        """What was announced is in."""
        for table, row_id, values in self.will:
            known = self.rows.get((table, row_id)) or {}
            self.rows[table, row_id] = None if values is None else {**known, **values}
        self.done += bool(self.will)
        self.will = []


@dataclass(slots=True, kw_only=True)
class Nursery:
    """The process that forks a phone's lives."""

    process: asyncio.subprocess.Process
    store: Path
    grant: dict[str, Any]
    book: Book = field(default_factory=Book)
    kills: int = 0

    @classmethod
    async def open(cls, store: Path, grant: dict[str, Any]) -> Nursery:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "tests.crash.phone",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        return cls(process=process, store=store, grant=grant)

    async def close(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        await self.process.wait()

    async def killed(self, url: str, rng: random.Random) -> None:
        """One life, ended by SIGKILL a moment after it said something: at its start, or after many transactions.

        Counted in what it says, not in seconds: a busy machine must not make every life a short one.
        """
        pid = await self._start(url, rng.getrandbits(32), finish=False)
        for _ in range(rng.choice([0, 1, 2, rng.randint(2, _LONGEST)])):
            self.book.hear(await self._next())
        asyncio.get_running_loop().call_later(rng.random() * 0.03, os.kill, pid, signal.SIGKILL)
        assert await self._ended() == signal.SIGKILL
        self.kills += 1

    async def finished(self, url: str) -> None:
        """One life that ends by itself, when nothing is left to send."""
        await self._start(url, 0, finish=True)
        async with asyncio.timeout(60):
            assert await self._ended() == 0

    async def _start(self, url: str, seed: int, *, finish: bool) -> int:
        told = {"store": str(self.store), "url": url, "grant": self.grant, "seed": seed, "finish": finish}
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(told).encode() + b"\n")
        return int((await self._next())["pid"])

    async def _ended(self) -> int:
        while "ended" not in (said := await self._next()):
            assert "fault" not in said, said["fault"]
            self.book.hear(said)
        return int(said["ended"])

    async def _next(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        line = await self.process.stdout.readline()
        assert line, "the nursery has died"
        found: dict[str, Any] = json.loads(line)
        return found


def check(store: Path, book: Book) -> None:
    """After a kill: the file is sound, what was reported is there, and nothing is there by halves."""
    if not store.exists():
        assert not book.rows  # killed before the file was made
        return
    db = sqlite3.connect(store)
    db.row_factory = sqlite3.Row
    try:
        assert db.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
        if not db.execute("SELECT 1 FROM sqlite_schema WHERE name = 'outbox'").fetchone():
            assert not book.rows  # killed while the tables were made
            return
        _settle_announced(db, book)
        _check_rows(db, book)
        _check_queue(db, book)
        _check_files(db)
    finally:
        db.close()


def _settle_announced(db: sqlite3.Connection, book: Book) -> None:
    """The last action was committed or not when the phone died: all of it or nothing."""
    there = [_holds(db, change) for change in book.will]
    assert len(set(there)) <= 1, f"half an action: {book.will}"
    if there and there[0]:
        book.take()
    book.will = []


def _holds(db: sqlite3.Connection, change: Change) -> bool:
    table, row_id, values = change
    lines = _lines(db, table, row_id)
    return any(
        line == values if line is None or values is None else values.items() <= line.items() for line in lines
    )


def _lines(db: sqlite3.Connection, table: str, row_id: str) -> list[dict[str, Any] | None]:
    found = db.execute(
        "SELECT op, patch FROM outbox WHERE tbl = ? AND row_id = ? ORDER BY mid", (table, row_id)
    )
    return [None if line["op"] == "delete" else json.loads(line["patch"]) for line in found]


def _check_rows(db: sqlite3.Connection, book: Book) -> None:
    """The screens show what was reported last."""
    for (table, row_id), values in book.rows.items():
        row = db.execute(f"SELECT * FROM {table} WHERE id = ?", (row_id,)).fetchone()  # noqa: S608
        if values is DELETED:
            assert row is None, f"{table} {row_id} came back"
        else:
            assert row is not None, f"{table} {row_id} is lost"
            assert {name: row[name] for name in values} == values


def _check_queue(db: sqlite3.Connection, book: Book) -> None:
    """Each row of the phone's own has its line of the queue, and each line its row: no half transactions."""
    queued: dict[Key, dict[str, Any] | None] = {}
    for line in db.execute("SELECT tbl, row_id, op, patch FROM outbox ORDER BY mid"):
        key = line["tbl"], line["row_id"]
        deleted = line["op"] == "delete"
        queued[key] = None if deleted else {**(queued.get(key) or {}), **json.loads(line["patch"])}
    assert queued.keys() == book.rows.keys()
    for key, values in book.rows.items():
        expected = queued[key]
        assert values is expected is None or (values is not None and expected is not None)
        assert (values or {}).items() <= (expected or {}).items()
    made = {
        (line["tbl"], line["row_id"])
        for line in db.execute("SELECT tbl, row_id FROM outbox WHERE op = 'put'")
    }
    for table in ("leads", "tasks", "notes"):
        unknown = db.execute(f"SELECT id FROM {table} WHERE _ver = 0")  # noqa: S608
        assert {(table, row["id"]) for row in unknown} <= made


def _check_files(db: sqlite3.Connection) -> None:
    """Every note has its recording in the queue of files, and on disk."""
    notes = {row["id"] for row in db.execute("SELECT id FROM notes")}
    queued = {row["note_id"]: row for row in db.execute("SELECT * FROM blobs")}
    assert notes == queued.keys()
    for row in queued.values():
        assert Path(row["path"]).stat().st_size == row["size"]
