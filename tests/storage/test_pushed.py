"""Answers to a push, also late, repeated or incomplete ones."""

from __future__ import annotations

from typing import Any

import pytest

from domain import ids, wire
from domain.wire import Status
from storage import blobs, database, leads, outbox, pushed
from tests.storage.conftest import LOCATION, add_lead, edit
from tests.storage.test_pulled import apply, block, name_of, page


def answer(store: database.Database, *results: wire.Result) -> pushed.Outcome:
    sent = [line.mutation for line in outbox.listed(store)]
    said = wire.PushAnswer(results=results, server_ms=1, incarnation="i")
    with store.write_tx() as tx:
        return pushed.apply(tx, sent, said, now_ms=1)


def result(mid: int, status: Status = Status.APPLIED, **more: Any) -> wire.Result:
    return wire.Result(mid=mid, status=status, **more)


def test_a_confirmed_lead_has_its_version_and_nothing_left_over(store: database.Database) -> None:
    lead_id = add_lead(store)
    outcome = answer(store, result(1, ver=1))

    found = leads.get(store, lead_id)
    assert (outcome.safe, outcome.parked, outcome.again) == (1, 0, 0)
    assert found is not None
    assert found.ver == 1
    assert store.value("SELECT count(*) FROM shadow") == 0


@pytest.mark.parametrize("with_row", [True, False])
def test_a_late_answer_never_takes_a_row_back(store: database.Database, with_row: bool) -> None:
    lead_id = ids.new_id()
    apply(store, page(block((lead_id, 1, {"name": "first"}))))
    edit(store, lambda e: e.patch("leads", lead_id, {"name": "mine"}))
    apply(store, page(block((lead_id, 5, {"name": "newest"}))))
    old = wire.Row(table="leads", id=lead_id, ver=2, values={"name": "old"})
    answer(store, result(1, Status.DUPLICATE, ver=2, row=old if with_row else None))

    assert name_of(store, lead_id) == "newest"
    assert outbox.listed(store) == []


def test_what_an_answer_does_not_mention_is_sent_again(store: database.Database) -> None:
    for _ in range(3):
        add_lead(store)
    outcome = answer(store, result(2, ver=1), result(3, Status.RETRY), result(99, ver=1))

    assert (outcome.safe, outcome.again) == (1, 2)
    assert [line.mutation.mid for line in outbox.listed(store)] == [1, 3]


def test_what_the_server_merged_is_shown_under_later_changes(store: database.Database) -> None:
    lead_id = ids.new_id()
    apply(store, page(block((lead_id, 1, {"name": "first"}))))
    edit(store, lambda e: e.patch("leads", lead_id, {"name": "mine"}))
    edit(store, lambda e: e.patch("leads", lead_id, {"phone": "+12065550100"}))
    found = leads.get(store, lead_id)
    assert found is not None
    merged = {
        "name": "theirs",
        "location_id": LOCATION,
        "created_at": "2026-11-22T16:00:00.000Z",
        "kind": "buyer",
        "stage": "new",
    }
    answer(
        store, result(1, Status.MERGED, ver=7, row=wire.Row(table="leads", id=lead_id, ver=7, values=merged))
    )

    found = leads.get(store, lead_id)
    assert found is not None
    assert (found.name, found.phone, found.ver) == ("theirs", "+12065550100", 7)


def test_of_a_row_that_an_answer_carries_once_all_its_changes_are_confirmed(store: database.Database) -> None:
    lead_id = ids.new_id()
    apply(store, page(block((lead_id, 1, {"name": "first"}))))
    for word in ("mine", "mine too", "mine last"):
        edit(store, lambda e, word=word: e.patch("leads", lead_id, {"name": word}))  # type: ignore[misc]
    theirs = {"name": "theirs", "location_id": LOCATION, "created_at": "2026-11-22T16:00:00.000Z"}
    row = wire.Row(table="leads", id=lead_id, ver=7, values={**theirs, "kind": "buyer", "stage": "new"})

    outcome = answer(
        store,
        result(1, Status.DUPLICATE, ver=7),
        result(2, Status.MERGED, ver=7, row=row),
        result(3, Status.DUPLICATE, ver=6),
    )

    assert outcome.safe == 3
    found = leads.get(store, lead_id)
    assert found is not None
    assert (found.name, found.ver) == ("theirs", 7)
    assert store.value("SELECT count(*) FROM shadow") == 0


def test_the_recording_of_a_note_goes_when_its_deletion_is_safe(store: database.Database) -> None:
    note_id = ids.new_id()
    note = {"location_id": LOCATION, "agent_id": ids.new_id(), "state": "transcribed"}
    edit(store, lambda e: e.put("notes", note_id, note))
    with store.write_tx() as tx:
        blobs.add(
            tx,
            note_id=note_id,
            location_id=LOCATION,
            path=store.path,
            sha256="0" * 64,
            size=1,
            media_type="audio/wav",
        )
    edit(store, lambda e: e.delete("notes", note_id))
    assert answer(store, result(1, ver=1)).files == ()

    assert answer(store, result(2, ver=2)).files == (store.path,)
    assert blobs.unsent(store) == []
