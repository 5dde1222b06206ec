"""A person's second thoughts about what the server refused."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from domain import ids, wire
from storage import amend, batches, database, outbox, outbox_writes, pushed
from storage.outbox import State
from tests.storage.conftest import edit
from tests.storage.test_pulled import apply, block, name_of, page


@pytest.fixture
def lead_id(store: database.Database) -> str:
    """One that the server has."""
    made = ids.new_id()
    apply(store, page(block((made, 1, {"name": "theirs"}))))
    return made


def change(store: database.Database, lead_id: str, **changes: Any) -> None:
    edit(store, lambda e: e.patch("leads", lead_id, changes))


def refuse(store: database.Database, *mids: int) -> list[outbox.Line]:
    with store.write_tx() as tx:
        for mid in mids:
            outbox_writes.mark_parked(tx, mid, code="bad_value", message="No.")
        return outbox.lines(tx, mids)


def take_out(store: database.Database, lines: Sequence[outbox.Line]) -> list[outbox.Line]:
    with store.write_tx() as tx:
        return amend.take_out(tx, lines)


def bases(store: database.Database) -> list[object]:
    return [line.mutation.base["name"] for line in outbox.listed(store)]


def test_what_followed_a_given_up_change_starts_from_what_was_before_it(
    store: database.Database, lead_id: str
) -> None:
    """Else the server would call it dependent on what it refused, for ever."""
    for name in ("mine", "newer", "newest"):
        change(store, lead_id, name=name)
    assert bases(store) == ["theirs", "mine", "newer"]
    take_out(store, refuse(store, 1))

    assert bases(store) == ["theirs", "newer"]
    assert name_of(store, lead_id) == "newest"


def test_so_it_does_when_several_were_given_up(store: database.Database, lead_id: str) -> None:
    for name in ("mine", "newer", "newest"):
        change(store, lead_id, name=name)
    take_out(store, refuse(store, 1, 2))

    assert bases(store) == ["theirs"]


def test_what_followed_a_corrected_change_starts_from_the_correction(
    store: database.Database, lead_id: str
) -> None:
    change(store, lead_id, name="mistyped")
    change(store, lead_id, name="newer")
    lines = refuse(store, 1)
    with store.write_tx() as tx:
        amend.rewrite(tx, lines[0], {"name": "typed"})
        amend.send_again(tx, lines)

    assert [line.mutation.patch["name"] for line in batches.next_batch(store)] == ["typed", "newer"]
    assert bases(store) == ["theirs", "typed"]


def test_one_that_the_server_may_have_keeps_its_content(store: database.Database, lead_id: str) -> None:
    for name in ("mine", "newer"):
        change(store, lead_id, name=name)
    lines = refuse(store, 1)
    with store.write_tx() as tx:
        tx.execute("UPDATE outbox SET state = 'inflight', attempts = 1 WHERE mid = 2")
    take_out(store, lines)

    assert bases(store) == ["mine"]


def test_what_is_put_back_lies_where_it_lay_and_only_once(store: database.Database, lead_id: str) -> None:
    for name in ("mine", "newer"):
        change(store, lead_id, name=name)
    before = refuse(store, 1)
    gone = take_out(store, before)
    for _ in range(2):
        with store.write_tx() as tx:
            amend.put_back(tx, gone)

    lines = sorted(outbox.listed(store), key=lambda line: line.mid)
    assert lines[0] == before[0]
    assert [(line.mutation.patch["name"], line.code) for line in lines] == [
        ("mine", "bad_value"),
        ("newer", outbox.BLOCKED),
    ]
    assert name_of(store, lead_id) == "newer"


def test_what_is_put_back_from_the_way_to_the_server_keeps_its_number(store: database.Database) -> None:
    """A row that was never made was given up with a change of it that was under way."""
    lead_id = ids.new_id()
    made = {"location_id": ids.new_id(), "kind": "seller", "name": "Ann", "stage": "new"}
    edit(store, lambda e: e.put("leads", lead_id, made))
    change(store, lead_id, name="Anna")
    lines = refuse(store, 1)
    with store.write_tx() as tx:
        tx.execute("UPDATE outbox SET state = 'inflight', attempts = 1, code = '' WHERE mid = 2")
    gone = take_out(store, lines)
    assert outbox.listed(store) == []
    with store.write_tx() as tx:
        amend.put_back(tx, gone)
        amend.send_again(tx, outbox.lines(tx, [1]))

    assert {line.mid: (line.state, line.attempts) for line in outbox.listed(store)} == {
        1: (State.PARKED, 0),
        2: (State.INFLIGHT, 1),
    }


def test_an_answer_that_asks_for_a_change_again_leaves_a_parked_one_alone(
    store: database.Database, lead_id: str
) -> None:
    change(store, lead_id, name="mine")
    (line,) = refuse(store, 1)
    said = wire.PushAnswer(results=[], server_ms=1, incarnation="i")
    with store.write_tx() as tx:
        pushed.apply(tx, [line.mutation], said, now_ms=1)

    assert outbox.listed(store) == [line]
