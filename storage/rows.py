"""Between a row of SQLite and its values: true and false, JSON, and fields that only a newer app knows."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping
from datetime import date
from functools import cache
from typing import Any, TypeVar

from domain import tables, values
from domain.tables import Table, Type
from storage import database

T = TypeVar("T")


def dumps(value: object) -> str:
    """The one way JSON is written on the device: equal values are equal text."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def get(reads: database.Reads, table: Table, row_id: str) -> tuple[int, dict[str, Any]] | None:
    """Version and values (as on the wire) of a row as the person sees it."""
    row = reads.row(_select(table.name), (row_id,))
    return None if row is None else (row["_ver"], read(table, row))


def read(table: Table, row: sqlite3.Row) -> dict[str, Any]:
    """Values as on the wire, the unknown ones included."""
    found = {field.name: _from_sql(field.type, row[field.name]) for field in table.fields}
    if row["extra"] != "{}":
        found.update(json.loads(row["extra"]))
    return found


def write(tx: database.Transaction, table: Table, row_id: str, ver: int, row: Mapping[str, Any]) -> None:
    """Insert or replace the whole row."""
    tx.execute(upsert_sql(table.name), record(table, row_id, ver, row))
    tx.touch(table.name)


def remove(tx: database.Transaction, table: Table, row_id: str) -> None:
    if tx.execute(f"DELETE FROM {table.name} WHERE id = ?", (row_id,)):  # noqa: S608 - a name of the registry
        tx.touch(table.name)


def record(table: Table, row_id: str, ver: int, row: Mapping[str, Any]) -> list[Any]:
    """The row as `upsert_sql` wants it."""
    extra = {name: value for name, value in row.items() if name not in table.by_name}
    return [
        row_id,
        *(_to_sql(field.type, row.get(field.name)) for field in table.fields),
        ver,
        dumps(extra) if extra else "{}",
    ]


@cache
def upsert_sql(name: str, *, guarded: bool = False) -> str:
    """`guarded`: an older version never overwrites a newer one."""
    columns = ("id", *tables.BY_NAME[name].columns, "_ver", "extra")
    sets = ", ".join(f"{column} = excluded.{column}" for column in columns[1:])
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
    """Rows as frozen dataclasses with Python's types: aware times, dates, tuples."""
    wanted = [field for field in table.fields if field.name in kind.__dataclass_fields__]  # type: ignore[attr-defined]
    make: Any = kind
    return [
        make(
            id=row["id"],
            ver=row["_ver"],
            **{field.name: python(field.type, row[field.name]) for field in wanted},
        )
        for row in rows
    ]


def python(kind: Type, value: Any) -> Any:
    """A column's value as Python's type."""
    if value is None:
        return None
    match kind:
        case Type.BOOL:
            return bool(value)
        case Type.TIME:
            return values.parse_time(value)
        case Type.DATE:
            return date.fromisoformat(value)
        case Type.JSON:
            return _frozen(json.loads(value))
        case _:
            return value


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _to_sql(kind: Type, value: Any) -> Any:
    if value is None:
        return None
    if kind is Type.JSON:
        return dumps(value)
    if kind is Type.BOOL:
        return int(value)
    return value


def _from_sql(kind: Type, value: Any) -> Any:
    if value is None:
        return None
    if kind is Type.JSON:
        return json.loads(value)
    if kind is Type.BOOL:
        return bool(value)
    return value
