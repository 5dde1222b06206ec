"""What the server has confirmed is kept for fourteen days, in case it loses it."""

from __future__ import annotations

from domain import wire
from storage import batches, database, outbox, outbox_writes, pushed, scopes
from tests.storage.conftest import add_lead, edit
from tests.storage.test_pulled import name_of

DAY = 24 * 3600 * 1000


def confirm(store: database.Database, now_ms: int) -> None:
    with store.write_tx() as tx:
        sent = [line.mutation for line in batches.take(tx, now_ms=now_ms)]
        results = [wire.Result(mid=one.mid, status=wire.Status.APPLIED, ver=one.mid) for one in sent]
        said = wire.PushAnswer(results=results, server_ms=now_ms, incarnation="i")
        pushed.apply(tx, sent, said, now_ms=now_ms)


def test_it_is_kept_for_fourteen_days_and_then_forgotten(store: database.Database) -> None:
    for day in (0, 1):
        add_lead(store)
        confirm(store, day * DAY)
    waiting = add_lead(store)

    with store.write_tx() as tx:
        assert outbox_writes.prune(tx, 14 * DAY) == 0
        assert outbox_writes.prune(tx, 14 * DAY + 1) == 1
    assert [row["mid"] for row in store.rows("SELECT mid FROM outbox ORDER BY mid")] == [2, 3]
    assert [line.mutation.row_id for line in outbox.listed(store)] == [waiting]


def test_it_is_sent_again_to_a_server_of_another_life_under_the_same_numbers(
    store: database.Database,
) -> None:
    lead_id = add_lead(store)
    edit(store, lambda e: e.patch("leads", lead_id, {"name": "Mine"}))
    confirm(store, 1)
    with store.write_tx() as tx:
        scopes.meet_again(tx)

    again = batches.next_batch(store)
    assert [line.mutation.mid for line in again] == [1, 2]
    assert name_of(store, lead_id) == "Mine"


def test_the_oldest_that_waits_is_told_and_no_parked_or_confirmed_one(store: database.Database) -> None:
    for _ in range(3):
        add_lead(store)
    with store.write_tx() as tx:
        for mid in (1, 2, 3):
            tx.execute("UPDATE outbox SET edit_ms = ? WHERE mid = ?", (mid * 100, mid))
        outbox_writes.mark_acked(tx, 1, 0)
        outbox_writes.mark_parked(tx, 2, code="forbidden", message="No.")

    assert outbox.counts(store) == outbox.Counts(pending=1, parked=1)
    assert outbox.oldest_ms(store) == 300
