"""A person's change: the row, its base, its outbox line and its search line, together or not at all."""

from __future__ import annotations

import pytest

from domain import errors, ids, tables
from domain.wire import Op
from storage import batches, database, edits, leads, outbox, outbox_writes, rebase, rows, search
from tests import fakes
from tests.storage.conftest import LOCATION, add_lead, edit, lead


def test_a_new_lead_is_shown_found_and_waits_to_be_sent(store: database.Database) -> None:
    lead_id = add_lead(store, phone="+12065550199")

    found = leads.get(store, lead_id)
    assert found is not None
    assert (found.name, found.created_at, found.ver) == ("Ann Lee", fakes.EPOCH, 0)
    (line,) = batches.next_batch(store)
    assert (line.mutation.op, line.mutation.base_ver, line.mutation.patch["phone"]) == (
        Op.PUT,
        0,
        "+12065550199",
    )
    assert [hit.id for hit in search.find(store, "ann")] == [lead_id]


def test_the_changes_of_one_action_carry_one_group(store: database.Database) -> None:
    lead_id = ids.new_id()
    task = {"location_id": LOCATION, "lead_id": lead_id, "title": "Call", "kind": "call"}

    def both(action: edits.Edit) -> None:
        action.put("leads", lead_id, lead())
        action.put("tasks", ids.new_id(), task)

    edit(store, both)
    add_lead(store)

    groups = [line.group for line in batches.next_batch(store)]
    assert groups[0] == groups[1] != groups[2]


def test_a_change_that_changes_nothing_writes_nothing(store: database.Database) -> None:
    lead_id = add_lead(store, answer_due_at="2026-11-22T16:00:00.000Z")
    with store.write_tx() as tx:
        same = {"name": "Ann Lee", "answer_due_at": "2026-11-22T08:00:00-08:00"}
        assert edits.start(tx, fakes.EPOCH).patch("leads", lead_id, same) is False

    assert outbox.counts(store).pending == 1


def test_a_value_that_a_former_release_took_is_no_reason_against_the_others(store: database.Database) -> None:
    lead_id, number = add_lead(store), "5" * 400
    with store.write_tx() as tx:
        tx.execute("UPDATE leads SET phone = ? WHERE id = ?", (number, lead_id))
    edit(store, lambda e: e.patch("leads", lead_id, {"name": "Ann", "phone": number}))

    assert batches.next_batch(store)[-1].mutation.patch == {"name": "Ann"}


def test_a_change_carries_the_whole_unit_that_was_seen(store: database.Database) -> None:
    lead_id = add_lead(store, price_cents=1, price_on="2026-11-01")
    edit(store, lambda e: e.patch("leads", lead_id, {"price_cents": 2}))

    line = batches.next_batch(store)[-1]
    assert line.mutation.patch == {"price_cents": 2}
    assert line.mutation.base == {"price_cents": 1, "price_on": "2026-11-01"}


def test_an_opt_out_goes_first_with_what_its_lead_needs(store: database.Database) -> None:
    add_lead(store, name="Older")
    lead_id = add_lead(store)
    edit(store, lambda e: e.patch("leads", lead_id, {"name": "Ann Leigh"}))
    edit(store, lambda e: e.patch("leads", lead_id, {"opted_out": True}))

    sent = batches.next_batch(store)
    assert [line.mutation.row_id == lead_id for line in sent] == [True, True, True, False]
    assert [line.mutation.mid for line in sent[:3]] == [2, 3, 4]


def test_deleting_takes_the_row_and_its_search_line_away(store: database.Database) -> None:
    lead_id = add_lead(store)
    edit(store, lambda e: e.delete("leads", lead_id))

    assert leads.get(store, lead_id) is None
    assert search.find(store, "ann") == []
    assert batches.next_batch(store)[-1].mutation.op is Op.DELETE


@pytest.mark.parametrize(
    ("values", "where"),
    [
        ({"name": None}, "leads.name"),
        ({"name": 7}, "leads.name"),
        ({"price_cents": 1.5}, "leads.price_cents"),
        ({"shoe_size": 43}, "leads.shoe_size"),
        ({"name": "a\x00b"}, "leads.name"),
        ({"created_at": "yesterday"}, "leads.created_at"),
        ({"location_id": "here"}, "leads.location_id"),
    ],
)
def test_bad_values_are_refused_by_name(
    store: database.Database, values: dict[str, object], where: str
) -> None:
    with pytest.raises(errors.InputError) as caught:
        add_lead(store, **values)

    assert caught.value.where == where
    assert leads.count(store) == outbox.counts(store).pending == 0


def test_what_is_fixed_stays(store: database.Database) -> None:
    lead_id, entry_id = add_lead(store), ids.new_id()
    entry = {
        "location_id": LOCATION,
        "lead_id": lead_id,
        "kind": "call",
        "occurred_at": "2026-11-22T16:00:00.000Z",
    }
    edit(store, lambda e: e.put("interactions", entry_id, entry))

    for do in (
        lambda e: e.patch("leads", lead_id, {"created_at": "2026-11-22T16:00:01.000Z"}),
        lambda e: e.patch("interactions", entry_id, {"body": "x"}),
        lambda e: e.delete("interactions", entry_id),
        lambda e: e.put("leads", lead_id, lead()),
    ):
        with pytest.raises(errors.RuleError):
            edit(store, do)


def test_a_row_that_is_not_here_is_said_so(store: database.Database) -> None:
    with pytest.raises(errors.NotFoundError):
        edit(store, lambda e: e.patch("leads", ids.new_id(), {"name": "x"}))
    with pytest.raises(errors.InputError):
        edit(store, lambda e: e.put("users", ids.new_id(), {}))


def test_bringing_a_deleted_row_back_takes_along_what_waited_for_the_change(store: database.Database) -> None:
    """The server refuses the first for the deletion, and the second for the first."""
    lead_id = add_lead(store)
    edit(store, lambda e: e.patch("leads", lead_id, {"name": "Ann Leigh"}))
    edit(store, lambda e: e.patch("leads", lead_id, {"name": "Anne Leigh"}))
    with store.write_tx() as tx:
        outbox_writes.mark_acked(tx, 1, 0)
        rebase.set_base(tx, tables.LEADS, lead_id, rebase.Base(ver=7, values=None))
        outbox_writes.mark_parked(tx, 2, code="row_deleted", message="Gone.")
    edit(store, lambda e: e.restore(2))

    sent = [line.mutation for line in batches.next_batch(store)]
    assert [(one.op, one.patch, one.base_ver) for one in sent] == [
        (Op.PUT, {"name": "Ann Leigh"}, 7),
        (Op.PUT, {"name": "Anne Leigh"}, 7),
    ]


def test_an_edit_is_brought_back_upon_a_row_that_somebody_else_brought_back_already(
    store: database.Database,
) -> None:
    lead_id = add_lead(store)
    before = rows.get(store, tables.LEADS, lead_id)
    assert before is not None
    edit(store, lambda e: e.patch("leads", lead_id, {"name": "Ann Leigh"}))
    with store.write_tx() as tx:
        outbox_writes.mark_acked(tx, 1, 0)
        outbox_writes.mark_parked(tx, 2, code="row_deleted", message="Gone.")
        rebase.set_base(tx, tables.LEADS, lead_id, rebase.Base(ver=8, values=before[1]))
    edit(store, lambda e: e.restore(2))

    found = leads.get(store, lead_id)
    assert found is not None
    assert found.name == "Ann Leigh"


def test_what_does_not_wait_for_a_decision_is_not_brought_back(store: database.Database) -> None:
    lead_id = add_lead(store)
    edit(store, lambda e: e.patch("leads", lead_id, {"name": "Ann Leigh"}))
    for mid in (1, 2, 99):
        with store.write_tx() as tx, pytest.raises(errors.NotFoundError):
            edits.start(tx, fakes.EPOCH).restore(mid)

    assert [line.mid for line in outbox.listed(store)] == [1, 2]
