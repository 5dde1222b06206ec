"""Brings a store to this release's tables: migrations/*.sql in order, each with its record in one transaction."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import sqlite_utils
from sqlite_utils.migrations import Migrations

from domain import errors

FOLDER = Path(__file__).parent / "migrations"
MISSING_INDEXES = "missing_indexes"
_SET = "store"


def apply(connection: sqlite3.Connection, folder: Path = FOLDER) -> None:
    """Run what is missing; all of it or nothing. Raises: sqlite3.Error."""
    if not missing(connection, folder):
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        # Inside our transaction each of sqlite-utils' becomes a savepoint.
        _migrations(folder).apply(_tools(connection))
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def restore_indexes(connection: sqlite3.Connection) -> None:
    """What a first load had put aside (storage/indexes.py) when the app ended. Raises: sqlite3.Error."""
    found = connection.execute("SELECT v FROM sync_state WHERE k = ?", (MISSING_INDEXES,)).fetchone()
    if not found or found[0] == "[]":
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        for statement in json.loads(found[0]):
            connection.execute(statement)
        connection.execute("DELETE FROM sync_state WHERE k = ?", (MISSING_INDEXES,))
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def missing(connection: sqlite3.Connection, folder: Path = FOLDER) -> list[str]:
    done = _done(connection)
    return [path.stem for path in _files(folder) if path.stem not in done]


def refuse_newer(connection: sqlite3.Connection, path: Path, folder: Path = FOLDER) -> None:
    """Raises: StoreTooNewError when the file had a migration that this release doesn't know."""
    unknown = _done(connection) - {file.stem for file in _files(folder)}
    if unknown:
        raise errors.StoreTooNewError(
            f"This store was written by a newer version of the app ({max(unknown)}).",
            where=str(path),
            hint="Nothing was changed. Update the app on this device, then open it again.",
        )


def statements(script: str) -> Iterator[str]:
    """The script's statements one by one: executescript() would commit what is open."""
    waiting = ""
    for line in script.splitlines(keepends=True):
        waiting += line
        if line.rstrip().endswith(";") and sqlite3.complete_statement(waiting):
            yield waiting.strip()
            waiting = ""
    if any(line.strip() and not line.strip().startswith("--") for line in waiting.splitlines()):
        raise ValueError("the last statement has no end")


def _files(folder: Path) -> list[Path]:
    return sorted(folder.glob("[0-9]*.sql"))


def _migrations(folder: Path) -> Migrations:
    known = Migrations(_SET)
    for path in _files(folder):
        known(name=path.stem)(_step(path))
    return known


def _step(path: Path) -> Callable[[sqlite_utils.Database], None]:
    def run(tools: sqlite_utils.Database, /) -> None:
        for statement in statements(path.read_text(encoding="utf-8")):
            tools.conn.execute(statement)

    return run


def _done(connection: sqlite3.Connection) -> set[str]:
    if not connection.execute(
        "SELECT 1 FROM sqlite_schema WHERE name = ?", (Migrations.migrations_table,)
    ).fetchone():
        return set()
    return {
        row[0]
        for row in connection.execute("SELECT name FROM _sqlite_migrations WHERE migration_set = ?", (_SET,))
    }


def _tools(connection: sqlite3.Connection) -> sqlite_utils.Database:
    return sqlite_utils.Database(connection, recursive_triggers=False, execute_plugins=False)
