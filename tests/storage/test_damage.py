"""A damaged line of the outbox waits for a person; everything else goes on."""

from __future__ import annotations

import pytest

from domain import ids, tables, wire
from storage import amend, batches, database, edits, leads, outbox, rebase
from tests.storage.conftest import add_lead, edit, lead


def damage(store: database.Database, mid: int, column: str = "patch") -> None:
    with store.write_tx() as tx:
        tx.execute(f'UPDATE outbox SET {column} = \'{{"name": "An\' WHERE mid = ?', (mid,))  # noqa: S608


def take(store: database.Database, limit: int = wire.MAX_MUTATIONS) -> list[int]:
    with store.write_tx() as tx:
        return [line.mutation.mid for line in batches.take(tx, limit=limit, now_ms=1)]


@pytest.mark.parametrize("limit", [1, 200])
@pytest.mark.parametrize("column", ["patch", "base"])
def test_it_is_passed_over_and_shown(store: database.Database, limit: int, column: str) -> None:
    for _ in range(3):
        add_lead(store)
    damage(store, 1, column)

    assert take(store, limit) == [2, 3][:limit]
    (line,) = outbox.listed(store, state=outbox.State.PARKED)
    assert (line.mutation.mid, line.code) == (1, outbox.UNREADABLE)
    assert outbox.counts(store).parked == 1


def test_looking_parks_nothing_but_passes_it_over(store: database.Database) -> None:
    for _ in range(2):
        add_lead(store)
    damage(store, 1)

    assert [line.mutation.mid for line in batches.next_batch(store)] == [2]
    assert [line.state for line in outbox.listed(store)] == [outbox.State.PARKED, outbox.State.PENDING]


def test_what_was_done_with_it_waits_too(store: database.Database) -> None:
    def both(action: edits.Edit) -> None:
        action.put("leads", ids.new_id(), lead())
        action.put("leads", ids.new_id(), lead())

    edit(store, both)
    damage(store, 2)

    assert take(store) == []
    assert {line.mutation.mid: line.code for line in outbox.listed(store)} == {
        1: "group",
        2: outbox.UNREADABLE,
    }


def test_what_builds_on_it_waits_too(store: database.Database) -> None:
    lead_id = add_lead(store)
    edit(store, lambda e: e.patch("leads", lead_id, {"name": "Second"}))
    damage(store, 1)

    assert take(store) == []
    assert [line.code for line in outbox.listed(store)] == [outbox.UNREADABLE, outbox.BLOCKED]


def test_a_person_may_let_it_go(store: database.Database) -> None:
    lead_id = add_lead(store)
    damage(store, 1)
    take(store)
    with store.write_tx() as tx:
        amend.take_out(tx, outbox.lines(tx, [1]))

    assert outbox.listed(store) == []
    assert leads.get(store, lead_id) is None
    assert rebase.base_of(store, tables.LEADS, lead_id) == rebase.NOTHING
