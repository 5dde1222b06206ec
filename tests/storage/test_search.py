"""Search finds what people type, whatever they type."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain import ids
from storage import database, search
from tests.storage.conftest import LOCATION, add_lead, edit


@pytest.mark.parametrize(
    "typed", ["zoe", "ZOË ang", "555 01", "2065550199", "+1 (206) 555-0199", "main st", "o'neil", "referral"]
)
def test_a_lead_is_found_by_what_is_known_of_it(store: database.Database, typed: str) -> None:
    lead_id = add_lead(
        store, name="Zoë Ångström O'Neil", phone="+12065550199", address="12 Main St", tags=["referral"]
    )
    add_lead(store, name="Somebody else")

    assert [hit.id for hit in search.find(store, typed)] == [lead_id]


def test_notes_lead_to_their_lead_and_show_where(store: database.Database) -> None:
    lead_id, note_id = add_lead(store), ids.new_id()
    note = {"location_id": LOCATION, "agent_id": ids.new_id(), "lead_id": lead_id, "state": "done"}
    edit(store, lambda e: e.put("notes", note_id, {**note, "transcript": "She has a leaking roof."}))

    (hit,) = search.find(store, "leak")
    assert (hit.table, hit.id, hit.lead_id) == ("notes", note_id, lead_id)
    assert hit.snippet == "She has a \x02leaking\x03 roof."
    assert search.find(store, "leak", tables=("leads",)) == []


def test_a_changed_row_is_found_by_its_new_words_only(store: database.Database) -> None:
    lead_id = add_lead(store, name="Before")
    edit(store, lambda e: e.patch("leads", lead_id, {"name": "After"}))

    assert search.find(store, "before") == []
    assert [hit.id for hit in search.find(store, "after")] == [lead_id]
    assert store.value("SELECT count(*) FROM search") == 1


@given(typed=st.text())
@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_text_breaks_the_query(store: database.Database, typed: str) -> None:
    search.find(store, typed)


def test_updating_one_line_of_many_needs_no_scan(store: database.Database) -> None:
    for number in range(3):
        add_lead(store, name=f"Ann {number}")
    plan = store.rows("EXPLAIN QUERY PLAN SELECT rid FROM search_rows WHERE tbl = 'leads' AND id = 'x'")
    gone = store.rows("EXPLAIN QUERY PLAN DELETE FROM search WHERE rowid = 1")

    assert "SEARCH" in plan[0]["detail"]
    assert "INDEX 0:=" in gone[0]["detail"]
