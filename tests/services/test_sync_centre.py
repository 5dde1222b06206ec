"""What is safe where, and what a person does about the rest."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from domain import errors, tables, wire
from services.sync_centre import Compared, Lamp, TroubleKind, Why
from services.sync_words import SyncWord
from storage import blobs, cursor, outbox, outbox_writes, rebase
from tests.services.conftest import Bench, in_days

pytestmark = pytest.mark.anyio


def park(bench: Bench, table: str, *, message: str = "The server says no.", code: str = "rule") -> None:
    """As the sync engine does when the server refuses."""
    with bench.db.write_tx() as tx:
        for line in outbox.listed(tx):
            if line.mutation.table == table:
                outbox_writes.mark_parked(tx, line.mutation.mid, code=code, message=message)


def test_the_server_lamp_is_green_only_while_nothing_waits_and_the_server_was_heard_of(bench: Bench) -> None:
    never = bench.sv.sync_centre.lamps().server
    bench.online()
    heard = bench.sv.sync_centre.lamps().server
    bench.clock.advance(11 * 60)
    silent = bench.sv.sync_centre.lamps().server

    assert (never, heard, silent) == (Lamp.OFF, Lamp.GREEN, Lamp.OFF)


def test_unsent_work_is_amber_however_fresh_the_line(bench: Bench) -> None:
    bench.online()
    bench.sv.tasks.create("Call")

    lamps = bench.sv.sync_centre.lamps()

    assert (lamps.phone, lamps.server, lamps.waiting) == (Lamp.GREEN, Lamp.AMBER, 1)
    assert lamps.oldest_waiting_at is not None
    assert bench.sv.sync_centre.unsent() == 1


def test_what_waits_is_named_and_says_where_it_is(bench: Bench) -> None:
    lead_id = bench.lead()
    bench.sv.leads.edit(lead_id, motivation="job")

    (offline,) = bench.sv.sync_centre.view().waiting
    bench.online()
    (online,) = bench.sv.sync_centre.view().waiting

    assert (offline.word, online.word) == (SyncWord.ON_PHONE, SyncWord.WAITING)
    assert "Ann Lee" in offline.title
    assert offline.lead_id == lead_id
    assert ("motivation", "job") in offline.what
    assert (offline.lead_name, offline.urgent) == ("Ann Lee", False)


def test_the_queue_is_listed_in_the_order_of_sending(bench: Bench) -> None:
    bench.online()
    bench.sv.tasks.create("first made")
    bench.sv.tasks.create("second made")
    bench.sv.leads.opt_out(bench.lead(), "Please stop calling")
    with bench.db.write_tx() as tx:
        under_way = next(
            x.mutation.mid for x in outbox.listed(tx) if x.mutation.patch["title"] == "second made"
        )
        outbox_writes.mark_inflight(tx, [under_way])

    found = bench.sv.sync_centre.view().waiting

    assert found[0].title.endswith("second made")
    assert found[1].urgent
    assert found[-1].title.endswith("first made")


def test_a_parked_change_turns_the_lamp_red_and_can_be_sent_again(bench: Bench) -> None:
    bench.sv.leads.edit(bench.lead(), motivation="job")
    park(bench, "leads")

    (parked,) = bench.sv.sync_centre.view().parked
    red = bench.sv.sync_centre.lamps()
    bench.sv.sync_centre.retry(parked.group)

    assert (parked.message, parked.code) == ("The server says no.", "rule")
    assert (red.server, red.needs_you) == (Lamp.RED, 1)
    assert bench.sv.sync_centre.lamps().needs_you == 0
    assert bench.sv.sync_centre.unsent() == 1


def test_a_corrected_value_goes_with_the_rest_of_its_action_under_a_new_number(bench: Bench) -> None:
    lead_id = bench.lead(motivation="mixed", price_cents=1)
    bench.sv.leads.edit(lead_id, motivation="divorce", price_cents=10**12)
    park(bench, "leads", code="bad_value", message="price_cents is beyond its range.")
    (held,) = bench.sv.sync_centre.view().parked
    (before,) = outbox.listed(bench.db)

    bench.sv.sync_centre.correct(held.group, {lead_id: {"price_cents": 64_000_000}})

    (line,) = outbox.listed(bench.db)
    assert held.correctable
    assert (line.state, line.mutation.mid > before.mutation.mid) == (outbox.State.PENDING, True)
    assert (line.mutation.patch["price_cents"], line.mutation.patch["motivation"]) == (64_000_000, "divorce")
    assert bench.get("leads", lead_id)["price_cents"] == 64_000_000


def test_a_correction_is_checked_like_anything_typed_and_changes_nothing_when_it_is_wrong(
    bench: Bench,
) -> None:
    lead_id = bench.lead()
    bench.sv.leads.edit(lead_id, email="a@x.org")
    park(bench, "leads", code="bad_value")
    (held,) = bench.sv.sync_centre.view().parked

    with pytest.raises(errors.InputError, match="e-mail"):
        bench.sv.sync_centre.correct(held.group, {lead_id: {"email": "nonsense"}})

    assert bench.sv.sync_centre.view().parked == (held,)


def test_what_would_be_lost_is_told_beside_what_the_server_has(bench: Bench) -> None:
    lead_id = bench.lead(motivation="mixed")
    bench.sv.leads.edit(lead_id, motivation="divorce")
    park(bench, "leads")

    (held,) = bench.sv.sync_centre.parked_of(lead_id)

    assert [(change.name, change.mine, change.server) for change in held.changes] == [
        ("motivation", "divorce", "mixed")
    ]


def test_a_discarded_change_can_be_taken_back(bench: Bench) -> None:
    lead_id = bench.lead(motivation="mixed")
    bench.sv.leads.edit(lead_id, motivation="divorce")
    park(bench, "leads")
    (held,) = bench.sv.sync_centre.view().parked

    undo = bench.sv.sync_centre.discard(held.group)
    undo()

    (again,) = bench.sv.sync_centre.view().parked
    assert (again.group, again.message, again.changes) == (held.group, held.message, held.changes)
    assert bench.get("leads", lead_id)["motivation"] == "divorce"


def test_a_row_that_somebody_deleted_comes_back_with_my_edit(bench: Bench) -> None:
    lead_id = bench.lead()
    bench.sv.leads.edit(lead_id, motivation="divorce")
    park(bench, "leads", code="row_deleted")
    with bench.db.write_tx() as tx:
        rebase.set_base(tx, tables.LEADS, lead_id, rebase.Base(ver=7, values=None))
    (held,) = bench.sv.sync_centre.view().parked

    bench.sv.sync_centre.restore(held.group)

    (line,) = outbox.listed(bench.db)
    assert (held.restorable, held.correctable) == (True, False)
    assert (line.mutation.op, line.mutation.base_ver, line.state) == (wire.Op.PUT, 7, outbox.State.PENDING)


def test_a_discarded_change_shows_what_the_server_has_again(bench: Bench) -> None:
    lead_id = bench.lead(motivation="mixed")
    bench.sv.leads.edit(lead_id, motivation="divorce")
    park(bench, "leads")

    bench.sv.sync_centre.discard(bench.sv.sync_centre.view().parked[0].group)

    assert bench.get("leads", lead_id)["motivation"] == "mixed"
    assert bench.sv.sync_centre.unsent() == 0
    with pytest.raises(errors.NotFoundError):
        bench.sv.sync_centre.discard("gone")


def test_discarding_a_row_that_was_never_made_takes_all_that_was_done_with_it(bench: Bench) -> None:
    task_id = bench.sv.tasks.create("Call")
    bench.sv.tasks.snooze(task_id, in_days(bench, 2))
    park(bench, "tasks")

    bench.sv.sync_centre.discard(bench.sv.sync_centre.view().parked[0].group)

    assert bench.all("tasks") == []
    assert bench.sv.sync_centre.unsent() == 0


async def test_send_now_and_forced_offline_reach_the_engine(bench: Bench) -> None:
    bench.online()
    bench.sv.tasks.create("Call")

    await bench.sv.sync_centre.send_now()
    bench.sv.sync_centre.force_offline(True)

    assert bench.sync.sent == 1
    assert bench.sv.sync_centre.view().waiting[0].word is SyncWord.ON_PHONE


async def test_the_export_holds_every_unsent_change_whole(bench: Bench) -> None:
    bench.sv.tasks.create("Call Ann", text="about the roof")

    path = await bench.sv.sync_centre.export()

    body = json.loads(path.read_text())
    (change,) = body["changes"]
    assert (change["table"], change["patch"]["title"], change["patch"]["text"]) == (
        "tasks",
        "Call Ann",
        "about the roof",
    )
    assert path.stat().st_mode & 0o077 == 0


async def test_one_action_and_the_log_are_exported_alone(bench: Bench) -> None:
    bench.sv.tasks.create("Call Ann")
    bench.sv.tasks.create("Call Bob")
    park(bench, "tasks")
    first = bench.sv.sync_centre.view().parked[0].group

    one, log = bench.sv.sync_centre.export_one(first), bench.sv.sync_centre.export_log()

    assert [change["patch"]["title"] for change in json.loads(one[1])["changes"]] == ["Call Ann"]
    assert "changes" not in json.loads(log[1])
    assert (one[0][:12], log[0][:9]) == ("jorge-change", "jorge-log")


def test_storage_is_told_by_area_with_the_rows_of_each_table_and_what_is_free(bench: Bench) -> None:
    bench.lead()

    used = bench.sv.sync_centre.storage()

    areas = dict(used.areas)
    assert areas["data"] > 0
    assert areas["search"] > 0
    assert areas["recordings"] == 0
    assert dict(used.rows)["leads"] == 1
    assert used.free > 0


FAULTS = [
    (errors.NotOurServerError("A sign-in page."), TroubleKind.CAPTIVE),
    (errors.VersionMismatchError("Too old."), TroubleKind.UPDATE),
    (errors.DiskFullError("Full."), TroubleKind.FULL),
    (errors.ForbiddenError("No."), TroubleKind.NO_ACCESS),
    (errors.ServerFaultError("500"), TroubleKind.BUSY),
    (errors.SyncError("Odd."), TroubleKind.OTHER),
]


@pytest.mark.parametrize(("fault", "kind"), FAULTS)
def test_what_is_in_the_way_is_named_by_its_kind(
    bench: Bench, fault: errors.JorgeError, kind: TroubleKind
) -> None:
    bench.sync.now = replace(bench.sync.now, fault=fault)

    (trouble,) = bench.sv.sync_centre.lamps().troubles

    assert (trouble.kind, trouble.message) == (kind, fault.message)


def test_being_offline_is_no_trouble_and_a_full_disk_puts_the_phone_s_own_lamp_out(bench: Bench) -> None:
    bench.sync.now = replace(bench.sync.now, fault=errors.UnreachableError("No answer."))
    offline = bench.sv.sync_centre.lamps()
    bench.sync.now = replace(bench.sync.now, fault=errors.DiskFullError("Full."))

    assert offline.troubles == ()
    assert bench.sv.sync_centre.lamps().phone is Lamp.RED


def test_a_wrong_clock_and_a_lost_location_are_told_beside_the_rest(bench: Bench) -> None:
    with bench.db.write_tx() as tx:
        cursor.put(tx, clock_offset_ms=str(3 * 3600 * 1000), scopes="[]")
    bench.sync.now = replace(bench.sync.now, needs_sign_in=True)

    troubles = bench.sv.sync_centre.lamps().troubles

    assert [found.kind for found in troubles] == [
        TroubleKind.SIGN_IN,
        TroubleKind.NO_ACCESS,
        TroubleKind.CLOCK,
    ]
    assert troubles[-1].ahead == timedelta(hours=-3)


def test_the_first_download_is_told_in_rows(bench: Bench) -> None:
    bench.sync.now = replace(bench.sync.now, first_sync=0.62, first_done=13_640, first_total=22_000)

    first = bench.sv.sync_centre.lamps().first

    assert first is not None
    assert (first.done, first.total, first.share) == (13_640, 22_000, 0.62)


async def test_a_comparison_tells_its_result_only_when_it_came_to_an_end(bench: Bench) -> None:
    cut_off = await bench.sv.sync_centre.compare()
    bench.sync.result = {"compared_at": bench.clock.now(), "compared_equal": True, "compared_rows": 22_010}
    done = await bench.sv.sync_centre.compare()

    assert cut_off is None
    assert done == Compared(at=bench.clock.now(), equal=True, rows=22_010)


async def test_a_recording_on_its_way_shows_its_size_and_a_refused_one_needs_a_person(bench: Bench) -> None:
    await bench.sv.notes.attach(b"RIFF", "a.wav")
    (waiting,) = [item for item in bench.sv.sync_centre.view().waiting if item.table == "blobs"]
    with bench.db.write_tx() as tx:
        blobs.failed(tx, waiting.id, "Too long.", for_good=True)

    (refused,) = [item for item in bench.sv.sync_centre.view().waiting if item.table == "blobs"]
    needs_you = bench.sv.sync_centre.lamps().needs_you
    bench.sv.sync_centre.retry_sound(waiting.id)

    assert (waiting.word, waiting.size) == (SyncWord.ON_PHONE, 4)
    assert (refused.word, refused.error, needs_you) == (SyncWord.NEEDS_YOU, "Too long.", 1)
    assert bench.sv.sync_centre.lamps().needs_you == 0


async def test_a_recording_whose_note_left_is_dated_by_itself_and_kept_as_a_copy_or_given_up(
    bench: Bench,
) -> None:
    await bench.sv.notes.attach(b"RIFF", "a.wav")
    with bench.db.write_tx() as tx:
        tx.execute("DELETE FROM notes")
        tx.execute("DELETE FROM outbox")
    (sound,) = blobs.unsent(bench.db)
    centre = bench.sv.sync_centre
    (item,) = [item for item in centre.view().waiting if item.table == "blobs"]

    name, content = await centre.sound_copy(sound.id)
    centre.discard_sound(sound.id)

    assert abs(item.made_at - datetime.now(UTC)) < timedelta(hours=1)
    assert (name.startswith("jorge-recording-"), name.endswith(".wav"), content) == (True, True, b"RIFF")
    assert (sound.path.exists(), blobs.unsent(bench.db), centre.lamps().audio_waiting) == (False, [], 0)
    with pytest.raises(errors.NotFoundError):
        await centre.sound_copy(sound.id)


async def test_the_recording_of_a_note_that_was_discarded_does_not_go_up_and_goes_on_when_that_is_taken_back(
    bench: Bench,
) -> None:
    await bench.sv.notes.attach(b"RIFF", "a.wav")
    park(bench, "notes", code="forbidden")
    undo = bench.sv.sync_centre.discard(bench.sv.sync_centre.view().parked[0].group)
    (held,) = bench.sv.sync_centre.view().waiting
    nothing = blobs.waiting(bench.db)

    undo()

    assert (held.table, held.word, nothing) == ("blobs", SyncWord.NEEDS_YOU, [])
    assert "Its note was discarded" in held.error
    assert [blob.state for blob in blobs.unsent(bench.db)] == [blobs.State.WAITING]


async def test_a_recording_that_waits_for_wifi_says_so(bench: Bench) -> None:
    bench.online()
    await bench.sv.notes.attach(b"RIFF", "a.wav")
    bench.sync.turn(metered=True)

    (waiting,) = [item for item in bench.sv.sync_centre.view().waiting if item.table == "blobs"]

    assert (waiting.word, waiting.why) == (SyncWord.WAITING, Why.WIFI)


async def test_an_export_that_cannot_be_written_is_said(bench: Bench, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")

    with pytest.raises(errors.StoreError, match="another folder"):
        await bench.sv.sync_centre.export(tmp_path / "file")
