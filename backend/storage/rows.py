"""The synced rows in PostgreSQL, read and written in the wire's form (times and dates as text)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from typing import TYPE_CHECKING, Any

from backend.storage import origins
from domain import tables, values, wire
from domain.merge import Change

if TYPE_CHECKING:
    import asyncpg

    from backend.storage.pool import Connection


MADE = "+"
"""Beside the fields in `_fver`: who made the row, when and in which store. An object, not a list: it is no change of a field.
Rows that were made before 2026-11-23, or by the server itself, have none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Maker:
    """Who made a row, when (Unix ms), and in which store (origins.store_of)."""

    by: str | None
    at_ms: int
    store: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """A row as it lies there: version, when each field changed last and from which origin, and its values."""

    table: tables.Table
    id: str
    ver: int
    fver: Mapping[str, Any]
    deleted: bool
    values: Mapping[str, Any]

    @property
    def scope(self) -> str:
        return str(self.values["location_id"])

    def changes(self, *, but_of: str) -> dict[str, Change]:
        """Fields changed since the row was made, but for what `but_of` (the asking device) wrote itself."""
        return {
            name: Change(ver=entry[0], at_ms=entry[1], by=entry[2])
            for name, entry in self.fver.items()
            if name in self.table.by_name and not origins.same_store(entry[3], but_of)
        }

    @property
    def maker(self) -> Maker | None:
        """None: the server itself, or nobody knows any more."""
        mark = self.fver.get(MADE)
        return Maker(by=mark["by"], at_ms=mark["at"], store=mark["in"]) if mark else None

    def on_wire(self) -> wire.Row:
        return wire.Row(
            table=self.table.name,
            id=self.id,
            ver=self.ver,
            values={} if self.deleted else self.values,
            deleted=self.deleted,
        )


def made(*, actor_id: str, origin: str, edit_ms: int) -> dict[str, Any]:
    """`_fver` of a new row."""
    if not origin:
        return {}
    return {MADE: {"by": actor_id or None, "at": edit_ms, "in": origins.store_in(origin)}}


async def act_as(connection: Connection, *, actor_id: str, origin: str) -> None:
    """Who writes in this transaction, for the triggers that stamp and log; `origin`: see origins.py."""
    await connection.execute(
        "SELECT set_config('app.actor', $1, true), set_config('app.device', $2, true)", actor_id, origin
    )


async def lock(connection: Connection, wanted: Collection[tuple[str, str]]) -> dict[tuple[str, str], Stored]:
    """Those of `wanted` (table, id) that exist, locked in one order everywhere so that writers can't entangle."""
    found = {}
    for table in tables.ALL:
        ids = sorted(row_id for name, row_id in wanted if name == table.name)
        if ids:
            sql = (
                f"SELECT {_whole(table)} FROM {table.name} WHERE id = ANY($1::uuid[]) ORDER BY id FOR UPDATE"  # noqa: S608
            )
            for record in await connection.fetch(sql, ids):
                found[(table.name, record["id"])] = _stored(table, record)
    return found


async def get(connection: Connection, table: tables.Table, row_id: str) -> Stored | None:
    sql = f"SELECT {_whole(table)} FROM {table.name} WHERE id = $1"  # noqa: S608
    record = await connection.fetchrow(sql, row_id)
    return _stored(table, record) if record else None


async def where(connection: Connection, table: tables.Table, condition: str, *given: object) -> list[Stored]:
    """Rows, deleted ones too, for which `condition` (SQL of ours) holds."""
    sql = f"SELECT {_whole(table)} FROM {table.name} WHERE {condition}"  # noqa: S608
    return [_stored(table, record) for record in await connection.fetch(sql, *given)]


async def insert(
    connection: Connection, table: tables.Table, row_id: str, given: Mapping[str, Any]
) -> Stored:
    """Raises: asyncpg.IntegrityConstraintViolationError, asyncpg.DataError."""
    names = list(given)
    marks = ", ".join(f"${i}" for i in range(2, len(names) + 2))
    sql = f"INSERT INTO {table.name} (id, {', '.join(names)}) VALUES ($1, {marks}) RETURNING {_whole(table)}"  # noqa: S608
    record = await connection.fetchrow(sql, row_id, *_native(table, given))
    assert record is not None
    return _stored(table, record)


async def update(connection: Connection, row: Stored, given: Mapping[str, Any], *, edit_ms: int) -> Stored:
    """The row after writing `given`; the triggers raise its version, unless nothing changes."""
    if not given:
        return row
    sets = ", ".join(f"{name} = ${i}" for i, name in enumerate(given, 3))
    return await _change(connection, row, sets, edit_ms, _native(row.table, given))


async def delete(connection: Connection, row: Stored, *, edit_ms: int) -> Stored:
    return await _change(connection, row, "_deleted_at = now()", edit_ms, [])


async def restore(connection: Connection, row: Stored, given: Mapping[str, Any], *, edit_ms: int) -> Stored:
    """Bring a deleted row back with the values `given`."""
    sets = ", ".join(["_deleted_at = NULL", *(f"{name} = ${i}" for i, name in enumerate(given, 3))])
    return await _change(connection, row, sets, edit_ms, _native(row.table, given))


async def page(
    connection: Connection,
    table: tables.Table,
    *,
    scopes: Collection[str],
    after: tuple[str, str] | None,
    limit: int,
) -> list[list[Any]]:
    """Rows as lists [id, ver, value …] in (scope, id) order after the pair `after`."""
    scope, row_id = after or ("00000000-0000-0000-0000-000000000000",) * 2
    sql = (
        f"SELECT {_listed(table)} FROM {table.name} WHERE location_id = ANY($1::uuid[]) AND _deleted_at IS NULL"  # noqa: S608
        " AND (location_id, id) > ($2::uuid, $3::uuid) ORDER BY location_id, id LIMIT $4"
    )
    return [list(record) for record in await connection.fetch(sql, list(scopes), scope, row_id, limit)]


async def visible(
    connection: Connection, table: tables.Table, ids: Collection[str], *, scopes: Collection[str]
) -> list[list[Any]]:
    """Those of `ids` that live in `scopes` now, as lists, in id order."""
    sql = (
        f"SELECT {_listed(table)} FROM {table.name} WHERE id = ANY($1::uuid[])"  # noqa: S608
        " AND location_id = ANY($2::uuid[]) AND _deleted_at IS NULL ORDER BY id"
    )
    return [list(record) for record in await connection.fetch(sql, list(ids), list(scopes))]


async def changed(
    connection: Connection, table: tables.Table, since: Mapping[str, int], *, scopes: Collection[str]
) -> list[tuple[list[Any], frozenset[str]]]:
    """As `visible`, each row with the names of its fields that changed after its version in `since`."""
    sql = (
        f"SELECT {_listed(table)}, ARRAY(SELECT e.key FROM jsonb_each(_fver) e"  # noqa: S608
        " WHERE (e.value ->> 0)::bigint > g.since) AS changed_names"
        f" FROM {table.name} JOIN unnest($1::uuid[], $2::bigint[]) AS g (row_id, since) ON g.row_id = {table.name}.id"
        f" WHERE {table.name}.location_id = ANY($3::uuid[]) AND _deleted_at IS NULL ORDER BY {table.name}.id"
    )
    found = await connection.fetch(sql, list(since), list(since.values()), list(scopes))
    return [(list(record)[:-1], frozenset(record["changed_names"])) for record in found]


async def count(connection: Connection, scopes: Collection[str]) -> int:
    """How many rows a first sync of `scopes` brings."""
    parts = " UNION ALL ".join(
        f"SELECT count(*) AS n FROM {table.name} WHERE location_id = ANY($1::uuid[]) AND _deleted_at IS NULL"  # noqa: S608
        for table in tables.ALL
    )
    return int(await connection.fetchval(f"SELECT sum(n) FROM ({parts}) AS counts", list(scopes)))  # noqa: S608


async def in_ranges(
    connection: Connection, table: tables.Table, scope: str, ranges: Collection[int]
) -> list[list[Any]]:
    """The rows of one location whose ids end in these bytes (domain/digests.py), as lists in id order."""
    sql = (
        f"SELECT {_listed(table)} FROM {table.name} WHERE location_id = $1 AND _deleted_at IS NULL"  # noqa: S608
        " AND right(id::text, 2) = ANY($2::text[]) ORDER BY id"
    )
    return [
        list(record) for record in await connection.fetch(sql, scope, [f"{number:02x}" for number in ranges])
    ]


async def due(
    connection: Connection, *, agent_id: str, scopes: Collection[str], before: datetime, limit: int
) -> list[tuple[tables.Table, list[list[Any]]]]:
    """Open tasks of this agent due before then, with the leads they are about and those leads' properties."""
    found = await connection.fetch(
        "SELECT id, lead_id FROM tasks WHERE agent_id = $1 AND location_id = ANY($2::uuid[]) AND done_at IS NULL"
        " AND due_at < $3 AND _deleted_at IS NULL ORDER BY due_at, id LIMIT $4",
        agent_id,
        list(scopes),
        before,
        limit,
    )
    leads = [row["lead_id"] for row in found if row["lead_id"]]
    homes = await connection.fetch("SELECT id FROM properties WHERE lead_id = ANY($1::uuid[])", leads)
    wanted = {
        tables.LEADS: leads,
        tables.TASKS: [row["id"] for row in found],
        tables.PROPERTIES: [row["id"] for row in homes],
    }
    shown = [
        (table, await visible(connection, table, ids, scopes=scopes)) for table, ids in wanted.items() if ids
    ]
    return [(table, some) for table, some in shown if some]


async def _change(
    connection: Connection, row: Stored, sets: str, edit_ms: int, given: Sequence[Any]
) -> Stored:
    # The edit time rides along in the same statement: one round trip a mutation.
    sql = (
        "WITH said AS MATERIALIZED (SELECT set_config('app.edit_ms', $2, true))"  # noqa: S608
        f" UPDATE {row.table.name} SET {sets} FROM said WHERE id = $1 RETURNING {_whole(row.table)}"
    )
    record = await connection.fetchrow(sql, row.id, str(edit_ms), *given)
    return _stored(row.table, record) if record else row


def _stored(table: tables.Table, record: asyncpg.Record) -> Stored:
    return Stored(
        table=table,
        id=record["id"],
        ver=record["_ver"],
        fver=record["_fver"],
        deleted=record["_deleted_at"] is not None,
        values={name: record[name] for name in table.columns},
    )


def _listed(table: tables.Table) -> str:
    return _columns(table.name)


def _whole(table: tables.Table) -> str:
    return f"{_columns(table.name)}, _fver, _deleted_at"


@cache
def _columns(name: str) -> str:
    return ", ".join([f"{name}.id", "_ver", *(_read(name, column) for column in tables.BY_NAME[name].fields)])


def _read(table: str, column: tables.Field) -> str:
    name = f"{table}.{column.name}"
    match column.type:
        case tables.Type.TIME:
            text = '\'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"\''
            return f"to_char({name} AT TIME ZONE 'UTC', {text}) AS {column.name}"
        case tables.Type.DATE:
            return f"to_char({name}, 'YYYY-MM-DD') AS {column.name}"
        case _:
            return name


def _native(table: tables.Table, given: Mapping[str, Any]) -> list[Any]:
    """Values as asyncpg wants them."""
    return [native(table.by_name[name].type, value) for name, value in given.items()]


def native(kind: tables.Type, value: Any) -> Any:
    """A value as asyncpg wants it."""
    match kind:
        case tables.Type.TIME if value is not None:
            return values.parse_time(value)
        case tables.Type.DATE if value is not None:
            return date.fromisoformat(value)
        case tables.Type.REAL if value is not None:
            return float(value)
        case _:
            return value
