"""The server's synced data in memory: `backend.storage.store` without a database, so that the real decisions run on it.

Each commit keeps how to undo it and what it wrote. So the past can be looked at (the history that invariants are
checked against), and come back (a failover that loses commits, a restore to an earlier point).
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager

from backend.storage.rows import Stored
from backend.storage.store import Key
from tests.simulation.data import Commit, Data, Logged, Write
from tests.simulation.transaction import Transaction
from tests.simulation.world import Clock, World


class ServerKilled(Exception):
    """The server's process ends here."""


class Memory:
    """`backend.storage.store.Stores`, and what a test wants to know or break.

    `die`: "before" or "after" the next commit of a request (`serving`) the server is killed. `deadlocks`: so many transactions fail.
    `locked`: rows that a long transaction of somebody else holds.
    """

    def __init__(self, world: World, clock: Clock) -> None:
        self.world = world
        self.clock = clock
        self.data = Data()
        self.commits: list[Commit] = []
        self.die = ""
        self.serving = False
        self.deadlocks = 0
        self.locked: set[Key] = set()
        self.unstamped: list[Logged] = []
        self.stamped: list[Logged] = []

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        work = Transaction(self)
        try:
            yield work
        except BaseException:
            work.undo_all()
            raise
        self._commit(work)

    @asynccontextmanager
    async def read(self) -> AsyncIterator[Transaction]:
        yield Transaction(self)

    def begin(self, *, lines: int) -> Transaction:
        """A long transaction: it takes its numbers of the log now."""
        work = Transaction(self)
        work.reserve(lines)
        return work

    @asynccontextmanager
    async def going_on(self, work: Transaction) -> AsyncIterator[None]:
        """Its writes, and its commit."""
        yield
        self._commit(work)

    def _commit(self, work: Transaction) -> None:
        die, self.die = (self.die, "") if work.undo and self.serving else ("", self.die)
        if die == "before":
            work.undo_all()
            raise ServerKilled("before the commit")
        if work.undo:
            self.commits.append(Commit(self.world.now_ms, work.undo, work.writes))
            self.unstamped += work.lines
        if die == "after":
            raise ServerKilled("after the commit")

    @property
    def now_ms(self) -> int:
        """By the server's clock."""
        return round(self.clock.now().timestamp() * 1000)

    @property
    def history(self) -> list[Write]:
        """Every version that this life of the database went through, in the order of commits."""
        return [write for commit in self.commits for write in commit.writes]

    def stamp(self) -> set[str]:
        """As backend/storage/feed.py: whole transactions, in the order of their last line. Whose data changed."""
        if not self.unstamped:
            return set()
        last: dict[int, int] = {}
        for line in self.unstamped:
            last[line.xid] = max(last.get(line.xid, 0), line.log_id)
        fresh = sorted(self.unstamped, key=lambda line: (last[line.xid], line.log_id))
        self.unstamped = []
        for line in fresh:
            self.data.head += 1
            line.seq = self.data.head
        self.stamped += fresh
        return {scope for line in fresh for scope in line.scopes if scope}

    def prune(self, keep: int) -> None:
        """Forget all numbered changes but the newest `keep`."""
        gone = max(0, len(self.stamped) - keep)
        if gone:
            self.data.floor = self.stamped[gone - 1].seq or 0
            del self.stamped[:gone]

    def rewind(self, commits: int) -> int:
        """Lose the last `commits` (a failover, a restored backup): another life begins. How many were lost."""
        lost = 0
        while self.commits and lost < commits:
            for step in reversed(self.commits.pop().undo):
                step()
            lost += 1
        alive = {id(line) for line in self.data.log}
        self.stamped = [line for line in self.stamped if id(line) in alive]
        self.unstamped = [line for line in self.unstamped if id(line) in alive]
        self.data.head = max((line.seq or 0 for line in self.stamped), default=self.data.floor)
        self.data.begin_life(self.now_ms)
        self.locked.clear()
        return lost

    def visible(self, scopes: Collection[str]) -> dict[Key, Stored]:
        """What these locations hold now, deleted rows left out."""
        return {key: row for key, row in self.data.rows.items() if not row.deleted and row.scope in scopes}
