"""Between a row of SQLite and its values: true and false, JSON, and fields that only a newer app knows."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any, TypeVar

from domain import tables, values
from domain.tables import Table, Type
from storage import database, documents

T = TypeVar("T")
Convert = Callable[[Any], Any]


_JSON = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def dumps(value: object) -> str:
    """The one way JSON is written on the device: equal values are equal text."""
    return _JSON.encode(value)


def get(reads: database.Reads, table: Table, row_id: str) -> tuple[int, dict[str, Any]] | None:
    """Version and values (as on the wire) of a row as the person sees it."""
    row = reads.row(_select(table.name), (row_id,))
    return None if row is None else (row["_ver"], read(table, row))


def read(table: Table, row: sqlite3.Row) -> dict[str, Any]:
    """Values as on the wire, the unknown ones included."""
    found: dict[str, Any] = {}
    for name, convert in _shape(table.name).from_sql:
        value = row[name]
        found[name] = value if value is None or convert is None else convert(value)
    if row["extra"] != "{}":
        found.update(json.loads(row["extra"]))
    return found


def write(tx: database.Transaction, table: Table, row_id: str, ver: int, row: Mapping[str, Any]) -> None:
    """Insert or replace the whole row."""
    tx.execute(upsert_sql(table.name), record(table, row_id, ver, row))
    tx.touch(table.name)


def change(
    tx: database.Transaction,
    table: Table,
    row_id: str,
    row: Mapping[str, Any],
    *,
    ver: int,
    before: Mapping[str, Any],
) -> None:
    """Write the columns in which `row` differs from `before`, what is stored now: few pages are touched then."""
    changed = [name for name in row if row[name] != before.get(name)]
    if len(row) < len(before) or not all(name in table.by_name for name in changed):
        write(tx, table, row_id, ver, row)
        return
    into = _shape(table.name).into
    fresh = [
        into[name](row[name]) if name in into and row[name] is not None else row[name] for name in changed
    ]
    tx.execute(_update_sql(table.name, tuple(changed)), (*fresh, ver, row_id))
    tx.touch(table.name)


@cache
def _update_sql(name: str, changed: tuple[str, ...]) -> str:
    known = documents.BY_TABLE.get(name)
    # A row whose words change waits for a new line in the search index.
    line = ", _rid = NULL" if known and set(changed) & set(known.fields) else ""
    sets = "".join(f"{column} = ?, " for column in changed)
    return f"UPDATE {name} SET {sets}_ver = ?{line} WHERE id = ?"  # noqa: S608 - names of the registry


def remove(tx: database.Transaction, table: Table, row_id: str) -> None:
    if tx.execute(f"DELETE FROM {table.name} WHERE id = ?", (row_id,)):  # noqa: S608 - a name of the registry
        tx.touch(table.name)


def record(table: Table, row_id: str, ver: int, row: Mapping[str, Any]) -> list[Any]:
    """The row as `upsert_sql` wants it."""
    shape = _shape(table.name)
    made = [row_id, *map(row.get, shape.columns)]
    for place, convert in shape.to_sql:
        if made[place] is not None:
            made[place] = convert(made[place])
    unknown = row.keys() - table.by_name.keys()
    made += [ver, dumps({name: row[name] for name in unknown}) if unknown else "{}"]
    return made


@dataclass(frozen=True, slots=True)
class _Shape:
    """What of a table's columns needs converting, worked out once."""

    columns: tuple[str, ...]
    to_sql: tuple[tuple[int, Convert], ...]
    into: Mapping[str, Convert]
    from_sql: tuple[tuple[str, Convert | None], ...]
    to_python: tuple[tuple[str, Convert | None], ...]


@cache
def _shape(name: str) -> _Shape:
    table = tables.BY_NAME[name]
    into: dict[Type, Convert] = {Type.JSON: dumps, Type.BOOL: int}
    out: dict[Type, Convert] = {Type.JSON: json.loads, Type.BOOL: bool}
    return _Shape(
        columns=table.columns,
        to_sql=tuple((i, into[f.type]) for i, f in enumerate(table.fields, 1) if f.type in into),
        into={f.name: into[f.type] for f in table.fields if f.type in into},
        from_sql=tuple((f.name, out.get(f.type)) for f in table.fields),
        to_python=tuple((f.name, _PYTHON.get(f.type)) for f in table.fields),
    )


@cache
def upsert_sql(name: str, *, guarded: bool = False) -> str:
    """`guarded`: an older version never overwrites a newer one."""
    columns = ("id", *tables.BY_NAME[name].columns, "_ver", "extra")
    sets = ", ".join(f"{column} = excluded.{column}" for column in columns[1:])
    if known := documents.BY_TABLE.get(name):
        same = " AND ".join(f"{name}.{column} IS excluded.{column}" for column in known.fields)
        sets += f", _rid = CASE WHEN {same} THEN {name}._rid END"
    marks = ", ".join("?" * len(columns))
    guard = f" WHERE excluded._ver > {name}._ver" if guarded else ""
    return (
        f"INSERT INTO {name} ({', '.join(columns)}) VALUES ({marks}) "  # noqa: S608 - names of the registry
        f"ON CONFLICT (id) DO UPDATE SET {sets}{guard}"
    )


@cache
def _select(name: str) -> str:
    return f"SELECT * FROM {name} WHERE id = ?"  # noqa: S608 - a name of the registry


def as_values(kind: type[T], table: Table, rows: Iterable[sqlite3.Row]) -> list[T]:
    """Rows as frozen dataclasses (with all of the table's fields) and Python's types: aware times, dates, tuples."""
    make: Any = kind
    shape = _shape(table.name).to_python
    made = []
    for row in rows:
        known: dict[str, Any] = {}
        for name, convert in shape:
            value = row[name]
            known[name] = value if value is None or convert is None else convert(value)
        made.append(make(id=row["id"], ver=row["_ver"], **known))
    return made


def _frozen(text: str) -> Any:
    value = json.loads(text)
    return tuple(value) if isinstance(value, list) else value


_PYTHON: Mapping[Type, Convert] = {
    Type.BOOL: bool,
    Type.TIME: values.parse_time,
    Type.DATE: date.fromisoformat,
    Type.JSON: _frozen,
}
