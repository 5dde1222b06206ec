"""Search finds what people type, whatever they type."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain import ids
from storage import database, search, search_index
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
    note = {"location_id": LOCATION, "agent_id": ids.new_id(), "lead_id": lead_id, "state": "transcribed"}
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


@given(typed=st.text())
@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_text_breaks_the_query(store: database.Database, typed: str) -> None:
    search.find(store, typed)


def patch(store: database.Database, lead_id: str, **changes: object) -> None:
    edit(store, lambda e: e.patch("leads", lead_id, changes))


def catch_up(store: database.Database) -> int:
    with store.write_tx() as tx:
        return search_index.catch_up(tx)


@pytest.mark.parametrize("indexed", [True, False])
def test_words_are_found_whether_the_index_knows_the_row_yet_or_not(
    store: database.Database, indexed: bool
) -> None:
    lead_id = add_lead(store, name="Anna Before", motivation="A garden")
    other = add_lead(store, name="Anna Other")
    catch_up(store)
    edit(store, lambda e: e.patch("leads", lead_id, {"name": "Anna After"}))
    if indexed:
        assert catch_up(store) == 1

    assert [hit.id for hit in search.find(store, "garden")] == [lead_id]
    assert search.find(store, "before") == []
    assert [hit.title for hit in search.find(store, "after")] == ["Anna After"]
    assert {hit.id for hit in search.find(store, "anna")} == {lead_id, other}


def test_pages_of_hits_hold_each_row_once(store: database.Database) -> None:
    made = [add_lead(store, name=f"Ann {number}") for number in range(9)]
    catch_up(store)
    for lead_id in made[:4]:
        patch(store, lead_id, city="Upland")
    pages = [search.find(store, "ann", limit=3, offset=offset) for offset in (0, 3, 6, 9)]

    assert [len(page) for page in pages] == [3, 3, 3, 0]
    assert {hit.id for page in pages[:1] for hit in page} <= set(
        made[:4]
    )  # what changed just now comes first
    assert {hit.id for page in pages for hit in page} == set(made)


def test_a_change_of_what_is_not_searched_leaves_the_line_alone(store: database.Database) -> None:
    lead_id = add_lead(store)
    catch_up(store)
    edit(store, lambda e: e.patch("leads", lead_id, {"price_cents": 5, "opted_out": True}))

    assert catch_up(store) == 0


def test_many_changes_find_their_way_into_the_index_by_themselves(store: database.Database) -> None:
    for number in range(search_index.OFTEN):
        add_lead(store, name=f"Ann {number}")

    assert catch_up(store) == 0


def test_an_index_full_of_old_lines_is_made_anew(store: database.Database) -> None:
    lead_id = add_lead(store, name="Ann")
    with store.write_tx() as tx:
        for number in range(2500):
            tx.execute("UPDATE leads SET _rid = NULL, motivation = ?", (f"said {number}",))
            search_index.catch_up(tx, most=1)
        assert search_index.tidy(tx)
        assert not search_index.tidy(tx)

    assert [hit.id for hit in search.find(store, "said 2499")] == [lead_id]
    assert store.value("SELECT max(_rid) FROM leads") == 1


def test_finding_needs_no_scan_of_the_rows(store: database.Database) -> None:
    add_lead(store)
    catch_up(store)
    for name in search.SEARCHED:
        (plan,) = store.rows(f"EXPLAIN QUERY PLAN SELECT rowid FROM {name} WHERE _rid IS NULL")  # noqa: S608
        assert "SEARCH" in plan["detail"]
