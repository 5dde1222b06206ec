"""Between a row of SQLite and its values: true and false, JSON, and fields that only a newer app knows."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any, TypeVar

from domain import tables, values
from domain.tables import Table, Type
from storage import database, documents

T = TypeVar("T")
Convert = Callable[[Any], Any]
Found = tuple[str, int, dict[str, Any]]


_JSON = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def dumps(value: object) -> str:
    """The one way JSON is written on the device: equal values are equal text."""
    return _JSON.encode(value)


def get(reads: database.Reads, table: Table, row_id: str) -> tuple[int, dict[str, Any]] | None:
    """Version and values (as on the wire) of a row as the person sees it."""
    found = reads.row(_select(table.name), (row_id,))
    if found is None:
        return None
    return found[-2], _values(table, found[1:-2], found[-1])


def each(reads: database.Reads, table: Table, condition: str, params: Sequence[Any] = ()) -> Iterator[Found]:
    """(id, version, values) of all rows that meet an SQL condition."""
    for found in reads.each(f"{_all(table.name)} WHERE {condition}", params):
        yield found[0], found[-2], _values(table, found[1:-2], found[-1])


def read(table: Table, row: sqlite3.Row) -> dict[str, Any]:
    """Values as on the wire of a row with all columns, the unknown fields included."""
    found = dict(zip(row.keys(), row, strict=True))
    return _values(table, [found[name] for name in table.columns], found["extra"])


def _values(table: Table, row: Sequence[Any], extra: str) -> dict[str, Any]:
    shape = _shape(table.name)
    # By position: SQLite's rows look through all names for each name.
    found = dict(zip(shape.columns, row, strict=True))
    for name, convert in shape.from_sql:
        if found[name] is not None:
            found[name] = convert(found[name])
    if extra != "{}":
        found.update(json.loads(extra))
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
    # Most values are the very same object: `is` is cheap.
    changed = [
        name
        for name, value in row.items()
        if (old := before.get(name)) is not value and (old != value or name not in before)
    ]
    if len(row) < len(before) or not all(name in table.by_name for name in changed):
        write(tx, table, row_id, ver, row)
        return
    into = _shape(table.name).into
    fresh = [
        into[name](row[name]) if name in into and row[name] is not None else row[name] for name in changed
    ]
    tx.execute(_update_sql(table.name, tuple(changed)), (*fresh, ver, row_id))
    tx.touch(table.name)


def fill(
    tx: database.Transaction,
    table: Table,
    names: tuple[str, ...],
    found: Iterable[tuple[str, int, Mapping[str, Any]]],
) -> int:
    """Write these columns of rows that are there, (id, version, values); rows written."""
    into = _shape(table.name).into

    def fresh(row: Mapping[str, Any]) -> list[Any]:
        return [into[n](row[n]) if n in into and row[n] is not None else row[n] for n in names]

    made = ((*fresh(row), ver, row_id) for row_id, ver, row in found)
    written = tx.executemany(_update_sql(table.name, names), made)
    tx.touch(table.name)
    return written


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
    from_sql: tuple[tuple[str, Convert], ...]
    to_python: tuple[tuple[str, Convert], ...]


@cache
def _shape(name: str) -> _Shape:
    table = tables.BY_NAME[name]
    into: dict[Type, Convert] = {Type.JSON: dumps, Type.BOOL: int}
    out: dict[Type, Convert] = {Type.JSON: json.loads, Type.BOOL: bool}
    return _Shape(
        columns=table.columns,
        to_sql=tuple((i, into[f.type]) for i, f in enumerate(table.fields, 1) if f.type in into),
        into={f.name: into[f.type] for f in table.fields if f.type in into},
        from_sql=tuple((f.name, out[f.type]) for f in table.fields if f.type in out),
        to_python=tuple((f.name, _PYTHON[f.type]) for f in table.fields if f.type in _PYTHON),
    )


@cache
def upsert_sql(name: str) -> str:
    columns = ("id", *tables.BY_NAME[name].columns, "_ver", "extra")
    sets = ", ".join(f"{column} = excluded.{column}" for column in columns[1:])
    if line := documents.kept_line(name):
        sets += f", {line}"
    marks = ", ".join("?" * len(columns))
    return (
        f"INSERT INTO {name} ({', '.join(columns)}) VALUES ({marks}) "  # noqa: S608 - names of the registry
        f"ON CONFLICT (id) DO UPDATE SET {sets}"
    )


@cache
def _select(name: str) -> str:
    return f"{_all(name)} WHERE id = ?"


@cache
def _all(name: str) -> str:
    columns = ", ".join(("id", *tables.BY_NAME[name].columns, "_ver", "extra"))
    return f"SELECT {columns} FROM {name}"  # noqa: S608 - names of the registry


def as_values(kind: type[T], table: Table, rows: Iterable[sqlite3.Row]) -> list[T]:
    """Rows as frozen dataclasses (with all of the table's fields) and Python's types: aware times, dates, tuples."""
    make: Any = kind
    made = []
    places: dict[str, int] = {}
    for row in rows:
        # By position: SQLite's rows look through all names for each name.
        places = places or {name: place for place, name in enumerate(row.keys())}
        known = {name: row[places[name]] for name in table.columns}
        for name, convert in _shape(table.name).to_python:
            if known[name] is not None:
                known[name] = convert(known[name])
        made.append(make(id=row[places["id"]], ver=row[places["_ver"]], **known))
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
