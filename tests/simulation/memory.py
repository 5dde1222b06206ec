"""The server's synced data in memory: `backend.storage.store` without a database, so that the real decisions run on it.

Each commit keeps how to undo it and what it wrote. So the past can be looked at (the history that invariants are
checked against), and come back (a failover that loses commits, a restore to an earlier point).
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime
from typing import Any

from backend.storage import conflicts
from backend.storage.history import Span
from backend.storage.mutations import Seen, Sender
from backend.storage.rows import Stored
from backend.storage.store import Key, Passing, RefusedByStore
from domain import ids, tables, wire
from tests.simulation.data import Applied, Commit, Data, Logged, Write
from tests.simulation.looks import Looks
from tests.simulation.world import Clock, World

_UNIQUE = frozenset({"leads", "properties"})


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
        self.data.lives += 1
        self.data.incarnation = f"life-{self.data.lives}"
        self.locked.clear()
        return lost

    def visible(self, scopes: Collection[str]) -> dict[Key, Stored]:
        """What these locations hold now, deleted rows left out."""
        return {key: row for key, row in self.data.rows.items() if not row.deleted and row.scope in scopes}


class Transaction(Looks):
    """`backend.storage.store.Store`: writes at once, and knows how to undo it."""

    def __init__(self, memory: Memory) -> None:
        super().__init__(memory.data, memory.stamped)
        self._memory = memory
        self._actor = ""
        self._origin = ""
        self._xid = 0
        self._reserved: list[int] = []
        self.undo: list[Callable[[], None]] = []
        self.writes: list[Write] = []
        self.lines: list[Logged] = []

    def undo_all(self, down_to: int = 0, writes: int = 0, lines: int = 0) -> None:
        while len(self.undo) > down_to:
            self.undo.pop()()
        del self.writes[writes:]
        del self.lines[lines:]

    def reserve(self, lines: int) -> None:
        """A long transaction: it took its numbers of the log now, and commits when others have passed it by."""
        self._xid = self._next_xid()
        for _ in range(lines):
            self._data.last_log += 1
            self._reserved.append(self._data.last_log)

    def _next_xid(self) -> int:
        self._data.last_xid += 1
        return self._data.last_xid

    def _next_log(self) -> int:
        if self._reserved:
            return self._reserved.pop(0)
        self._data.last_log += 1
        return self._data.last_log

    async def claim(self, sender: Sender, mutations: Sequence[wire.Mutation]) -> dict[int, Seen]:
        seen = {}
        for mutation in mutations:
            key = (sender.device_id, sender.epoch, mutation.mid)
            if known := self._data.applied.get(key):
                seen[mutation.mid] = known.seen
                continue
            empty = wire.Result(mid=mutation.mid, status=wire.Status.RETRY)
            fresh = Seen(content_hash=mutation.content_hash(), user_id=sender.user_id, result=empty)
            self._set(
                self._data.applied,
                key,
                Applied(mutation=mutation, sender=sender, seen=fresh, at_ms=self._memory.world.now_ms),
            )
        return seen

    async def settle(self, sender: Sender, results: Sequence[wire.Result]) -> None:
        for result in results:
            key = (sender.device_id, sender.epoch, result.mid)
            known = self._data.applied[key]
            kept = replace(known.seen, result=replace(result, row=None))
            self._set(self._data.applied, key, replace(known, seen=kept))

    async def park(self, sender: Sender, mutation: wire.Mutation, result: wire.Result) -> None:
        self._set(self._data.parked, (sender.device_id, sender.epoch, mutation.mid), mutation)

    async def add_alias(self, old_id: str, new_id: str) -> None:
        for known, target in list(self._data.aliases.items()):
            if target == old_id:
                self._set(self._data.aliases, known, new_id)
        self._set(self._data.aliases, old_id, new_id)

    def ended(self, user_id: str, span: Span) -> None:
        """A grant that was taken away."""
        self._set(self._data.grants, user_id, (*self._data.grants.get(user_id, ()), span))

    async def act_as(self, *, actor_id: str, origin: str) -> None:
        self._actor, self._origin = actor_id, origin

    async def lock(self, wanted: Collection[Key]) -> dict[Key, Stored]:
        if self._memory.deadlocks > 0:
            self._memory.deadlocks -= 1
            raise Passing("deadlock")
        if self._memory.locked & set(wanted):
            raise Passing("locked by a long transaction")
        return {key: self._data.rows[key] for key in sorted(wanted) if key in self._data.rows}

    async def insert(self, table: tables.Table, row_id: str, given: Mapping[str, Any]) -> Stored:
        key = (table.name, row_id.lower())
        if key in self._data.rows:
            raise RefusedByStore("there is a row with this id")
        values = {**dict.fromkeys(table.columns), **given}
        self._check_unique(table, key, values)
        row = Stored(table=table, id=key[1], ver=1, fver={}, deleted=False, values=values)
        return self._write(None, row, 0)

    async def update(self, row: Stored, given: Mapping[str, Any], *, edit_ms: int) -> Stored:
        return self._change(row, given, edit_ms, deleted=row.deleted)

    async def delete(self, row: Stored, *, edit_ms: int) -> Stored:
        return self._change(row, {}, edit_ms, deleted=True)

    async def restore(self, row: Stored, given: Mapping[str, Any], *, edit_ms: int) -> Stored:
        return self._change(row, given, edit_ms, deleted=False)

    async def add_conflict(self, row: Stored, record: conflicts.Record, *, now: datetime) -> None:
        before = self._actor, self._origin
        self._origin = ""
        await self.insert(tables.CONFLICTS, ids.new_id(), conflicts.values_of(row, record, now=now))
        self._actor, self._origin = before

    async def renew_incarnation(self, known: str) -> str | None:
        if known != self._data.incarnation:
            return None
        self._data.lives += 1
        self._data.incarnation = f"life-{self._data.lives}"
        return self._data.incarnation

    @asynccontextmanager
    async def savepoint(self) -> AsyncIterator[None]:
        marks = len(self.undo), len(self.writes), len(self.lines)
        try:
            yield
        except BaseException:
            self.undo_all(*marks)
            raise

    def _check_unique(self, table: tables.Table, key: Key, values: Mapping[str, Any]) -> None:
        outer = values.get("external_id")
        if table.name not in _UNIQUE or outer is None:
            return
        for other, row in self._data.rows.items():
            same = other[0] == table.name and row.values["external_id"] == outer
            if other != key and same and row.scope == values["location_id"]:
                raise RefusedByStore("external_id is taken")

    def _change(self, row: Stored, given: Mapping[str, Any], edit_ms: int, *, deleted: bool) -> Stored:
        """As the triggers of the database: a version and a mark for each field that really changed."""
        changed = {name: value for name, value in given.items() if row.values[name] != value}
        if not changed and deleted == row.deleted:
            return row
        mark = [row.ver + 1, edit_ms, self._actor or None, self._origin or None]
        after = replace(
            row,
            ver=row.ver + 1,
            fver={**row.fver, **dict.fromkeys(changed, mark)},
            deleted=deleted,
            values={**row.values, **changed},
        )
        self._check_unique(row.table, (row.table.name, row.id), after.values)
        return self._write(row, after, edit_ms)

    def _moved(self, before: Stored, after: Stored) -> None:
        key = (after.table.name, after.id)
        spans = self._data.moves.get(key, ())
        since = spans[-1].until_ms if spans else 0
        span = Span(scope=before.scope, from_ms=since, until_ms=self._memory.now_ms)
        self._set(self._data.moves, key, (*spans, span))

    def _write(self, before: Stored | None, after: Stored, edit_ms: int) -> Stored:
        memory, data = self._memory, self._data
        if before is not None and before.scope != after.scope:
            self._moved(before, after)
        self._xid = self._xid or self._next_xid()
        line = Logged(
            log_id=self._next_log(),
            xid=self._xid,
            table=after.table.name,
            row_id=after.id,
            ver=after.ver,
            scopes=(_scope(before), _scope(after)),
            origin=self._origin,
            at_ms=memory.world.now_ms,
        )
        data.log.append(line)
        self.undo.append(lambda: _drop_last(data.log))
        self.lines.append(line)
        self._set(data.rows, (after.table.name, after.id), after)
        self.writes.append(
            Write(
                table=after.table.name,
                row_id=after.id,
                before=before,
                after=after,
                origin=self._origin,
                actor=self._actor,
                edit_ms=edit_ms,
                at_ms=memory.world.now_ms,
                received_ms=memory.now_ms,
            )
        )
        return after

    def _set(self, held: dict[Any, Any], key: Any, value: Any) -> None:
        there, before = key in held, held.get(key)
        held[key] = value

        def back() -> None:
            if there:
                held[key] = before
            else:
                del held[key]

        self.undo.append(back)


def _drop_last(lines: list[Logged]) -> None:
    lines.pop()


def _scope(row: Stored | None) -> str | None:
    return None if row is None or row.deleted else row.scope
