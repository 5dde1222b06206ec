"""The demo's rows on their way into PostgreSQL, and whether a database is empty."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import orjson

from domain import tables as synced

if TYPE_CHECKING:
    from backend.storage.pool import Connection

_LOCK = 7_305_801_845
_JSON = frozenset({"answers", "tags", "proposals"})
_UUIDS = frozenset({"id", "location_id", "lead_id", "agent_id", "property_id", "user_id"})
_SQL_TYPES = {
    synced.Type.INT: "bigint",
    synced.Type.REAL: "double precision",
    synced.Type.BOOL: "boolean",
    synced.Type.TIME: "timestamptz",
    synced.Type.DATE: "date",
}
_UNSYNCED = {"at": "timestamptz", "value": "double precision"}


async def lock(connection: Connection) -> None:
    """Only one demo at a time; held until the transaction ends."""
    await connection.execute("SELECT pg_advisory_xact_lock($1)", _LOCK)


async def content(connection: Connection) -> str:
    """empty, demo (only demo locations and users), or real."""
    found: str = await connection.fetchval(
        """SELECT CASE
             WHEN EXISTS (SELECT FROM locations WHERE NOT demo) OR EXISTS (SELECT FROM users WHERE NOT demo)
               OR EXISTS (SELECT FROM leads l JOIN locations o ON o.id = l.location_id WHERE NOT o.demo)
             THEN 'real'
             WHEN EXISTS (SELECT FROM locations) OR EXISTS (SELECT FROM users) THEN 'demo'
             ELSE 'empty' END"""
    )
    return found


async def locations(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    await connection.executemany(
        """INSERT INTO locations (id, created_at, name, state, zone, lat, lon, demo)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8)""",
        [tuple(row[name] for name in _LOCATION) for row in rows],
    )


async def opened(connection: Connection) -> datetime:
    """When the demo's offices did."""
    at: datetime = await connection.fetchval("SELECT min(created_at) FROM locations")
    return at


_LOCATION = ("id", "created_at", "name", "state", "zone", "lat", "lon", "demo")


async def tables(connection: Connection, by_name: Mapping[str, Sequence[Mapping[str, Any]]]) -> int:
    """Copies every table; how many rows. COPY is binary and our uuid and json travel as text: so by way of a copy."""
    total = 0
    for table, rows in by_name.items():
        if rows:
            await _copy(connection, table, rows)
            total += len(rows)
    return total


async def _copy(connection: Connection, table: str, rows: Sequence[Mapping[str, Any]]) -> None:
    columns = tuple(rows[0])
    types = {column: _sql_type(table, column) for column in columns}
    spec = ", ".join(f"{column} {types[column]}" for column in columns)
    await connection.execute(f"CREATE TEMP TABLE demo_rows ({spec}) ON COMMIT DROP")
    await connection.copy_records_to_table(
        "demo_rows", records=[_record(row, columns) for row in rows], columns=list(columns)
    )
    values = ", ".join(f"{column}{_cast(column)}" for column in columns)
    await connection.execute(
        f"INSERT INTO {table} ({', '.join(columns)}) SELECT {values} FROM demo_rows"  # noqa: S608 - fixed names
    )
    await connection.execute("DROP TABLE demo_rows")


def _sql_type(table: str, column: str) -> str:
    known = next((t for t in synced.ALL if t.name == table), None)
    if known is None:
        return _UNSYNCED.get(column, "text")
    return "text" if column == "id" else _SQL_TYPES.get(known.by_name[column].type, "text")


def _cast(column: str) -> str:
    return "::uuid" if column in _UUIDS else "::jsonb" if column in _JSON else ""


def _record(row: Mapping[str, Any], columns: Sequence[str]) -> tuple[Any, ...]:
    return tuple(
        orjson.dumps(row[name]).decode() if name in _JSON and row[name] is not None else row[name]
        for name in columns
    )


async def analyze(connection: Connection) -> None:
    """Fresh statistics, so that the first screens are fast."""
    await connection.execute("ANALYZE")
