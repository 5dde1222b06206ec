"""The device's SQL and the registry of synced tables say the same."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from domain import ids, tables
from domain.tables import Table, Type
from storage import (
    conflicts,
    database,
    deals,
    documents,
    interactions,
    leads,
    locations,
    notes,
    people,
    properties,
    rows,
    tasks,
)

SQL = {Type.INT: "INTEGER", Type.BOOL: "INTEGER", Type.REAL: "REAL"}
VALUES: dict[Type, Any] = {
    Type.TEXT: "text ☃",
    Type.ID: "019a0000-0000-7000-8000-000000000001",
    Type.INT: 2**53,
    Type.REAL: 0.1,
    Type.BOOL: True,
    Type.TIME: "2026-11-22T16:00:00.123Z",
    Type.DATE: "2026-11-22",
    Type.JSON: ["a", {"b": None}],
}
KINDS = {
    "leads": leads.Lead,
    "interactions": interactions.Interaction,
    "tasks": tasks.Task,
    "notes": notes.Note,
    "properties": properties.Property,
    "deals": deals.Deal,
    "people": people.Person,
    "locations": locations.Location,
    "conflicts": conflicts.Conflict,
}
each_table = pytest.mark.parametrize("table", tables.ALL, ids=lambda table: table.name)


@each_table
def test_columns_are_those_of_the_registry(store: database.Database, table: Table) -> None:
    found = {
        row["name"]: (row["type"], bool(row["notnull"]))
        for row in store.rows(f"PRAGMA table_info({table.name})")
    }

    assert found == {
        "id": ("TEXT", True),
        **{f.name: (SQL.get(f.type, "TEXT"), f.required) for f in table.fields},
        "_ver": ("INTEGER", True),
        "extra": ("TEXT", True),
        **({"_rid": ("INTEGER", False)} if table.name in documents.BY_TABLE else {}),
    }


@each_table
def test_a_row_comes_back_as_it_went_in(store: database.Database, table: Table) -> None:
    values = {field.name: VALUES[field.type] for field in table.fields}
    values["of_a_newer_app"] = {"kept": [1, 2]}
    row_id = ids.new_id()

    with store.write_tx() as tx:
        rows.write(tx, table, row_id, 7, values)

    assert rows.get(store, table, row_id) == (7, values)


@each_table
def test_values_have_the_fields_of_the_registry(table: Table) -> None:
    kind: Any = KINDS[table.name]

    assert {field.name for field in dataclasses.fields(kind)} == {"id", "ver", *table.columns}
