"""Voice notes: safe first, transcribed, reviewed, saved."""

from __future__ import annotations

import filecmp
import wave
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from devices import recorder
from domain import errors, ids, ports, proposals, values
from domain.proposals import Field
from services import notes
from services.notes import NoteState, proposed
from services.sync_words import SyncWord
from storage import blobs, doomed, outbox, outbox_writes, scopes
from tests import fakes
from tests.services.conftest import AGENT, Bench

pytestmark = pytest.mark.anyio

SAID = "Ann Lee wants six forty for the house because of the divorce. Call her back on December 4th."


@pytest.fixture
def wav(tmp_path: Path) -> Path:
    path = tmp_path / "said.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
        file.writeframes(b"\x01\x02" * 16_000)
    return path


@pytest.fixture
def talking(make_bench: Callable[..., Bench], wav: Path) -> Bench:
    return make_bench(hears=wav, says=SAID)


async def recorded(bench: Bench, lead_id: str = "") -> str:
    return await bench.sv.notes.stop(await bench.sv.notes.start(lead_id))


async def test_a_recording_is_a_note_a_file_and_an_upload_at_once(talking: Bench) -> None:
    lead_id = talking.lead()

    note_id = await recorded(talking, lead_id)

    note = talking.sv.notes.get(note_id)
    assert (note.state, note.lead_name, note.sync, note.audio_sync) == (
        NoteState.WAITING,
        "Ann Lee",
        SyncWord.ON_PHONE,
        SyncWord.ON_PHONE,
    )
    assert note.audio_path is not None
    assert note.size == note.audio_path.stat().st_size
    assert [blob.note_id for blob in blobs.unsent(talking.db)] == [note_id]


async def test_without_a_microphone_a_file_can_be_picked(bench: Bench, wav: Path) -> None:
    with pytest.raises(errors.NoMicrophoneError):
        await bench.sv.notes.start()

    note_id = await bench.sv.notes.attach(wav, "../../etc/said.wav")

    path = bench.sv.notes.get(note_id).audio_path
    assert path is not None
    assert path.parent == bench.db.path.parent / "audio"
    assert filecmp.cmp(path, wav, shallow=False)


async def test_a_picked_file_that_is_no_audio_is_refused_and_leaves_nothing(
    bench: Bench, tmp_path: Path
) -> None:
    def refuse(path: Path) -> float:
        raise errors.AudioError("This is no audio.", where=path.name, hint="Choose another file.")

    service = notes.Notes(
        desk=bench.sv.desk, recorder=None, check_audio=refuse, progress=bench.sv.notes.progress
    )

    with pytest.raises(errors.AudioError, match=r"song.wav.*Choose another"):
        await service.attach(b"hello", "song.wav")
    assert list((bench.db.path.parent / "audio").iterdir()) == []
    assert service.list() == ()


async def test_a_recording_whose_note_was_never_written_is_found_at_start(talking: Bench) -> None:
    capture = await talking.sv.notes.start()  # and the app dies

    (note_id,) = await talking.sv.notes.recover()

    assert note_id == capture.note_id
    assert talking.sv.notes.get(note_id).state is NoteState.WAITING
    assert await talking.sv.notes.recover() == ()


async def test_a_recording_that_a_crash_cut_off_is_made_whole_first(talking: Bench) -> None:
    capture = await talking.sv.notes.start()
    with capture.path.open("ab") as file:
        file.write(b"\x01\x02" * 16_000)  # the header knows of one second only

    await replace(talking.sv.notes, repair=recorder.recover).recover()

    assert talking.sv.notes.get(capture.note_id).seconds == pytest.approx(2.0)


async def test_a_recording_beyond_repair_is_kept_and_says_so(talking: Bench) -> None:
    capture = await talking.sv.notes.start()
    capture.path.write_bytes(b"not a sound")

    await replace(talking.sv.notes, repair=recorder.recover).recover()

    note = talking.sv.notes.get(capture.note_id)
    assert (note.state, bool(note.error), note.audio_path) == (NoteState.FAILED, True, capture.path)


async def test_note_recorded_offline_comes_back_transcribed_with_its_proposals(talking: Bench) -> None:
    lead_id = talking.lead()
    note_id = await recorded(talking)

    assert await talking.sv.transcription.run_once() == 1

    review = talking.sv.notes.review(note_id)
    assert review.transcript == SAID
    assert review.guess is not None
    assert review.guess.lead_id == lead_id
    by_field = {change.field: change for change in review.proposals}
    assert by_field["motivation"].new == "divorce"
    assert by_field["price_cents"].words in SAID
    assert by_field["follow_up_on"].new == "2026-12-04"
    assert "Ann Lee" in talking.transcriber.hotwords[0]


async def test_a_transcript_from_the_server_is_read_for_proposals_here(talking: Bench) -> None:
    lead_id, note_id = talking.lead(), ids.new_id()
    row = {"agent_id": AGENT, "state": "transcribed", "transcript": SAID, "lead_id": lead_id}
    talking.server("notes", note_id, row)

    talking.sv.notes.save(note_id, ["motivation"])

    assert "price_cents" in {change.field for change in talking.sv.notes.review(note_id).proposals}
    assert talking.get("leads", lead_id)["motivation"] == "divorce"


async def test_saving_applies_what_was_chosen_and_nothing_else_in_one_action(talking: Bench) -> None:
    lead_id = talking.lead()
    note_id = await recorded(talking, lead_id)
    await talking.sv.transcription.run_once()

    saved = talking.sv.notes.save(note_id, ["motivation", "follow_up_on"], lead_id)

    lead = talking.get("leads", lead_id)
    assert (lead["motivation"], lead["price_cents"]) == ("divorce", None)
    task = talking.get("tasks", saved.task_id)
    assert (task["title"], task["due_at"]) == ("Follow up with Ann Lee", "2026-12-04T16:00:00.000Z")
    assert talking.sv.notes.get(note_id).state is NoteState.SAVED
    groups = {
        line["grp"] for line in talking.all("outbox") if line["tbl"] in ("leads", "tasks", "interactions")
    }
    assert len(groups) == 1
    assert talking.sv.leads.view(lead_id).timeline.items[0].kind == "note"


async def test_a_value_corrected_by_the_person_wins(talking: Bench) -> None:
    lead_id = talking.lead()
    note_id = await recorded(talking, lead_id)
    await talking.sv.transcription.run_once()

    talking.sv.notes.save(note_id, ["price_cents"], lead_id, corrected={"price_cents": 64_500_000})

    assert talking.get("leads", lead_id)["price_cents"] == 64_500_000


async def test_a_bad_correction_changes_nothing_at_all(talking: Bench) -> None:
    lead_id = talking.lead()
    note_id = await recorded(talking, lead_id)
    await talking.sv.transcription.run_once()
    before = talking.all("outbox")

    with pytest.raises(errors.InputError):
        talking.sv.notes.save(note_id, ["follow_up_on"], lead_id, corrected={"price_cents": -1})
    assert talking.all("outbox") == before
    assert talking.sv.notes.get(note_id).state is NoteState.TRANSCRIBED


async def test_a_spoken_opt_out_is_checked_and_blocks_the_lead_when_saved(
    make_bench: Callable[..., Bench], wav: Path
) -> None:
    bench = make_bench(hears=wav, says="She asked me to stop texting her.")
    lead_id = bench.lead()
    note_id = await recorded(bench, lead_id)
    await bench.sv.transcription.run_once()

    (change,) = bench.sv.notes.review(note_id).proposals
    saved = bench.sv.notes.save(note_id, [change.id], lead_id)

    assert change.checked
    assert saved.opted_out
    with pytest.raises(errors.RuleError, match="opted out"):
        await bench.sv.contact.text(lead_id)


async def test_changes_without_a_lead_are_refused_but_the_note_alone_is_saved(talking: Bench) -> None:
    note_id = await recorded(talking)
    await talking.sv.transcription.run_once()

    with pytest.raises(errors.RuleError, match="Choose whom"):
        talking.sv.notes.save(note_id, ["motivation"])
    talking.sv.notes.save(note_id, [])

    assert talking.sv.notes.get(note_id).state is NoteState.SAVED


async def test_another_lead_may_be_chosen_and_its_values_stand_beside(talking: Bench) -> None:
    talking.lead()
    other_id = talking.lead(name="Bo Chen", motivation="divorce")
    note_id = await recorded(talking)
    await talking.sv.transcription.run_once()

    review = talking.sv.notes.review(note_id, lead_id=other_id)

    assert review.guess is not None
    assert review.guess.name == "Bo Chen"
    assert [guess.name for guess in review.alternatives] == ["Ann Lee"]
    assert "motivation" not in {change.field for change in review.proposals}


async def test_silence_says_no_speech_and_proposes_nothing(
    make_bench: Callable[..., Bench], wav: Path
) -> None:
    bench = make_bench(hears=wav, says="")
    note_id = await recorded(bench)

    await bench.sv.transcription.run_once()

    assert bench.sv.notes.get(note_id).state is NoteState.NO_SPEECH
    assert bench.sv.notes.review(note_id).proposals == ()


async def test_without_an_engine_the_note_waits_for_the_server(
    make_bench: Callable[..., Bench], wav: Path
) -> None:
    bench = make_bench(hears=wav, says=None)
    note_id = await recorded(bench)

    assert await bench.sv.transcription.run_once() == 0

    assert bench.sv.notes.get(note_id).state is NoteState.WAITING
    assert "no speech engine" in bench.sv.transcription.why_waiting


async def test_after_a_model_has_arrived_waiting_notes_are_transcribed(
    make_bench: Callable[..., Bench], wav: Path
) -> None:
    bench = make_bench(hears=wav, says=None)
    note_id = await recorded(bench)
    await bench.sv.transcription.run_once()

    bench.transcriber.says = "Roof needs work."
    bench.sv.transcription.nudge()
    await bench.sv.transcription.run_once()

    assert bench.sv.notes.get(note_id).transcript == "Roof needs work."


async def test_sound_that_cannot_be_read_is_kept_and_the_note_says_why(talking: Bench) -> None:
    note_id = await recorded(talking)
    transcription = talking.sv.transcription
    broken = type(transcription)(desk=talking.sv.desk, transcriber=Corrupt(), progress=transcription.progress)

    await broken.run_once()

    note = talking.sv.notes.get(note_id)
    assert (note.state, note.error) == (NoteState.FAILED, "This recording is damaged. Record again.")
    assert note.audio_path is not None
    talking.sv.notes.retry(note_id)
    await transcription.run_once()
    assert talking.sv.notes.get(note_id).state is NoteState.TRANSCRIBED


async def test_corrected_words_are_read_anew(talking: Bench) -> None:
    note_id = await recorded(talking, talking.lead())
    await talking.sv.transcription.run_once()

    talking.sv.notes.write_transcript(note_id, "He is relocating to Denver.")

    fields = {change.field: change.new for change in talking.sv.notes.review(note_id).proposals}
    assert fields == {"motivation": "relocation"}


async def test_a_deleted_note_takes_its_sound_with_it(talking: Bench) -> None:
    note_id = await recorded(talking)
    path = talking.sv.notes.get(note_id).audio_path
    assert path is not None

    talking.sv.notes.delete(note_id)

    assert not path.exists()
    assert blobs.unsent(talking.db) == []
    with pytest.raises(errors.NotFoundError):
        talking.sv.notes.get(note_id)


async def test_the_lead_is_guessed_by_house_by_number_and_by_who_was_just_met(
    make_bench: Callable[..., Bench], wav: Path
) -> None:
    said = "I was at 12 Oak Street. Their number is 512 555 0188."
    bench = make_bench(hears=wav, says=said)
    bench.lead(name="House", address="12 Oak Street", phone=None)
    bench.lead(name="Number", phone="+15125550188")
    bench.lead(name="Met", phone=None, last_touch_at=values.time_text(bench.clock.now()))
    note_id = await recorded(bench)
    await bench.sv.transcription.run_once()

    review = bench.sv.notes.review(note_id)

    assert review.guess is not None
    assert [review.guess.name, *(guess.name for guess in review.alternatives)] == ["House", "Number", "Met"]


async def test_the_meter_shows_loudness_and_a_cancelled_recording_leaves_nothing(talking: Bench) -> None:
    capture = await talking.sv.notes.start()
    assert talking.sv.notes.level() == 0.5

    await talking.sv.notes.cancel()

    assert talking.sv.notes.level() == 0.0
    assert not capture.path.exists()
    assert talking.sv.notes.list() == ()


async def test_a_follow_up_on_no_date_is_refused(talking: Bench) -> None:
    note_id = await recorded(talking, talking.lead())
    await talking.sv.transcription.run_once()

    with pytest.raises(errors.InputError, match="no date"):
        talking.sv.notes.save(note_id, [], corrected={"follow_up_on": "some day"})


async def test_a_missing_or_empty_file_is_said_as_such(bench: Bench, tmp_path: Path) -> None:
    with pytest.raises(errors.AudioError, match="Pick it again"):
        await bench.sv.notes.attach(tmp_path / "gone.wav", "gone.wav")
    with pytest.raises(errors.AudioError, match="empty"):
        await bench.sv.notes.attach(b"", "empty.wav")
    with pytest.raises(errors.DiskFullError, match="original is untouched"):
        await bench.sv.notes.attach(tmp_path, "folder.wav")


def test_a_typed_note_needs_words(bench: Bench) -> None:
    with pytest.raises(errors.InputError, match="Type something"):
        bench.sv.notes.write_text("  ")


def test_proposals_come_back_from_json_as_they_were() -> None:
    found = proposals.propose(SAID, fakes.EPOCH)

    assert proposed.from_json(proposed.as_json(found)) == found
    assert proposed.from_json([{"field": "new_thing"}, 3, *proposed.as_json(found[:1])]) == found[:1]
    assert Field.PRICE in {item.field for item in found}


class Corrupt(fakes.FakeTranscriber):
    """An engine that can't read the file."""

    def transcribe(
        self,
        audio: Path,
        *,
        hotwords: Sequence[str] = (),
        on_progress: Callable[[float], None] | None = None,
    ) -> ports.Transcript:
        raise errors.AudioError("This recording is damaged.", hint="Record again.")


async def test_who_was_just_met_is_offered_and_never_taken_by_itself(
    make_bench: Callable[..., Bench], wav: Path
) -> None:
    bench = make_bench(hears=wav, says="They want four hundred fifty thousand.")
    bench.lead(name="Met", last_touch_at=values.time_text(bench.clock.now()))
    note_id = await recorded(bench)
    await bench.sv.transcription.run_once()

    review = bench.sv.notes.review(note_id)

    assert review.guess is None
    assert [guess.name for guess in review.alternatives] == ["Met"]
    assert not [change for change in review.proposals if change.checked]


async def test_a_known_address_or_number_is_replaced_only_on_the_persons_word(
    make_bench: Callable[..., Bench], wav: Path
) -> None:
    bench = make_bench(hears=wav, says="I was at 12 Oak Street. Call 512 555 0188.")
    known = bench.lead(address="9 Elm Street", phone="+15125550100")
    unknown = bench.lead(address=None, phone=None)
    note_id = await recorded(bench, known)
    await bench.sv.transcription.run_once()

    replacing = {change.field: change.checked for change in bench.sv.notes.review(note_id).proposals}
    filling = bench.sv.notes.review(note_id, lead_id=unknown).proposals

    assert replacing == {"address": False, "phone": False}
    assert {change.field: change.checked for change in filling} == {"address": True, "phone": True}


async def test_a_note_is_on_the_server_only_with_its_sound(bench: Bench) -> None:
    bench.online()
    note_id = await bench.sv.notes.attach(b"RIFF", "a.wav")
    with bench.db.write_tx() as tx:
        for line in outbox.listed(tx):
            outbox_writes.mark_acked(tx, line.mutation.mid, 0)

    note = bench.sv.notes.get(note_id)

    assert (note.sync, note.audio_sync, note.whole) == (
        SyncWord.ON_SERVER,
        SyncWord.WAITING,
        SyncWord.WAITING,
    )


@pytest.mark.parametrize("sent", [True, False])
async def test_a_recording_whose_note_was_taken_away_never_comes_back_as_a_note(
    talking: Bench, sent: bool
) -> None:
    """The app was killed between the transaction that let go of the note and the deletion of its file; or it still waits."""
    note_id = await recorded(talking)
    blob = blobs.of_note(talking.db, note_id)
    assert blob is not None
    with talking.db.write_tx() as tx:
        if sent:
            blobs.finished(tx, blob.id)
        files = scopes.keep_only(tx, [])
        doomed.add(tx, files)

    assert await talking.sv.notes.recover() == ()
    assert blob.path.exists() is not sent
