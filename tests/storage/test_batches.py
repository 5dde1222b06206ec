"""What is sent next."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from storage import amend, batches, database, outbox, outbox_writes
from storage.batches import Waiting
from tests.storage.conftest import add_lead, edit

some = st.lists(st.tuples(st.integers(0, 8), st.integers(0, 3), st.booleans()), max_size=30)


def waiting(drawn: list[tuple[int, int, bool]]) -> list[Waiting]:
    return [
        Waiting(mid=mid, group=f"g{group}", row=("leads", str(row)), urgent=urgent and row == 0, size=10)
        for mid, (group, row, urgent) in enumerate(sorted(drawn, key=lambda one: one[0]), 1)
    ]


@given(drawn=some)
def test_every_change_comes_once_and_each_row_keeps_its_order(drawn: list[tuple[int, int, bool]]) -> None:
    items = waiting(drawn)
    ordered = [item for group in batches.in_order(items) for item in group]

    assert sorted(item.mid for item in ordered) == [item.mid for item in items]
    for row in {item.row for item in items}:
        mids = [item.mid for item in ordered if item.row == row]
        assert mids == sorted(mids)


@given(drawn=some, limit=st.integers(1, 12), max_bytes=st.integers(1, 200))
def test_an_action_is_never_split(drawn: list[tuple[int, int, bool]], limit: int, max_bytes: int) -> None:
    groups = batches.in_order(waiting(drawn))
    batch = batches.cut(groups, limit=limit, max_bytes=max_bytes)

    assert bool(batch) == bool(groups)
    taken = {item.group for item in batch}
    assert len(batch) == sum(len(group) for group in groups if group[0].group in taken)
    assert len(taken) <= 1 or (len(batch) <= limit and sum(item.size for item in batch) <= max_bytes)


def change(store: database.Database, lead_id: str, **changes: object) -> None:
    edit(store, lambda e: e.patch("leads", lead_id, changes))


def test_an_opt_out_behind_thousands_of_changes_goes_first(store: database.Database) -> None:
    lead_id = add_lead(store)
    for number in range(300):
        change(store, lead_id, score=float(number))
    other = add_lead(store, name="Other")
    edit(store, lambda e: e.patch("leads", other, {"opted_out": True}))

    sent = batches.next_batch(store)
    assert [line.mutation.row_id == other for line in sent[:3]] == [True, True, False]
    assert len(sent) == 200


def test_what_builds_on_a_parked_change_waits_and_the_rest_goes(store: database.Database) -> None:
    lead_id = add_lead(store, price_cents=1)
    for changes in ({"price_cents": 2}, {"price_cents": 3}, {"name": "Other unit"}):
        change(store, lead_id, **changes)
    with store.write_tx() as tx:
        outbox_writes.mark_acked(tx, 1, 0)
        outbox_writes.mark_inflight(tx, [2])
        outbox_writes.mark_parked(tx, 2, code="forbidden", message="No.")
    edit(store, lambda e: e.patch("leads", lead_id, {"price_on": "2026-11-22"}))

    assert [line.mutation.patch for line in batches.next_batch(store)] == [{"name": "Other unit"}]
    assert [line.code for line in outbox.listed(store, state=outbox.State.PARKED)] == [
        "forbidden",
        "depends",
        "depends",
    ]
    with store.write_tx() as tx:
        amend.send_again(tx, outbox.lines(tx, [2]))
    sent = [line.mutation for line in batches.next_batch(store)]
    assert [one.patch for one in sent if "name" not in one.patch] == [
        {"price_cents": 2}, {"price_cents": 3}, {"price_on": "2026-11-22"}
    ]  # fmt: skip
    assert sent[-1].mid > 5


def test_renumbering_keeps_the_order_and_never_reuses_a_number(store: database.Database) -> None:
    lead_ids = [add_lead(store) for _ in range(3)]
    with store.write_tx() as tx:
        outbox_writes.mark_acked(tx, 1, 0)
        outbox_writes.renumber(tx)
    lead_ids.append(add_lead(store))

    sent = [line.mutation for line in batches.next_batch(store)]
    assert [one.row_id for one in sent] == lead_ids[1:]
    assert [one.mid for one in sent] == [5, 6, 7]
