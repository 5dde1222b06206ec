"""What is safe where, and what a person does about the rest."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from domain import errors
from services.sync_centre import Lamp
from services.sync_words import SyncWord
from storage import blobs, outbox
from tests.services.conftest import Bench, in_days

pytestmark = pytest.mark.anyio


def park(bench: Bench, table: str, *, message: str = "The server says no.") -> None:
    """As the sync engine does when the server refuses."""
    with bench.db.write_tx() as tx:
        for line in outbox.listed(tx):
            if line.mutation.table == table:
                outbox.mark_parked(tx, line.mutation.mid, code="rule", message=message)


def test_nothing_to_send_is_green_and_unsent_work_is_amber(bench: Bench) -> None:
    assert bench.sv.sync_centre.lamps().server is Lamp.GREEN

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
    assert "motivation" in offline.what


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

    bench.sv.sync_centre.discard(min(item.group for item in bench.sv.sync_centre.view().parked))

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


def test_storage_is_told_by_area(bench: Bench) -> None:
    areas = dict(bench.sv.sync_centre.storage().areas)

    assert areas["data"] > 0
    assert areas["recordings"] == 0


def test_an_error_of_the_engine_is_shown_in_its_words(bench: Bench) -> None:
    bench.sync.now = replace(bench.sync.now, error="The server's clock is wrong.", needs_sign_in=True)

    lamps = bench.sv.sync_centre.lamps()

    assert (lamps.error, lamps.needs_sign_in) == ("The server's clock is wrong.", True)


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


async def test_an_export_that_cannot_be_written_is_said(bench: Bench, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")

    with pytest.raises(errors.StoreError, match="another folder"):
        await bench.sv.sync_centre.export(tmp_path / "file")
