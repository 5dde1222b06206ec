"""A person's write (row, base, outbox, search index) against a bare transaction on the same disk: `python -m benchmarks.local_write`.

The peer: `BEGIN IMMEDIATE; UPDATE; INSERT; COMMIT` in SQLite with the same journal (WAL) and `synchronous=FULL`: what any
app pays that keeps a change and a note of it for later sending.
"""

from __future__ import annotations

import argparse
import json
import random
import sqlite3
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import _common, _machine
from domain import ids
from services import session
from storage import database, edits

LEADS = 1_500


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--writes", type=int, default=300)
    arguments.add_argument("--folder", type=Path, help="another disk than the one of temporary files")
    chosen = arguments.parse_args()
    sold, what = _common.houses()
    print(f"{what} and {LEADS:,} leads; {chosen.writes} writes each; {_machine.machine()}")
    with tempfile.TemporaryDirectory(prefix="jorge-bench-", dir=chosen.folder) as folder:
        peer = _common.timed(bare(Path(folder) / "bare.db"), chosen.writes)
        with _common.workplace_of(Path(folder) / "store.db") as (db, services):
            people = _common.fill(db, sold, LEADS)
            ours = Writes(services, people)
            print(f"{'bare transaction':<28}{peer.text()}")
            alone = _common.timed(lambda turn: ours.patch(db, turn), chosen.writes)
            print(f"{'storage alone, no rules':<28}{alone.text()}  {_ratios(alone, peer)}")
            for name, call in (
                ("leads.edit, motivation", ours.say_motivation),
                ("leads.edit, price", ours.set_price),
                ("tasks.create", ours.add_task),
                ("tasks.done", ours.end_task),
            ):
                times = _common.timed(call, chosen.writes)
                print(f"{name:<28}{times.text()}  {_ratios(times, peer)}")


def _ratios(ours: _common.Times, peer: _common.Times) -> str:
    wall = _machine.p(ours.wall, 50) / _machine.p(peer.wall, 50)
    cpu = _machine.p(ours.cpu, 50) / _machine.p(peer.cpu, 50)
    return f"= {wall:.1f} × the wall, {cpu:.1f} × the CPU of the bare one"


@dataclass(slots=True)
class Writes:
    """One write each, every time to another row and with another value."""

    services: session.Services
    people: list[str]
    _tasks: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        random.Random(3).shuffle(self.people)
        self._tasks = [self._task(turn) for turn in range(len(self.people))]

    def patch(self, db: database.Database, turn: int) -> None:
        with db.write_tx() as tx:
            edit = edits.start(tx, datetime.now(UTC), 1.0)
            edit.patch("leads", self.people[turn], {"financing": f"cash {turn}"})

    def say_motivation(self, turn: int) -> None:
        self.services.leads.edit(self.people[turn], motivation=f"Job in another town, said in call {turn}")

    def set_price(self, turn: int) -> None:
        self.services.leads.edit(self.people[turn], price_cents=50_000_000 + turn)

    def add_task(self, turn: int) -> None:
        self._task(turn)

    def end_task(self, turn: int) -> None:
        self.services.tasks.done(self._tasks[turn])

    def _task(self, turn: int) -> str:
        return self.services.tasks.create(f"Bring comps {turn}", lead_id=self.people[turn])


def bare(path: Path) -> Callable[[int], None]:
    """A table of leads and a table of what to send; one update and one line each time."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("CREATE TABLE leads (id TEXT PRIMARY KEY, body TEXT, price INTEGER) WITHOUT ROWID")
    connection.execute("CREATE TABLE outbox (mid INTEGER PRIMARY KEY, body TEXT)")
    people = [ids.new_id() for _ in range(LEADS)]
    with connection:
        connection.executemany("INSERT INTO leads VALUES (?, ?, 0)", ((one, "x" * 500) for one in people))

    def write(turn: int) -> None:
        line = json.dumps(
            {"table": "leads", "id": people[turn], "patch": {"price": turn}, "base": {"price": 0}}
        )
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("UPDATE leads SET price = ? WHERE id = ?", (turn, people[turn]))
        connection.execute("INSERT INTO outbox (body) VALUES (?)", (line,))
        connection.execute("COMMIT")

    return write


if __name__ == "__main__":
    main()
