"""Trouble between two devices and a server: cuts, restores, lost rights, wrong servers; nothing is lost."""

from __future__ import annotations

import hashlib
from pathlib import Path

import asyncpg
import httpx
import pytest

from backend.deps import Deps
from domain import errors, ids, wire
from storage import amend, blobs, edits, leads, outbox, search
from tests.flows.conftest import Stamp
from tests.flows.phones import MakePhone, Phone
from tests.flows.test_two_devices import settle, two

pytestmark = pytest.mark.anyio
HERE, THERE = "Rancho Cucamonga", "Dallas"


async def take_away(deps: Deps, user_id: str, location_id: str) -> None:
    await deps.pool.execute(
        "DELETE FROM user_locations WHERE user_id = $1 AND location_id = $2", user_id, location_id
    )


async def test_a_location_taken_away_leaves_no_trace_on_the_phone(
    make_phone: MakePhone, stamp: Stamp, deps: Deps, tmp_path: Path
) -> None:
    ann, bob = await make_phone(locations=(HERE, THERE)), await make_phone(locations=(HERE, THERE))
    mine = ann.add_lead(name="Stays")
    gone = ann.add_lead(name="Secretname", location_id=ann.grant.location_ids[1])
    await settle(stamp, ann, bob)
    note_id, voice = add_voice(bob, tmp_path, location_id=ann.grant.location_ids[1])
    await settle(stamp, ann, bob)
    bob.change(gone, name="Secretname changed")
    bob.edit(lambda e: e.delete("notes", note_id))
    await take_away(deps, bob.grant.user_id, ann.grant.location_ids[1])
    await settle(stamp, bob)

    assert leads.get(bob.db, mine) is not None
    assert leads.get(bob.db, gone) is None
    assert search.find(bob.db, "secretname") == []
    assert not voice.exists()
    (left,) = outbox.listed(bob.db)  # the change was made in time and counts; nothing is deleted unseen
    assert (left.state, left.mutation.op) == (outbox.State.PARKED, wire.Op.DELETE)
    with bob.db.write_tx() as tx:
        amend.take_out(tx, outbox.lines(tx, [left.mutation.mid]))
    bob.db.scrub()
    for file in bob.path.parent.glob(f"{bob.path.name}*"):
        assert b"ecretname" not in file.read_bytes().lower()


async def test_a_location_given_back_is_loaded_again(make_phone: MakePhone, stamp: Stamp, deps: Deps) -> None:
    ann, bob = await make_phone(locations=(HERE, THERE)), await make_phone(locations=(HERE, THERE))
    lead_id = ann.add_lead(location_id=ann.grant.location_ids[1])
    await settle(stamp, ann, bob)
    await take_away(deps, bob.grant.user_id, ann.grant.location_ids[1])
    await settle(stamp, bob)
    await deps.pool.execute(
        "INSERT INTO user_locations VALUES ($1, $2)", bob.grant.user_id, ann.grant.location_ids[1]
    )
    await settle(stamp, bob, ann)

    assert leads.get(bob.db, lead_id) is not None
    assert ann.everything() == bob.everything()


async def test_after_a_restored_backup_the_journal_brings_back_what_was_lost(
    make_phone: MakePhone, stamp: Stamp, deps: Deps
) -> None:
    ann, bob, lead_id = await two(make_phone, stamp)
    ann.change(lead_id, name="Lost by the server")
    only_here = ann.add_lead(name="Lost whole")
    await settle(stamp, ann, bob)
    await restore_backup(deps, lead_id, only_here)
    await settle(stamp, ann, bob)

    assert bob.lead(lead_id).name == "Lost by the server"
    assert bob.lead(only_here).name == "Lost whole"
    assert ann.everything() == bob.everything()
    assert ann.unsent() == 0


async def restore_backup(deps: Deps, changed: str, made: str) -> None:
    """The server as it was before the last two changes, under a new incarnation."""
    async with deps.pool.acquire() as connection:
        await connection.execute("ALTER TABLE leads DISABLE TRIGGER USER")
        await connection.execute(
            "UPDATE leads SET name = 'Ann Lee', _ver = 1, _fver = '{}' WHERE id = $1", changed
        )
        await connection.execute("DELETE FROM leads WHERE id = $1", made)
        await connection.execute("ALTER TABLE leads ENABLE TRIGGER USER")
        await connection.execute("DELETE FROM applied_mutations WHERE mid > 1")
        await connection.execute("DELETE FROM change_log WHERE row_id IN ($1, $2)", changed, made)
        await connection.execute("UPDATE feed_state SET incarnation = gen_random_uuid()")


async def test_rows_that_a_restored_server_never_had_vanish(
    make_phone: MakePhone, stamp: Stamp, deps: Deps
) -> None:
    ann, bob, lead_id = await two(make_phone, stamp)
    async with deps.pool.acquire() as connection:
        await connection.execute("ALTER TABLE leads DISABLE TRIGGER USER")
        await connection.execute("DELETE FROM leads WHERE id = $1", lead_id)
        await connection.execute("ALTER TABLE leads ENABLE TRIGGER USER")
        await connection.execute("UPDATE feed_state SET incarnation = gen_random_uuid()")
    with ann.db.write_tx() as tx:
        tx.execute("DELETE FROM outbox")
    await settle(stamp, bob, ann)

    assert leads.count(ann.db) == leads.count(bob.db) == 0
    assert search.find(bob.db, "ann") == []


async def test_a_cursor_that_leads_nowhere_starts_over_and_keeps_unsent_work(
    make_phone: MakePhone, stamp: Stamp
) -> None:
    ann, bob, lead_id = await two(make_phone, stamp)
    with bob.db.write_tx() as tx:
        tx.execute("UPDATE sync_state SET v = 'feed.nonsense' WHERE k = 'cursor'")
    bob.change(lead_id, phone="+12065550100")
    ann.change(lead_id, name="Meanwhile")
    await settle(stamp, ann, bob)

    assert (bob.lead(lead_id).name, bob.lead(lead_id).phone) == ("Meanwhile", "+12065550100")
    assert ann.everything() == bob.everything()


async def test_a_change_that_the_server_refuses_waits_and_holds_up_nothing(
    make_phone: MakePhone, stamp: Stamp
) -> None:
    ann, bob, lead_id = await two(make_phone, stamp)
    deal_id = ids.new_id()
    deal = {"location_id": ann.location, "lead_id": lead_id, "stage": "new", "side_held": "listing"}
    ann.edit(lambda e: e.put("deals", deal_id, deal))
    ann.edit(lambda e: e.patch("deals", deal_id, {"source": "x"}))
    ann.change(lead_id, name="Goes on")
    await settle(stamp, ann, bob)

    assert bob.lead(lead_id).name == "Goes on"
    assert [(line.state, line.code) for line in outbox.listed(ann.db)] == [
        (outbox.State.PARKED, "forbidden"),
        (outbox.State.PARKED, outbox.BLOCKED),
    ]
    with ann.db.write_tx() as tx:
        amend.take_out(tx, outbox.lines(tx, [outbox.listed(ann.db)[0].mutation.mid]))
    assert outbox.listed(ann.db) == []
    assert ann.everything() == bob.everything()


async def test_a_page_that_answers_instead_of_the_server_is_recognised(make_phone: MakePhone) -> None:
    ann = await make_phone()
    ann.add_lead()
    answers = {
        "hotel": httpx.Response(200, headers={"content-type": "text/html"}, text="<html>Sign in</html>"),
        "redirect": httpx.Response(302, headers={"location": "http://hotel.example"}),
        "other": httpx.Response(404, text="nothing here"),
        "json": httpx.Response(200, json={"hello": "world"}),
    }
    for answer in answers.values():
        ann.line.http._transport = httpx.MockTransport(lambda _, a=answer: a)  # somebody else's server
        status = await ann.run()
        assert isinstance(status.fault, errors.NotOurServerError)
        assert "address" in status.error
    assert ann.unsent() == 1


async def test_a_server_of_another_version_is_said_so(make_phone: MakePhone) -> None:
    ann = await make_phone()
    ann.add_lead()
    problem = {"code": "version_mismatch", "message": "Too old.", "where": "protocol", "hint": "Update."}
    ann.line.http._transport = httpx.MockTransport(lambda _: httpx.Response(426, json=problem))

    status = await ann.run()

    assert isinstance(status.fault, errors.VersionMismatchError)
    assert ann.unsent() == 1


async def test_an_access_token_that_expired_is_renewed_without_a_word(
    make_phone: MakePhone, stamp: Stamp, deps: Deps
) -> None:
    ann, bob, lead_id = await two(make_phone, stamp)
    await deps.pool.execute("UPDATE access_tokens SET expires_at = now() - interval '1 hour'")
    ann.change(lead_id, name="After")
    await settle(stamp, ann, bob)

    assert bob.lead(lead_id).name == "After"


async def test_a_sign_in_that_ended_keeps_the_work_and_asks_to_sign_in(
    make_phone: MakePhone, stamp: Stamp, deps: Deps
) -> None:
    ann, _, lead_id = await two(make_phone, stamp)
    await deps.pool.execute("UPDATE sessions SET revoked_at = now()")
    ann.change(lead_id, name="Waits")

    status = await ann.run()
    assert status.needs_sign_in
    assert ann.unsent() == 1
    again = await make_phone(email=ann.grant.email, path=ann.path)
    await again.run()
    assert again.unsent() == 0


async def test_another_person_on_the_device_has_a_store_of_their_own(
    make_phone: MakePhone, tmp_path: Path
) -> None:
    ann, bob = await make_phone(path=tmp_path / "ann.db"), await make_phone(path=tmp_path / "bob.db")
    ann.add_lead(name="Only Ann's")

    assert leads.count(bob.db) == 0
    assert ann.device().id != bob.device().id


async def test_a_database_fault_at_the_server_keeps_the_queue(
    make_phone: MakePhone, stamp: Stamp, deps: Deps
) -> None:
    ann, bob, lead_id = await two(make_phone, stamp)
    ann.change(lead_id, name="Later")
    await deps.pool.execute("ALTER TABLE applied_mutations RENAME TO away")

    status = await ann.run()
    assert isinstance(status.fault, errors.ServerFaultError)
    assert status.online
    await deps.pool.execute("ALTER TABLE away RENAME TO applied_mutations")
    await settle(stamp, ann, bob)
    assert bob.lead(lead_id).name == "Later"


def add_voice(phone: Phone, folder: Path, *, size: int = 700_000, location_id: str = "") -> tuple[str, Path]:
    note_id, voice = ids.new_id(), folder / f"{ids.new_id()}.wav"
    content = bytes(i * 7 % 251 for i in range(size))
    voice.write_bytes(content)
    sha256 = hashlib.sha256(content).hexdigest()
    location = location_id or phone.location
    note = {
        "location_id": location,
        "agent_id": phone.grant.user_id,
        "state": "waiting",
        "audio_sha256": sha256,
    }
    with phone.db.write_tx() as tx:
        edits.start(tx, phone.clock.now()).put("notes", note_id, note)
        blobs.add(
            tx,
            note_id=note_id,
            location_id=location,
            path=voice,
            sha256=sha256,
            size=size,
            media_type="audio/wav",
        )
    return note_id, voice


async def test_a_voice_file_arrives_whole_after_cuts(
    make_phone: MakePhone, stamp: Stamp, tmp_path: Path, deps: Deps
) -> None:
    ann = await make_phone()
    add_voice(ann, tmp_path)
    for _ in range(12):
        ann.transport.cut_after = len(ann.transport.requests) + 3
        await ann.run()
    ann.transport.cut_after = None
    await ann.run()

    (blob,) = ann.db.rows("SELECT state, sent, size FROM blobs")
    assert tuple(blob) == ("sent", 700_000, 700_000)
    upload = await deps.pool.fetchrow("SELECT received, done_at FROM uploads")
    assert isinstance(upload, asyncpg.Record)
    assert upload["received"] == 700_000
    assert upload["done_at"] is not None


async def test_a_lost_voice_file_is_listed_and_rows_go_on(
    make_phone: MakePhone, stamp: Stamp, tmp_path: Path
) -> None:
    ann, bob, lead_id = await two(make_phone, stamp)
    _, voice = add_voice(ann, tmp_path)
    voice.unlink()
    ann.change(lead_id, name="Goes on")
    await settle(stamp, ann, bob)

    (blob,) = blobs.unsent(ann.db)
    assert (blob.state, blob.error) == (blobs.State.FAILED, "The recording is no longer on this device.")
    assert bob.lead(lead_id).name == "Goes on"
