"""Batches of imported rows: copied into a temporary table, then new ones inserted and old ones brought up to date.

A unit of fields is only overwritten where the file says something, and nobody has edited it in the app since
(`_fver` names who changed a field last; imports write under an id of their own). An opt-out is never taken back.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from backend.storage import kin
from domain import tables

if TYPE_CHECKING:
    from backend.storage import users
    from backend.storage.pool import Connection

ACTOR = str(uuid.uuid5(uuid.NAMESPACE_URL, "jorge:import"))
_COPY_TYPES = {
    tables.Type.INT: "bigint",
    tables.Type.REAL: "double precision",
    tables.Type.BOOL: "boolean",
    tables.Type.TIME: "timestamptz",
    tables.Type.DATE: "date",
}
_CASTS = {tables.Type.ID: "::uuid", tables.Type.JSON: "::jsonb"}
_ONLY_FORWARD = frozenset({"last_inbound_at", "last_touch_at"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """The table, its columns in the rows' order, and what is written at the first import only."""

    table: tables.Table
    columns: tuple[str, ...]
    insert_only: frozenset[str]
    defaults: Mapping[str, str]

    def kind(self, column: str) -> tables.Type:
        return tables.Type.ID if column == "id" else self.table.by_name[column].type


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """What became of a batch; `repeats` are (line, line of the first row with the same id)."""

    inserted: int
    updated: int
    repeats: Sequence[tuple[int, int]]


async def prepare(connection: Connection, target: Target) -> None:
    """The temporary tables of one import, on a connection that it keeps."""
    columns = ", ".join(
        f'"{column}" {_COPY_TYPES.get(target.kind(column), "text")}' for column in target.columns
    )
    await finish(connection)
    await connection.execute(
        f"CREATE TEMP TABLE import_rows (line bigint NOT NULL, {columns}) ON COMMIT DELETE ROWS"
    )
    await connection.execute(
        "CREATE TEMP TABLE import_seen (external_id text PRIMARY KEY, line bigint NOT NULL)"
    )


async def finish(connection: Connection) -> None:
    await connection.execute("DROP TABLE IF EXISTS pg_temp.import_rows, pg_temp.import_seen")


async def store(
    connection: Connection, target: Target, location_id: str, rows: Sequence[tuple[Any, ...]]
) -> Stored:
    """One batch, one transaction; each row starts with its line."""
    async with connection.transaction():
        await _settings(connection)
        await connection.copy_records_to_table(
            "import_rows", records=rows, columns=["line", *target.columns], timeout=300
        )
        repeats = await _drop_repeats(connection)
        updated = await connection.execute(update_sql(target), location_id, ACTOR, timeout=300)
        inserted = await connection.execute(insert_sql(target), location_id, timeout=300)
        if target.table is tables.LEADS:
            await kin.opt_out_imported(connection)
    return Stored(inserted=_count(inserted), updated=_count(updated), repeats=repeats)


async def _settings(connection: Connection) -> None:
    """The batch is small and the table may be large: always go by the index."""
    await connection.execute(
        f"""SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off; SET LOCAL enable_seqscan = off;
            SET LOCAL synchronous_commit = off; SET LOCAL app.actor = '{ACTOR}'"""
    )


async def _drop_repeats(connection: Connection) -> list[tuple[int, int]]:
    """A file that names somebody twice: the first row counts, in every run the same one."""
    await connection.execute(
        """INSERT INTO import_seen SELECT external_id, min(line) FROM import_rows GROUP BY external_id
           ON CONFLICT DO NOTHING"""
    )
    rows = await connection.fetch(
        """DELETE FROM import_rows r USING import_seen s
           WHERE s.external_id = r.external_id AND s.line <> r.line RETURNING r.line, s.line AS first"""
    )
    return sorted((row["line"], row["first"]) for row in rows)


def insert_sql(target: Target) -> str:
    """Rows that are not there yet. $1: the location."""
    values = ", ".join(_value(target, column, default=True) for column in target.columns)
    return f"""INSERT INTO {target.table.name} (location_id, {_names(target.columns)})
               SELECT $1::uuid, {values} FROM import_rows i
               ON CONFLICT (location_id, external_id) WHERE external_id IS NOT NULL DO NOTHING"""  # noqa: S608


def update_sql(target: Target) -> str:
    """Rows that are there and differ. $1: the location, $2: the importer's id."""
    units: dict[str, list[str]] = {}
    for column in target.columns:
        if column not in target.insert_only | {"external_id"}:
            units.setdefault(target.table.by_name[column].unit, []).append(column)
    tests = {unit: _may_write(target, columns) for unit, columns in units.items()}
    sets = ", ".join(
        f"{column} = CASE WHEN {tests[unit]} THEN {_value(target, column)} ELSE t.{column} END"
        for unit, columns in units.items()
        for column in columns
    )
    differs = " OR ".join(
        f"({tests[unit]} AND ({', '.join(f't.{c}' for c in columns)}) IS DISTINCT FROM"
        f" ({', '.join(_value(target, c) for c in columns)}))"
        for unit, columns in units.items()
    )
    # LATERAL … LIMIT 1 makes the planner go by the index of external ids, whatever its statistics say.
    return f"""UPDATE {target.table.name} t SET {sets}
               FROM import_rows i CROSS JOIN LATERAL (
                   SELECT x.id FROM {target.table.name} x
                   WHERE x.location_id = $1::uuid AND x.external_id = i.external_id AND x._deleted_at IS NULL
                   LIMIT 1) o
               WHERE t.id = o.id AND ({differs})"""  # noqa: S608


def _may_write(target: Target, columns: Sequence[str]) -> str:
    """The file says something of this unit, and its fields were last written by an import."""
    if columns[0] == "opted_out":
        return "(i.opted_out AND t.opted_out IS NOT TRUE)"
    given = " OR ".join(f"i.{column} IS NOT NULL" for column in columns)
    tests = [f"({given})"]
    tests += [
        f"(NOT t._fver ? '{column}' OR t._fver #>> '{{{column},2}}' = $2)"
        for column in _unit(target, columns)
    ]
    tests += [f"(t.{c} IS NULL OR i.{c} > t.{c})" for c in columns if c in _ONLY_FORWARD]
    return f"({' AND '.join(tests)})"


def _unit(target: Target, columns: Sequence[str]) -> Sequence[str]:
    return target.table.unit_fields(target.table.by_name[columns[0]].unit)


def _value(target: Target, column: str, *, default: bool = False) -> str:
    value = f"i.{column}{_CASTS.get(target.kind(column), '')}"
    fallback = target.defaults.get(column)
    return f"coalesce({value}, {fallback})" if default and fallback else value


def _names(columns: Sequence[str]) -> str:
    return ", ".join(columns)


def _count(status: str) -> int:
    """`INSERT 0 12` → 12."""
    return int(status.rsplit(" ", 1)[1])


async def agents(connection: Connection, location_id: str) -> Mapping[str, str]:
    """User ids of a location's people, by lower-case name and e-mail."""
    rows = await connection.fetch(
        """SELECT u.id, lower(u.email) AS email, lower(u.name) AS name FROM users u
           JOIN user_locations g ON g.user_id = u.id WHERE g.location_id = $1 AND u.disabled_at IS NULL""",
        location_id,
    )
    return {row[key]: row["id"] for row in rows for key in ("name", "email")}


async def place_office(
    connection: Connection, office: users.Location, middle: tuple[float, float] | None
) -> None:
    """State, zone and middle of an office that had none."""
    lat, lon = middle or (None, None)
    await connection.execute(
        """UPDATE locations SET state = $2, zone = $3, lat = coalesce(lat, $4), lon = coalesce(lon, $5)
           WHERE id = $1""",
        office.id,
        office.state,
        office.zone,
        lat,
        lon,
    )


async def analyze(connection: Connection, target: Target) -> None:
    """Fresh statistics after a large import, so that the first screens are fast."""
    await connection.execute(f"ANALYZE {target.table.name}", timeout=300)
