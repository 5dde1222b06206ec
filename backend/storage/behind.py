"""Writes that wait for each other, so that many rows are one statement: a push of 200 changes is a few round trips.

What a row will be is known beforehand (its lock is held, and the triggers' rules are simple); each statement's answer is
compared with that.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from backend.storage import pool, rows
from domain import tables
from domain.tables import Type

if TYPE_CHECKING:
    from backend.storage.pool import Connection

Values = Mapping[str, Any]
_ARRAYS = {
    Type.TEXT: "text",
    Type.ID: "uuid",
    Type.INT: "bigint",
    Type.REAL: "float8",
    Type.BOOL: "boolean",
    Type.TIME: "timestamptz",
    Type.DATE: "date",
    Type.JSON: "text",  # a list among the values would be read as another dimension of the array
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Write:
    """`given` into a row, as `actor_id` from `origin`. `edit_ms` None: the row is new."""

    after: rows.Stored
    given: Values
    actor_id: str
    origin: str
    edit_ms: int | None

    @property
    def alike(self) -> tuple[object, ...]:
        """Writes that may be one statement."""
        return (
            self.edit_ms is None,
            self.after.table.name,
            tuple(self.given),
            self.actor_id,
            self.origin,
        )


@dataclass(slots=True)
class Behind:
    """Writes to come, in waves: each row at most once in a wave. `ver_floor`: see feed.Head; None = not known yet."""

    ver_floor: int | None = None
    waves: list[list[Write]] = field(default_factory=list)
    _last: dict[tuple[str, str], int] = field(default_factory=dict)

    def insert(
        self,
        table: tables.Table,
        row_id: str,
        given: Values,
        *,
        actor_id: str,
        origin: str,
        edit_ms: int = 0,
    ) -> rows.Stored:
        values = {**dict.fromkeys(table.columns), **given}
        fver = rows.made(actor_id=actor_id, origin=origin, edit_ms=edit_ms)
        after = rows.Stored(table=table, id=row_id.lower(), ver=1, fver=fver, deleted=False, values=values)
        self._add(Write(after=after, given=given, actor_id=actor_id, origin=origin, edit_ms=None))
        return after

    def update(
        self, row: rows.Stored, given: Values, *, actor_id: str, origin: str, edit_ms: int
    ) -> rows.Stored:
        changed = {name: value for name, value in given.items() if row.values[name] != value}
        if not changed:
            return row
        ver = max(row.ver + 1, self.ver_floor or 0)
        entry = [ver, edit_ms, actor_id or None, origin or None]
        after = replace(
            row,
            ver=ver,
            fver={**row.fver, **dict.fromkeys(changed, entry)},
            values={**row.values, **changed},
        )
        self._add(Write(after=after, given=changed, actor_id=actor_id, origin=origin, edit_ms=edit_ms))
        return after

    def forget(self) -> None:
        self.waves.clear()
        self._last.clear()

    async def flush(self, connection: Connection) -> None:
        """Raises: asyncpg's errors; ValueError when a row is not what it should be."""
        waves = list(self.waves)
        self.forget()
        for wave in waves:
            alike: defaultdict[tuple[object, ...], list[Write]] = defaultdict(list)
            for write in wave:
                alike[write.alike].append(write)
            for some in alike.values():
                await rows.act_as(connection, actor_id=some[0].actor_id, origin=some[0].origin)
                await (_insert if some[0].edit_ms is None else _update)(connection, some)

    def _add(self, write: Write) -> None:
        key = (write.after.table.name, write.after.id)
        place = self._last.get(key, -1) + 1
        self._last[key] = place
        if place == len(self.waves):
            self.waves.append([])
        self.waves[place].append(write)


async def _insert(connection: Connection, some: Sequence[Write]) -> None:
    table, names = some[0].after.table, list(some[0].given)
    listed = ", ".join(["id", *names, "_fver"])
    sql = (
        f"INSERT INTO {table.name} ({listed}) SELECT g.id, {_read(table, names)}, g._more::jsonb"  # noqa: S608
        f" FROM {_given(table, names, more='text')}"
    )
    marks = [pool.dumped(write.after.fver) for write in some]
    await connection.execute(sql, *_columns(table, names, some), marks)


async def _update(connection: Connection, some: Sequence[Write]) -> None:
    table, names = some[0].after.table, list(some[0].given)
    values = _read(table, names).split(", ")
    sets = ", ".join(f"{name} = {value}" for name, value in zip(names, values, strict=True))
    # The edit time rides along in the row: the trigger takes it out again (migration 006).
    sql = (
        f"UPDATE {table.name} t SET {sets}, _fver = t._fver || jsonb_build_object('@', g._more)"  # noqa: S608
        f" FROM {_given(table, names, more='bigint')} WHERE t.id = g.id RETURNING t.id, t._ver"
    )
    times = [write.edit_ms for write in some]
    done = await connection.fetch(sql, *_columns(table, names, some), times)
    if {tuple(row) for row in done} != {(write.after.id, write.after.ver) for write in some}:
        raise ValueError("a row is not what it was when it was locked")


def _given(table: tables.Table, names: Sequence[str], *, more: str) -> str:
    types = ["uuid", *(_ARRAYS[table.by_name[name].type] for name in names), more]
    marks = ", ".join(f"${place}::{kind}[]" for place, kind in enumerate(types, 1))
    return f"unnest({marks}) AS g ({', '.join(['id', *names, '_more'])})"


def _read(table: tables.Table, names: Sequence[str]) -> str:
    return ", ".join(
        f"g.{name}::jsonb" if table.by_name[name].type is Type.JSON else f"g.{name}" for name in names
    )


def _columns(table: tables.Table, names: Sequence[str], some: Sequence[Write]) -> list[list[Any]]:
    return [
        [write.after.id for write in some],
        *([_native(table.by_name[name].type, write.given[name]) for write in some] for name in names),
    ]


def _native(kind: Type, value: Any) -> Any:
    if kind is Type.JSON:
        return None if value is None else pool.dumped(value)
    return rows.native(kind, value)
