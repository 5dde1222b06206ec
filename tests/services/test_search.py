"""Full-text search over what this device has."""

from __future__ import annotations

from tests.services.conftest import Bench


def test_leads_notes_and_tasks_are_found_by_their_words(bench: Bench) -> None:
    lead_id = bench.lead(name="Ann Lee", address="12 Oak Street")
    bench.sv.notes.write_text("roof needs work", lead_id=lead_id)
    bench.sv.tasks.create("Bring comps", lead_id=lead_id)

    assert bench.sv.search.find("oak").hits[0].table == "leads"
    (note,) = bench.sv.search.find("roof").hits
    assert (note.table, note.lead_id, note.title) == ("notes", lead_id, "Ann Lee")
    assert "\x02roof\x03" in note.snippet
    assert bench.sv.search.find("comps", tables=("tasks",)).hits[0].title == "Bring comps"


def test_strange_words_find_nothing_and_break_nothing(bench: Bench) -> None:
    bench.lead()

    for words in ("", '"', "* OR NOT", "x" * 5000, "'; DROP TABLE leads"):
        assert bench.sv.search.find(words).hits == ()


def test_recent_searches_are_kept_once_and_can_be_forgotten(bench: Bench) -> None:
    for words in ("roof", "oak", " roof "):
        bench.sv.search.remember(words)

    assert bench.sv.search.recent() == ("roof", "oak")
    bench.sv.search.forget()
    assert bench.sv.search.recent() == ()
