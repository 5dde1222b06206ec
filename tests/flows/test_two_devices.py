"""Two devices and a server: whatever was changed where, they come to agree and nothing vanishes."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from storage import batches, conflicts, events, leads, outbox
from tests.flows.conftest import Stamp
from tests.flows.phones import MakePhone, Phone

pytestmark = pytest.mark.anyio


async def two(make_phone: MakePhone, stamp: Stamp, **lead: Any) -> tuple[Phone, Phone, str]:
    """Ann's and Bob's phones, both with the same lead."""
    ann, bob = await make_phone(), await make_phone()
    lead_id = ann.add_lead(**lead)
    await settle(stamp, ann, bob)
    assert bob.lead(lead_id) == ann.lead(lead_id)
    return ann, bob, lead_id


async def settle(stamp: Stamp, *phones: Phone) -> None:
    """Sync until nothing moves any more."""
    for _ in range(2):
        for phone in phones:
            await phone.run()
            assert phone.sync.status().fault is None, phone.sync.status().error
            await stamp()
    for phone in phones:
        await phone.run()


async def test_a_lead_made_offline_appears_on_the_other_phone(make_phone: MakePhone, stamp: Stamp) -> None:
    ann, bob, lead_id = await two(make_phone, stamp, name="Zoë Ångström", tags=["a"], lat=47.61, lon=-122.33)

    assert bob.lead(lead_id).name == "Zoë Ångström"
    assert ann.everything() == bob.everything()
    assert ann.unsent() == bob.unsent() == 0


async def test_different_fields_merge_without_a_conflict(make_phone: MakePhone, stamp: Stamp) -> None:
    ann, bob, lead_id = await two(make_phone, stamp)

    ann.change(lead_id, name="Ann Leigh")
    bob.change(lead_id, phone="+12065550100")
    await settle(stamp, ann, bob)

    assert (ann.lead(lead_id).name, ann.lead(lead_id).phone) == ("Ann Leigh", "+12065550100")
    assert ann.everything() == bob.everything()
    assert conflicts.of_row(ann.db, "leads", lead_id) == []


async def test_the_later_of_two_edits_wins_and_both_are_kept(make_phone: MakePhone, stamp: Stamp) -> None:
    ann, bob, lead_id = await two(make_phone, stamp)

    ann.change(lead_id, name="From Ann")
    await asyncio.sleep(0.01)
    bob.change(lead_id, name="From Bob")
    await settle(stamp, bob, ann)

    assert ann.lead(lead_id).name == bob.lead(lead_id).name == "From Bob"
    (record,) = conflicts.of_row(bob.db, "leads", lead_id)
    assert (record.winner, record.loser) == ({"name": "From Bob"}, {"name": "From Ann"})
    assert (record.winner_by, record.loser_by) == (bob.grant.user_id, ann.grant.user_id)
    assert ann.everything() == bob.everything()


async def test_a_price_changed_twice_waits_for_a_person(make_phone: MakePhone, stamp: Stamp) -> None:
    ann, bob, lead_id = await two(make_phone, stamp, price_cents=500_000_00, price_on="2026-11-01")

    ann.change(lead_id, price_cents=510_000_00, price_on="2026-11-20")
    bob.change(lead_id, price_cents=490_000_00)
    await settle(stamp, ann, bob)

    assert ann.lead(lead_id).price_cents == bob.lead(lead_id).price_cents == 510_000_00
    (record,) = conflicts.open_conflicts(bob.db)
    assert record.loser == {"price_cents": 490_000_00, "price_on": "2026-11-01"}
    assert ann.everything() == bob.everything()


async def test_a_stage_changed_twice_waits_for_a_person(make_phone: MakePhone, stamp: Stamp) -> None:
    ann, bob, lead_id = await two(make_phone, stamp)

    ann.change(lead_id, stage="qualified")
    bob.change(lead_id, stage="lost", stage_reason="moved away")
    await settle(stamp, ann, bob)

    assert bob.lead(lead_id).stage == "qualified"
    assert conflicts.count_open(ann.db) == 1


async def test_tags_added_and_removed_on_both_sides_are_united(make_phone: MakePhone, stamp: Stamp) -> None:
    ann, bob, lead_id = await two(make_phone, stamp, tags=["old", "both"])

    ann.change(lead_id, tags=["both", "ann"])
    bob.change(lead_id, tags=["old", "both", "bob"])
    bob.change(lead_id, tags=["old", "both", "bob", "again"])
    await settle(stamp, ann, bob)

    assert set(ann.lead(lead_id).tags or ()) == {"both", "ann", "bob", "again"}
    assert ann.everything() == bob.everything()
    assert conflicts.of_row(ann.db, "leads", lead_id) == []


async def test_both_texts_of_a_task_are_kept_through_a_chain_of_edits(
    make_phone: MakePhone, stamp: Stamp
) -> None:
    ann, bob, lead_id = await two(make_phone, stamp)
    ann.edit(
        lambda e: e.put(
            "tasks", lead_id, {"location_id": ann.location, "title": "Call", "kind": "call", "text": "x"}
        )
    )
    await settle(stamp, ann, bob)

    ann.edit(lambda e: e.patch("tasks", lead_id, {"text": "She wants to sell."}))
    bob.edit(lambda e: e.patch("tasks", lead_id, {"text": "Has a dog."}))
    bob.edit(lambda e: e.patch("tasks", lead_id, {"text": "Has two dogs."}))
    await settle(stamp, ann, bob)

    text = ann.db.value("SELECT text FROM tasks")
    assert text == "She wants to sell.\n\nHas two dogs."
    assert ann.everything() == bob.everything()


async def test_an_opt_out_beats_a_later_edit_and_is_sent_first(make_phone: MakePhone, stamp: Stamp) -> None:
    ann, bob, lead_id = await two(make_phone, stamp)
    other = bob.add_lead(name="Somebody else")

    bob.change(lead_id, opted_out=True, opted_out_words="stop texting me")
    ann.change(lead_id, opted_out=False, name="Ann")
    assert batches.next_batch(bob.db)[0].row == ("leads", lead_id)
    await settle(stamp, bob, ann)

    assert ann.lead(lead_id).opted_out is True
    assert leads.get(ann.db, other) is not None
    assert ann.everything() == bob.everything()


async def test_an_edit_of_a_deleted_lead_is_parked_and_can_bring_it_back(
    make_phone: MakePhone, stamp: Stamp
) -> None:
    ann, bob, lead_id = await two(make_phone, stamp)

    ann.edit(lambda e: e.delete("leads", lead_id))
    bob.change(lead_id, phone="+12065550100")
    await settle(stamp, ann, bob)
    assert leads.get(bob.db, lead_id) is None
    (parked,) = outbox.listed(bob.db)
    assert (parked.state, parked.code) == (outbox.State.PARKED, "row_deleted")

    bob.edit(lambda e: e.restore(parked.mutation.mid))
    await settle(stamp, bob, ann)
    assert (ann.lead(lead_id).name, ann.lead(lead_id).phone) == ("Ann Lee", "+12065550100")
    assert ann.everything() == bob.everything()


async def test_two_edits_of_ones_own_are_no_conflict(make_phone: MakePhone, stamp: Stamp) -> None:
    ann, bob, lead_id = await two(make_phone, stamp, price_cents=1)

    for price in (2, 3, 4):
        ann.change(lead_id, price_cents=price)
    await settle(stamp, ann, bob)

    assert bob.lead(lead_id).price_cents == 4
    assert conflicts.of_row(ann.db, "leads", lead_id) == []
    assert ann.everything() == bob.everything()


async def test_a_lost_answer_applies_nothing_twice(make_phone: MakePhone, stamp: Stamp) -> None:
    ann, bob, lead_id = await two(make_phone, stamp)
    ann.change(lead_id, name="Once")
    ann.transport.lose_answers = 1

    assert (await ann.run()).error
    assert ann.unsent() == 1
    await settle(stamp, ann, bob)

    assert ann.unsent() == 0
    assert bob.lead(lead_id).name == "Once"
    assert bob.lead(lead_id).ver == 2
    assert ann.everything() == bob.everything()


async def test_a_phone_that_missed_a_change_asks_for_the_whole_row(
    make_phone: MakePhone, stamp: Stamp
) -> None:
    ann, bob, lead_id = await two(make_phone, stamp, area="North")
    bob.change(lead_id, name="Second")
    await settle(stamp, bob, ann)
    with ann.db.write_tx() as tx:
        tx.execute("UPDATE leads SET _ver = 1, name = 'Ann Lee' WHERE id = ?", (lead_id,))
    bob.change(lead_id, phone="+12065550100")
    await bob.run()
    await stamp()

    await ann.run()

    found = ann.lead(lead_id)
    assert (found.ver, found.name, found.phone, found.area) == (3, "Second", "+12065550100", "North")
    assert [one.event for one in events.recent(ann.db)].count("pull.gap") == 1
    assert ann.everything() == bob.everything()


async def test_a_phone_that_has_the_row_gets_no_more_than_what_changed(
    make_phone: MakePhone, stamp: Stamp
) -> None:
    ann, bob, lead_id = await two(make_phone, stamp, area="North")
    with ann.db.write_tx() as tx:
        tx.execute("UPDATE leads SET area = 'only here' WHERE id = ?", (lead_id,))
    bob.change(lead_id, phone="+12065550100")
    await bob.run()
    await stamp()

    await ann.run()

    found = ann.lead(lead_id)
    assert (found.ver, found.phone, found.area) == (2, "+12065550100", "only here")


async def test_work_goes_on_without_a_network_and_is_sent_later(make_phone: MakePhone, stamp: Stamp) -> None:
    ann, bob, lead_id = await two(make_phone, stamp)
    ann.transport.cut = True

    ann.change(lead_id, name="Offline")
    status = await ann.run()
    assert not status.online
    assert status.pending == 1
    ann.restart()
    ann.transport.cut = False
    await settle(stamp, ann, bob)

    assert bob.lead(lead_id).name == "Offline"


async def test_a_copied_store_takes_a_new_name_and_loses_nothing(make_phone: MakePhone, stamp: Stamp) -> None:
    ann, bob, lead_id = await two(make_phone, stamp)
    copy_path = ann.path.with_name("copy.db")
    ann.db.value("PRAGMA wal_checkpoint(TRUNCATE)")
    copy_path.write_bytes(ann.path.read_bytes())
    copy = await make_phone(email=ann.grant.email, path=copy_path)

    ann.change(lead_id, name="On the original")
    copy.change(lead_id, phone="+12065550100")
    await settle(stamp, ann, copy, bob)

    assert ann.device() != copy.device()
    assert (bob.lead(lead_id).name, bob.lead(lead_id).phone) == ("On the original", "+12065550100")
    assert ann.everything() == bob.everything() == copy.everything()
