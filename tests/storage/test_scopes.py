"""What belongs to a location leaves the device with it, down to the last byte."""

from __future__ import annotations

from pathlib import Path

import pytest

from domain import ids, wire
from storage import (
    blobs,
    compare,
    database,
    events,
    kpis,
    leads,
    outbox,
    pushed,
    search,
    settings,
)
from sync import effects, file_steps, files
from tests import fakes
from tests.storage.conftest import ELSEWHERE, LOCATION, edit
from tests.storage.test_pulled import apply, block, name_of, page

MARK = "Zanzibarov"
"""A word that only the lost location knows."""
BOTH = [LOCATION, ELSEWHERE]


def acked(store: database.Database) -> None:
    """The server took everything as it was meant."""
    sent = [line.mutation for line in outbox.listed(store)]
    results = [wire.Result(mid=one.mid, status=wire.Status.APPLIED, ver=9) for one in sent]
    with store.write_tx() as tx:
        said = wire.PushAnswer(results=results, server_ms=1, incarnation="i")
        pushed.apply(tx, sent, said, now_ms=1)


def traces(store: database.Database) -> list[str]:
    """Files of the store that hold the mark."""
    files = sorted(store.path.parent.glob(store.path.name + "*"))
    marks = [MARK.encode(), MARK.lower().encode()]
    return [file.name for file in files if any(mark in file.read_bytes() for mark in marks)]


def fill(store: database.Database, tmp_path: Path) -> Path:
    """Everywhere that a location's content may lie: rows, bases, journal, search, recordings, figures, diary."""
    edited, deleted, refused = ids.new_id(), ids.new_id(), ids.new_id()
    some = [(one, 1, {"name": f"{MARK} {one}", "location_id": ELSEWHERE}) for one in (edited, deleted)]
    kept = (ids.new_id(), 1, {"name": "Ann"})
    apply(store, page(block(*some, kept, (refused, 1, {"name": MARK, "stage": None})), scopes=BOTH))
    edit(store, lambda e: e.patch("leads", edited, {"motivation": f"{MARK} moves"}))
    edit(store, lambda e: e.patch("leads", deleted, {"motivation": f"{MARK} moves"}))
    acked(store)
    edit(store, lambda e: e.delete("leads", deleted))
    note_id, file = ids.new_id(), tmp_path / "note.wav"
    note = {"location_id": ELSEWHERE, "agent_id": ids.new_id(), "state": "waiting", "text": f"{MARK} said"}
    edit(store, lambda e: e.put("notes", note_id, note))
    acked(store)
    file.write_bytes(b"sound")
    with store.write_tx() as tx:
        blob = blobs.add(
            tx,
            note_id=note_id,
            location_id=ELSEWHERE,
            path=file,
            sha256="0" * 64,
            size=5,
            media_type="audio/wav",
        )
        blobs.finished(tx, blob)
        tile = {"words": MARK}
        kpis.save(tx, location_id=ELSEWHERE, timeframe="week", tiles={"a": tile}, as_of=fakes.EPOCH)
        settings.put(tx, "search.recent", [MARK])
        events.add(tx, "pull.row_refused", id=edited, reason=MARK)
    edit(store, lambda e: e.patch("leads", edited, {"motivation": f"{MARK} stays"}))
    acked(store)
    return file


def test_nothing_of_a_lost_location_is_left_in_the_file(store: database.Database, tmp_path: Path) -> None:
    file = fill(store, tmp_path)
    assert traces(store)

    applied = apply(store, page(scopes=[LOCATION]))
    store.scrub()

    assert traces(store) == []
    assert applied.scrub
    assert applied.files == (file,)
    assert [
        lead.name
        for lead in (leads.get(store, row["id"]) for row in store.rows("SELECT id FROM leads"))
        if lead
    ] == ["Ann"]
    assert [hit.title for hit in search.find(store, "ann")] == ["Ann"]
    assert search.find(store, MARK) == []
    assert set(compare.sums(store)) == {LOCATION}


def test_unsent_work_in_a_lost_location_waits_for_the_server_s_word(store: database.Database) -> None:
    lead_id = ids.new_id()
    apply(store, page(block((lead_id, 1, {"location_id": ELSEWHERE})), scopes=BOTH))
    edit(store, lambda e: e.patch("leads", lead_id, {"name": "Mine"}))
    apply(store, page(scopes=[LOCATION]))

    assert leads.get(store, lead_id) is None
    assert [line.mutation.patch for line in outbox.listed(store)] == [{"name": "Mine"}]


@pytest.mark.parametrize("way", ["taken away", "moved", "moved, and edited here"])
def test_a_recording_that_is_nowhere_else_stays_until_the_server_has_it(
    store: database.Database, tmp_path: Path, way: str
) -> None:
    note_id, file = ids.new_id(), tmp_path / "note.wav"
    file.write_bytes(b"sound")
    apply(store, page(scopes=BOTH))
    note = {"location_id": ELSEWHERE, "agent_id": ids.new_id(), "state": "waiting"}
    edit(store, lambda e: e.put("notes", note_id, note))
    acked(store)
    with store.write_tx() as tx:
        said = {"sha256": "0" * 64, "size": 5, "media_type": "audio/wav"}
        blobs.add(tx, note_id=note_id, location_id=ELSEWHERE, path=file, **said)  # type: ignore[arg-type]
    if "edited" in way:
        edit(store, lambda e: e.patch("notes", note_id, {"text": "mine"}))

    left = page(scopes=[LOCATION]) if way == "taken away" else page(removed=[("notes", note_id)], scopes=BOTH)
    assert apply(store, left).files == ()

    (waiting,) = blobs.waiting(store)
    assert (waiting.location_id, store.value("SELECT count(*) FROM notes")) == (ELSEWHERE, 0)
    here = effects.Device(db=store, clock=fakes.FakeClock())
    file_steps.FileReached(blob=waiting, reached=files.Reached(url="/u", sent=5)).run(here)
    assert (file.exists(), blobs.of_note(store, note_id)) == (False, None)


def test_a_row_with_unsent_work_comes_back_with_its_location_at_whatever_version(
    store: database.Database,
) -> None:
    """The server may have been set back meanwhile, so that it is a lower one."""
    lead = ids.new_id()
    apply(store, page(block((lead, 7, {"name": "Ann", "location_id": ELSEWHERE})), scopes=BOTH))
    edit(store, lambda e: e.patch("leads", lead, {"motivation": "moves"}))
    apply(store, page(scopes=[LOCATION]))

    apply(store, page(block((lead, 2, {"name": "Ann", "location_id": ELSEWHERE})), scopes=BOTH))

    assert name_of(store, lead) == "Ann"


@pytest.mark.parametrize("granted", [True, False])
def test_a_row_that_moved_stays_where_it_may_be_seen(store: database.Database, granted: bool) -> None:
    lead_id = ids.new_id()
    known = BOTH if granted else [LOCATION]
    apply(store, page(block((lead_id, 1, {"name": "Before"})), scopes=known))
    moved = block((lead_id, 2, {"name": "After", "location_id": ELSEWHERE}))
    if granted:
        apply(store, page(moved, removed=[("leads", lead_id)], scopes=known))
    else:
        apply(store, page(removed=[("leads", lead_id)], scopes=known))

    found = leads.get(store, lead_id)
    assert (found.location_id if found else None) == (ELSEWHERE if granted else None)
    assert [hit.title for hit in search.find(store, "after")] == (["After"] if granted else [])


@pytest.mark.parametrize("ver", [2, 3])
@pytest.mark.parametrize("worked_on", [True, False])
def test_a_row_that_one_page_takes_and_puts_is_there(
    store: database.Database, ver: int, worked_on: bool
) -> None:
    lead_id = ids.new_id()
    apply(store, page(block((lead_id, 2, {"name": "Before"}))))
    if worked_on:
        edit(store, lambda e: e.patch("leads", lead_id, {"phone": "+12065550100"}))
    apply(store, page(block((lead_id, ver, {"name": "After"})), removed=[("leads", lead_id)]))

    assert name_of(store, lead_id) == "After"
    found = leads.get(store, lead_id)
    assert found is not None
    assert found.phone == ("+12065550100" if worked_on else None)
