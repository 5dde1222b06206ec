"""The registry of synced tables is consistent in itself."""

from __future__ import annotations

import pytest

from domain import tables


@pytest.mark.parametrize("table", tables.ALL, ids=lambda table: table.name)
def test_each_table_has_a_location_and_one_policy_a_unit(table: tables.Table) -> None:
    assert table.columns[0] == "location_id"
    assert len(set(table.columns)) == len(table.columns)
    for unit in {field.unit for field in table.fields}:
        assert len({table.by_name[name].policy for name in table.unit_fields(unit)}) == 1


def test_agents_cannot_write_deals_and_nobody_pushes_people_or_offices() -> None:
    assert "agent" not in tables.DEALS.writers
    assert not tables.PEOPLE.writers
    assert not tables.LOCATIONS.writers


def test_parents_come_before_their_children() -> None:
    order = [table.name for table in tables.ALL]
    for child in ("tasks", "notes", "deals", "interactions"):
        assert order.index("leads") < order.index(child)
