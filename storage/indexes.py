"""The secondary indexes of the synced tables: away while an empty store is filled, made again at its end or when it is opened.

Rows in the order of their ids cost a fraction then. What was dropped is remembered in the same transaction, so that a kill
at any moment leaves either an index or the note to make it again. Lists work all the while, a little slower.
"""

from __future__ import annotations

import json

from domain import tables
from storage import cursor, database, rows
from storage.migrate import MISSING_INDEXES

WORTH_IT = 2000
"""Rows of a load from which on it pays."""

_LINES = "%_by_rid"  # the search index needs these with every page


def drop(tx: database.Transaction) -> None:
    """Does nothing where rows are already: other screens may need the indexes for them."""
    if missing(tx) or any(tx.value(f"SELECT 1 FROM {table.name} LIMIT 1") for table in tables.ALL):  # noqa: S608
        return
    found = tx.rows(
        "SELECT name, sql FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL AND name NOT LIKE ?"
        " AND tbl_name IN (SELECT value FROM json_each(?))",
        (_LINES, rows.dumps([table.name for table in tables.ALL])),
    )
    cursor.put(tx, **{MISSING_INDEXES: json.dumps([row["sql"] for row in found])})
    for row in found:
        tx.execute(f"DROP INDEX {row['name']}")


def missing(reads: database.Reads) -> list[str]:
    """The statements that make what is not there."""
    made: list[str] = json.loads(cursor.get(reads, MISSING_INDEXES) or "[]")
    return made


def restore(tx: database.Transaction) -> None:
    """Make again what was dropped."""
    statements = missing(tx)
    for statement in statements:
        tx.execute(statement)
    if statements:
        cursor.put(tx, **{MISSING_INDEXES: "[]"})
