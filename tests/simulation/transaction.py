"""One transaction of the data in memory: writes at once, and knows how to undo it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from backend.storage import conflicts
from backend.storage.history import Span
from backend.storage.mutations import Seen, Sender
from backend.storage.rows import Stored, made
from backend.storage.store import Key, Passing, RefusedByStore
from domain import ids, tables, wire
from tests.simulation.data import Applied, Logged, Write
from tests.simulation.looks import Looks

if TYPE_CHECKING:
    from tests.simulation.memory import Memory

_UNIQUE = frozenset({"leads", "properties"})


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

    async def remember_opt_outs(self, ways: Collection[str]) -> None:
        for way in ways:
            self._set(self._data.opt_outs, way, True)

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

    async def insert(
        self, table: tables.Table, row_id: str, given: Mapping[str, Any], *, edit_ms: int = 0
    ) -> Stored:
        key = (table.name, row_id.lower())
        if key in self._data.rows:
            raise RefusedByStore("there is a row with this id")
        values = {**dict.fromkeys(table.columns), **given}
        self._check_unique(table, key, values)
        fver = made(actor_id=self._actor, origin=self._origin, edit_ms=edit_ms)
        row = Stored(table=table, id=key[1], ver=1, fver=fver, deleted=False, values=values)
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
        return self._data.begin_life(self._memory.now_ms)

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
        ver = max(row.ver + 1, self._data.ver_floor)
        mark = [ver, edit_ms, self._actor or None, self._origin or None]
        after = replace(
            row,
            ver=ver,
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
